"""The choice of the code that decodes: numpy, the same compiled, or by torch on a GPU.

The one place that decides. All give the same bits. Compiled code is about three times as quick as
numpy, but to make it takes seconds, once on a machine, and to load it a tenth of one: by then a
small picture is done. A GPU takes seconds to start.
"""

from __future__ import annotations

import logging
import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from typing import TypeVar

import numpy as np

from inrcodec.entropy.context import (
    Context,
    ContextEngine,
    ContextModel,
    NumpyContextEngine,
    diagonals,
)
from inrcodec.entropy.escapes import EscapeQueue
from inrcodec.entropy.tables import SYMBOLS
from inrcodec.grid import Grid
from inrcodec.kernels import arithmetic
from inrcodec.kernels.arithmetic import Arithmetic
from inrcodec.kernels.cache import cache_folder, keeps
from inrcodec.kernels.first_run import make_ahead
from inrcodec.kernels.render import Networks, render
from inrcodec.runtime import device_name, may_have_gpu, resolve_device, threads

# Multiply-adds of networks from which on compiled code is worth making; the default field has so
# many on 0.44 megapixels.
COMPILED_FROM_MACS = 5e8
# The same for coordinate networks.
COMPILED_NETWORKS_FROM_MACS = 3e8
# The share of these from which on it is worth loading, once it was made. That takes 40 ms and
# saves 1 to 2 ns per multiply-add (tools/bench_engine --decode): even at 0.2 to 0.4e8.
KEPT_SHARE = 0.1
# Multiply-adds per thread from which on `auto` asks for a GPU: some five seconds of compiled code,
# about as long as torch and CUDA take to start; a tenth where torch is there already. Estimates,
# not measured on a GPU.
GPU_FROM_MACS, STARTED_GPU_FROM_MACS = 5e9, 5e8

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DecodeEngine:
    """The two loops of decoding.

    Args:
        name: "numpy", "compiled" or "torch".
        context: makes the engine of a context model.
        render: with the arguments of `kernels.render.render`.
    """

    name: str
    context: Callable[[ContextModel], ContextEngine]
    render: Callable[..., np.ndarray]


NUMPY = DecodeEngine("numpy", NumpyContextEngine, render)


def decode_engine(macs: float, device: str = "cpu") -> DecodeEngine:
    """The quicker engine for so many multiply-adds of the networks, of those that work here.

    Args:
        macs: multiply-adds.
        device: cpu, auto or cuda[:n]; entropy is decoded on the CPU in any case.

    Raises:
        BadOption: the device is not usable.
    """
    where = _device(device, _pays(macs))
    on_gpu = None if where == "cpu" else gpu(where)
    if on_gpu is not None:
        return on_gpu
    if _pays_compiling(macs / COMPILED_FROM_MACS, "context_loops"):
        return compiled() or NUMPY
    return NUMPY


def decode_arithmetic(macs: float, fast: bool = False, device: str = "cpu") -> Arithmetic:
    """What to evaluate a coordinate network in.

    Args:
        macs: multiply-adds of all samples together.
        fast: for a preview (promise D2); else the quicker exact arithmetic, of those that work
            here. On a GPU previews are exact too.
        device: cpu, auto or cuda[:n].

    Raises:
        BadOption: the device is not usable.
    """
    where = _device(device, _pays(macs))
    on_gpu = None if where == "cpu" else gpu_arithmetic(where)
    if on_gpu is not None:
        return on_gpu
    if fast:
        return arithmetic.FAST
    if _pays_compiling(macs / COMPILED_NETWORKS_FROM_MACS, "elementary_loops"):
        return compiled_arithmetic() or arithmetic.NUMPY
    return arithmetic.NUMPY


def _pays_compiling(work: float, loops: str) -> bool:
    """Whether compiled code is worth its start.

    Args:
        work: as a multiple of that from which on it is worth making.
        loops: the module of what is to be compiled.
    """
    if work >= 1 or "llvmlite.binding" in sys.modules:  # which is most of the start
        return True
    return work >= KEPT_SHARE and bool(find_spec("numba")) and keeps(f"{loops}.")


def _pays(macs: float) -> bool:
    """Whether a GPU is worth starting."""
    limit = STARTED_GPU_FROM_MACS if "torch" in sys.modules else GPU_FROM_MACS
    return macs >= limit * threads()


@cache
def _device(device: str, pays: bool) -> str:
    """The device that was asked for, or that `auto` means; it is told once."""
    if device == "cpu":
        return device
    found = resolve_device(device) if device != "auto" or (pays and may_have_gpu()) else "cpu"
    _log.info("decoding on %s", device_name(found))
    return found


@cache
def compiled() -> DecodeEngine | None:
    """The compiled engine, where it works; it is compiled now if it never was on this machine."""

    def load() -> DecodeEngine:
        from inrcodec.kernels.compiled import context
        from inrcodec.kernels.compiled import render as rendering

        make_ahead([*context.ENTRIES, *rendering.ENTRIES])
        return DecodeEngine("compiled", context.CompiledContextEngine, rendering.render)

    return _checked(load, _sample, NUMPY) if _numba_works() else None


