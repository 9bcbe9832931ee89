"""Devices and threads."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec

from inrcodec.errors import BadOption

_log = logging.getLogger(__name__)


def threads() -> int:
    """Threads to use: OMP_NUM_THREADS where it is set, else the cores this process may run on."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS does not tell which cores a process may run on


def resolve_device(device: str) -> str:
    """The device, `cpu` or `cuda[:n]`, that `auto`, `cpu` or `cuda[:n]` means here.

    Raises:
        BadOption: the name is unknown, or CUDA, or the CUDA device of that number, is asked for
            and not usable.
    """
    if device == "cpu":
        return device
    if device == "mps":
        raise BadOption("device mps lacks the float64 that fitting needs; use auto or cpu")
    if not re.fullmatch(r"auto|cuda(:[0-9]{1,4})?", device):
        raise BadOption(f"device is {device!r}, expected auto, cpu or cuda[:N]")
    if device == "auto" and not may_have_gpu():
        return "cpu"
    import torch

    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return "cuda" if found and _computes("cuda") else "cpu"
    if not found:
        raise BadOption(
            f"device {device} was asked for, but torch {torch.__version__} finds no CUDA"
        )
    if int(device.partition(":")[2] or 0) >= found:
        raise BadOption(
            f"device {device} was asked for, but torch finds {found} CUDA devices, from cuda:0 on"
        )
    return device


@cache
def _computes(device: str) -> bool:
    """Whether a CUDA device does what torch asks of it; one too old for torch's kernels does not.

    What it says then is told once.
    """
    import torch

    try:
        torch.ones(1, device=device).add_(1).item()
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        _log.warning("the CPU does the work, %s does not compute: %s", device, reason)
        return False
    return True


def may_have_gpu() -> bool:
    """Whether to ask torch for CUDA is worth the seconds: there is torch, and a driver's device."""
    if "torch" in sys.modules:
        return True
    devices = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
    return find_spec("torch") is not None and (os.name == "nt" or any(map(os.path.exists, devices)))


@contextlib.contextmanager
def own_stream(device: str) -> Iterator[None]:
    """Lets this thread use a CUDA device beside others, with a stream of its own."""
    import torch

    with torch.cuda.device(device), torch.cuda.stream(torch.cuda.Stream(device)):
        yield


def device_name(device: str) -> str:
    """What to call a device before people: CUDA devices by the name of their model."""
    if device == "cpu":
        return f"the CPU, {threads()} threads"
    import torch

    return f"{device}, {torch.cuda.get_device_name(device)}"
