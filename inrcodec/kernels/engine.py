"""The choice of the engine that fits."""

from __future__ import annotations

import logging

from inrcodec.errors import BadOption
from inrcodec.kernels import Engine, GridProblem
from inrcodec.runtime import device_name, resolve_device, threads

# Of coordinate networks only: products of wide layers in fewer bits, or compiled by torch.
NETWORK_ENGINES = ("gpu-tf32", "gpu-bf16", "gpu-compiled")
ENGINES = ("auto", "reference", "cpu", "gpu", *NETWORK_ENGINES)

_log = logging.getLogger(__name__)


def make_engine(problem: GridProblem, device: str = "auto", engine: str = "auto") -> Engine:
    """The fastest engine that works here, or the one asked for by name.

    Raises:
        BadOption: an unknown engine or device, or one that is not usable here.
    """
    asked, device = device, resolve_device(device)
    check_engine(engine, asked, device)
    made = _make(problem, device, engine)
    _log.info("engine %s on %s", made.name, device_name("cpu" if engine == "cpu" else device))
    return made


def _make(problem: GridProblem, device: str, engine: str) -> Engine:
    if engine in NETWORK_ENGINES:
        raise BadOption(f"engine {engine} fits coordinate networks; the field grid takes gpu")
    if engine == "auto" and device == "cpu":
        engine = "cpu" if numba_works() else "reference"
    if engine == "cpu":
        from inrcodec.kernels.cpu import CpuEngine, prepare

        prepare(problem)
        return CpuEngine(problem, threads())
    if engine in ("auto", "gpu"):
        from inrcodec.kernels.gpu.usable import unusable

        reason = unusable(device)
        if reason is None:
            from inrcodec.kernels.gpu.engine import GpuEngine

            return GpuEngine(problem, device)
        if engine == "gpu":
            raise BadOption(f"engine gpu was asked for, but {reason}")
        _log.warning("engine reference does the work of engine gpu, slowly: %s", reason)
    import torch

    torch.set_num_threads(threads())
    if device != "cpu" and torch.version.cuda is not None:
        from inrcodec.kernels.gpu.graphed import GraphedReferenceEngine

        return GraphedReferenceEngine(problem, device)
    from inrcodec.kernels.reference import ReferenceEngine

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
    """Whether there is numba, and compiling is not switched off."""
    try:
        from numba import config
    except ImportError:
        return False
    return not config.DISABLE_JIT
