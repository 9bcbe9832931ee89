"""The choice of the engine that fits."""

from __future__ import annotations

from inrcodec.errors import BadOption
from inrcodec.kernels import Engine, GridProblem
from inrcodec.runtime import resolve_device, threads

ENGINES = ("auto", "reference", "cpu")


def make_engine(problem: GridProblem, device: str = "auto", engine: str = "auto") -> Engine:
    """The fastest engine that works here, or the one asked for by name.

    Raises:
        BadOption: an unknown engine or device, or one that is not usable here.
    """
    asked, device = device, resolve_device(device)
    check_engine(engine, asked, device)
    if engine == "auto":
        engine = "cpu" if device == "cpu" and numba_works() else "reference"
    if engine == "cpu":
        from inrcodec.kernels.cpu import CpuEngine

        return CpuEngine(problem, threads())
    import torch

    from inrcodec.kernels.reference import ReferenceEngine

    torch.set_num_threads(threads())
    return ReferenceEngine(problem, device)


def check_engine(engine: str, asked: str, device: str) -> None:
    """Checks an engine's name, and that it runs on the device.

    Args:
        engine: one of ENGINES.
        asked, device: the device as the user has it, and what `resolve_device` makes of it.

    Raises:
        BadOption: it is unknown, or does not run there.
    """
    if engine not in ENGINES:
        raise BadOption(f"engine is {engine!r}, expected one of {', '.join(ENGINES)}")
    if engine == "cpu" and asked != "auto" and device != "cpu":
        raise BadOption(f"engine cpu was asked for on device {asked}; leave one of them at auto")


def numba_works() -> bool:
    """Whether there is numba."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True