@cache
def compiled_arithmetic() -> Arithmetic | None:
    """The compiled arithmetic of coordinate networks, on the same terms."""

    def load() -> Arithmetic:
        from inrcodec.kernels.compiled.elementary import COMPILED

        return COMPILED

    return _checked(load, _arithmetic_sample, arithmetic.NUMPY) if _numba_works() else None


@cache
def gpu(device: str) -> DecodeEngine | None:
    """The engine of a GPU, where it gives numpy's bits; entropy is decoded on the CPU."""

    def load() -> DecodeEngine:
        from inrcodec.kernels.gpu.render import render as gpu_render

        return DecodeEngine("torch", NumpyContextEngine, partial(gpu_render, device))

    return _checked(load, _sample, NUMPY, device)


@cache
def gpu_arithmetic(device: str) -> Arithmetic | None:
    """The arithmetic of a GPU, on the same terms."""

    def load(fused: bool | None = None) -> Arithmetic:
        from inrcodec.kernels.gpu.exact import ExactArithmetic

        return ExactArithmetic(device, fused)

    fused = _checked(load, _arithmetic_sample, arithmetic.NUMPY, device, "a kernel per operation")
    if fused is not None:
        return fused
    return _checked(partial(load, False), _arithmetic_sample, arithmetic.NUMPY, device)


def _numba_works() -> bool:
    """Whether there is numba, compiling is not switched off, and compiled code can be kept.

    Else every process would take seconds to make it again. Does not start numba.
    """
    switched_off = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
    return not switched_off and bool(find_spec("numba")) and cache_folder() is not None


def _checked(
    load: Callable[[], T],
    sample: Callable[[T], bytes],
    reference: T,
    device: str = "",
    instead: str = "the CPU",
) -> T | None:
    """What `load` gives, if its sample is that of the numpy reference, else None.

    Args:
        load: makes compiled code, or that of a device.
        sample: what it makes of a few numbers.
        reference: numpy's.
        device: other than the CPU, for messages.
        instead: what comes next where that of a device does not do.
    """
    who, instead = (device, instead) if device else ("compiled code", "numpy")
    try:
        found = load()
        if sample(found) == sample(reference):
            return found
        _log.warning("%s decodes other values than numpy here; decoding with %s", who, instead)
    except Exception as error:  # numba's own, LLVM's, CUDA's, or of libraries that do not fit
        said = str(error).strip() or error
        _log.warning("%s fails here (%s); decoding with %s", device or "numba", said, instead)
    return None


def _arithmetic_sample(a: Arithmetic) -> bytes:
    """What an arithmetic makes of a few numbers; calls every compiled function."""
    x = (np.arange(300.0) * 37 % 101 - 50) / 7
    x = a.constant(np.concatenate([x, x * 1e4, x * 1e-9, x * 1e11]).reshape(6, 200))
    values = [a.sin(x), a.cos(x), a.exp(x), a.log(x), a.arctan(x), a.sqrt(a.abs(x))]
    values += [a.affine(x[:rows, :6], x[0, :rows], x) for rows in (3, 5)]
    return b"".join(a.array(value).tobytes() for value in values)


def _sample(engine: DecodeEngine) -> bytes:
    """What an engine makes of a few numbers; calls every compiled function of the decoder."""

    def numbers(*shape: int) -> np.ndarray:
        return (np.arange(math.prod(shape)) * 37 % 41 - 20).reshape(shape)

    def parameters(network: str, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
        return {f"{network}.{name}": numbers(*shape) for name, shape in shapes.items()}

    theta = parameters(
        "arm", w1=(2, 3), b1=(2,), w2=(2, 2), b2=(2,), w3=(2, 2), skip=(2, 3), b3=(2,)
    )
    context = Context(((0, -1), (-1, 1)), ((0, 0),))
    shape, level = (4, 5), numbers(4, 5)
    wavefront = engine.context(ContextModel(context, theta, dict.fromkeys(theta, 4))).wavefront(
        shape, numbers(2, 3)
    )
    queue = EscapeQueue(numbers(20) + 20)
    found = []
    for diagonal in diagonals(shape, context.slope):
        rows = wavefront.rows(diagonal)
        found.append(rows.tobytes())
        wavefront.store(diagonal, (rows * 29 % SYMBOLS).astype(np.int32), queue)
    theta = parameters(
        "syn", w1=(2, 2), b1=(2,), w2=(1, 2), b2=(1,), taps0=(1, 1, 3, 3), tapbias0=(1,)
    )
    networks = Networks({name: values / 7 for name, values in theta.items()}, 1, 0.25)
    levels = [level, numbers(2, 3)]
    values = engine.render(networks, levels, 0, (*shape, 1), Grid.of(*shape, scale=1.5))
    return b"".join([*found, wavefront.grid.tobytes(), values.tobytes()])
