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
    if engine not in ENGINES:
        raise BadOption(f"engine is {engine!r}, expected one of {', '.join(ENGINES)}")
    asked, device = device, resolve_device(device)
    if engine == "cpu" and asked != "auto" and device != "cpu":
        raise BadOption(f"engine cpu was asked for on device {asked}; leave one of them at auto")
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
