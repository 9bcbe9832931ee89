"""Devices and threads."""

from __future__ import annotations

import os

from inrcodec.errors import BadOption


def threads() -> int:
    """Threads to use: OMP_NUM_THREADS where it is set, else the cores this process may run on."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdigit() and int(asked) > 0 else len(os.sched_getaffinity(0))


def resolve_device(device: str) -> str:
    """The device, `cpu` or `cuda[:n]`, that `auto`, `cpu` or `cuda[:n]` means here.

    Raises:
        BadOption: the name is unknown, or CUDA is asked for and not usable.
    """
    if device == "cpu":
        return device
    if device != "auto" and device.split(":")[0] != "cuda":
        raise BadOption(f"device is {device!r}, expected auto, cpu or cuda")
    import torch

    if torch.cuda.is_available():
        return "cuda" if device == "auto" else device
    if device == "auto":
        return "cpu"
    raise BadOption(f"device {device} was asked for, but torch {torch.__version__} finds no CUDA")
