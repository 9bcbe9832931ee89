"""Devices, threads and the engine that fits on them."""

from __future__ import annotations

import os

from inrcodec.errors import BadOption
from inrcodec.kernels import Engine, GridProblem

ENGINES = ("auto", "reference", "cpu")


def threads() -> int:
    """Threads to use: OMP_NUM_THREADS where it is set, else the cores this process may run on."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdigit() and int(asked) > 0 else len(os.sched_getaffinity(0))


def resolve_device(device: str) -> str:
    """"cpu" or "cuda" for "auto", "cpu" or "cuda[:n]".

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


def make_engine(problem: GridProblem, device: str = "auto", engine: str = "auto") -> Engine:
    """The fastest engine that works here, or the one asked for by name.

    Raises:
        BadOption: an unknown engine or device, or one that is not usable here.
    """
    if engine not in ENGINES:
        raise BadOption(f"engine is {engine!r}, expected one of {', '.join(ENGINES)}")
    device = resolve_device(device)
    if engine == "auto":
        engine = "cpu" if device == "cpu" and _numba_works() else "reference"
    if engine == "cpu":
        from inrcodec.kernels.cpu import CpuEngine

        return CpuEngine(problem, threads())
    import torch

    from inrcodec.kernels.reference import ReferenceEngine

    torch.set_num_threads(threads())
    return ReferenceEngine(problem, device)


def _numba_works() -> bool:
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True
