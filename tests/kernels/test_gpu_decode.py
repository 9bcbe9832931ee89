"""A GPU renders the bits that numpy renders; where it cannot, the CPU takes over.

Where there is no GPU torch computes the same operations on the CPU: that shows the formulas, and
which operations they ask for. What CUDA makes of these only a machine that has it can show.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import torch
from conformance_corpus import load, names
from torch.utils._python_dispatch import TorchDispatchMode

from inrcodec import codec
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadOption, OutOfDeviceMemory
from inrcodec.fields import grid as grid_field
from inrcodec.fields import network as network_field
from inrcodec.grid import Grid
from inrcodec.kernels import arithmetic, decoding
from inrcodec.kernels.gpu import exact, memory, usable
from inrcodec.kernels.gpu import render as gpu_render
from inrcodec.sampling import Renderer

DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
        ],
    ),
]
# One operation of IEEE 754 each, or none: moves, comparisons, integers. `add` and `sub` multiply by
# alpha, which is 1. A division is one only of two tensors.
ALLOWED = {
    "__lshift__", "__rshift__", "_to_copy", "abs", "add", "add_", "bitwise_and", "bitwise_xor",
    "cat", "clamp_", "clone", "detach", "div", "empty_like", "eq", "floor", "full", "gt",
    "index_select", "lift_fresh", "lt", "maximum", "minimum", "mul", "ne", "neg", "permute",
    "remainder", "repeat", "rsub", "scalar_tensor", "select", "slice", "sqrt", "sub", "unbind",
    "unsqueeze", "view", "where", "zeros_like",
}  # fmt: skip


@pytest.fixture
def _no_engine_kept() -> Iterator[None]:
    kept = decoding.gpu, decoding.gpu_arithmetic, decoding._device
    for chosen in kept:
        chosen.cache_clear()
    yield
    for chosen in kept:
        chosen.cache_clear()


def take(monkeypatch: pytest.MonkeyPatch, device: str | None) -> None:
    """Lets fields render with numpy, or by torch on a device."""
    engine, a = decoding.NUMPY, arithmetic.NUMPY
    if device is not None:
        engine, a = decoding.gpu(device), decoding.gpu_arithmetic(device)
    assert engine is not None
    assert a is not None
    monkeypatch.setattr(grid_field, "decode_engine", lambda *_: engine)
    monkeypatch.setattr(network_field, "decode_arithmetic", lambda *_: a)


def opened(name: str) -> tuple[Renderer, list[Grid]]:
    """(what renders a conformance file, native grids and those of another size and pace)."""
    file = codec.InrFile.parse(load(name)[0], Limits())
    kind = file.header.kind_name
    other = {"image": {"scale": 1.37}, "audio": {"rate_hz": 1234}, "video": {"scale": 1.37}}[kind]
    plans = file.plan(Limits()), file.plan(Limits(), **other)
    return file.source(Limits()), [grid for plan in plans for grid in plan.grids()]


def test_every_conformance_file_has_numpy_s_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in names():
        assert_same(name, "cpu", monkeypatch)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", names())
def test_a_conformance_file_has_numpy_s_bits_on_cuda(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_same(name, "cuda", monkeypatch)


def assert_same(name: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source, grids = opened(name)
    for grid in grids:
        take(monkeypatch, None)
        expected = source.render(grid)
        take(monkeypatch, device)
        found = source.render(grid)
        assert found.dtype == np.float64
        assert np.array_equal(found, expected, equal_nan=True), (name, grid)


class Recorded(TorchDispatchMode):
    """Names of the operations that torch is asked for, and how it divides."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.inexact: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # noqa: ANN001, ANN204
        name = func.overloadpacket.__name__
        self.names.add(name)
        divided = name == "div" and not all(isinstance(x, torch.Tensor) for x in args)
        if divided or kwargs and kwargs.get("alpha", 1) != 1:
            self.inexact.append(f"{func}: {args[1:]} {kwargs}")
        return func(*args, **(kwargs or {}))


def test_no_operation_rounds_otherwise_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """There a division by a number is a product, and a matrix product has any order."""
    take(monkeypatch, "cpu")
    with Recorded() as asked:
        for name in names():
            source, grids = opened(name)
            source.render(grids[-1])
    assert asked.names - ALLOWED == set()
    assert {"add_", "mul", "where", "div"} <= asked.names
    assert asked.inexact == []


@pytest.mark.parametrize("device", DEVICES)
def test_a_fast_decode_of_a_grid_is_float32_within_a_level(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, (native, *_) = opened("fitted_rgb")
    take(monkeypatch, device)
    fast = source.render(native, fast=True)
    assert fast.dtype == np.float32
    assert np.abs(fast - source.render(native)).max() < 1 / 255


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 65), (33, 40, 129), (64, 5, 64)])
def test_the_fused_affine_layer_rounds_every_product_and_every_sum(
    device: str, shape: tuple[int, int, int]
) -> None:
    pytest.importorskip("triton", reason="there is no triton; `pip install triton` to test this")
    if device == "cpu" and not usable.interpreted():
        pytest.skip("there is a GPU, so Triton compiles its kernels")
    outputs, inputs, samples = shape
    rng = np.random.default_rng(0)
    weight, bias, h = (
        rng.normal(size=s) * 10.0 ** rng.integers(-8, 9, s)
        for s in ((outputs, inputs), (outputs,), (inputs, samples))
    )
    if inputs > 3:  # what a hostile file may ask for
        weight[0, 0], h[1, 0], h[2, 1] = 1e300, 1e300, -1e308
        weight[0, 1] = -1e300
    with np.errstate(over="ignore", invalid="ignore"):
        expected = arithmetic.NUMPY.affine(weight, bias, h)
        a = exact.ExactArithmetic(device, fused=True)
        found = a.array(a.affine(*map(a.constant, (weight, bias, h))))
    assert np.array_equal(found, expected)


def test_where_memory_is_short_parts_are_halved_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, (native, *_) = opened("fitted_rgb")
    take(monkeypatch, "cpu")
    whole = source.render(native)
    values, rows = gpu_render._Tile.values, []

    def short(self: gpu_render._Tile, grid: Grid) -> torch.Tensor:
        rows.append(grid.shape[0])
        if grid.shape[0] > 5:
            raise torch.cuda.OutOfMemoryError("out of memory")
        return values(self, grid)

    monkeypatch.setattr(gpu_render._Tile, "values", short)
    assert np.array_equal(source.render(native), whole)
    assert max(rows) == native.shape[0]
    assert sum(n for n in rows if n <= 5) == native.shape[0]


def test_networks_are_computed_in_smaller_tiles_where_memory_is_short() -> None:
    a = exact.ExactArithmetic("cpu")
    sizes = []

    def function(coords: torch.Tensor) -> torch.Tensor:
        sizes.append(coords.shape[1])
        if coords.shape[1] > 40:
            raise torch.cuda.OutOfMemoryError("out of memory")
        return coords * 2.0

    coords = np.random.default_rng(0).normal(size=(2, 100))
    assert np.array_equal(a.evaluate(function, coords, 2, 4), 2 * coords)
    assert sizes == [100, 50, 25, 25, 25, 25]


def test_what_does_not_fit_at_all_says_what_to_do() -> None:
    def never(begin: int, end: int) -> None:
        raise torch.cuda.OutOfMemoryError("out of memory")

    with pytest.raises(OutOfDeviceMemory, match="too short for one of the rows; use device cpu"):
        memory.in_parts(9, 4, never, torch.device("cpu"), "rows")


@pytest.mark.usefixtures("_no_engine_kept")
def test_a_device_that_computes_other_bits_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gpu_render, "_limited", lambda values, *_: values)
    monkeypatch.setattr(exact.ExactArithmetic, "sqrt", lambda self, x: x**0.5 * (1 + 2**-52))
    with caplog.at_level(logging.WARNING, "inrcodec"):
        assert decoding.gpu("cpu") is None
        assert decoding.gpu_arithmetic("cpu") is None
    said = [record.getMessage() for record in caplog.records]
    other = "cpu decodes other values than numpy here; decoding with "
    assert said == [other + "the CPU", other + "a kernel per operation", other + "the CPU"]


@pytest.mark.usefixtures("_no_engine_kept")
def test_auto_asks_for_a_gpu_only_where_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The GPU is torch on the CPU under another name."""
    monkeypatch.setattr(decoding, "resolve_device", lambda device: "cuda")
    monkeypatch.setattr(decoding, "device_name", str)
    monkeypatch.setattr(decoding, "gpu", lambda device: device)
    monkeypatch.setattr(decoding, "gpu_arithmetic", partial(str.upper))
    monkeypatch.setattr(decoding, "threads", lambda: 2)
    monkeypatch.setattr(decoding, "may_have_gpu", lambda: True)
    enough = 2 * decoding.STARTED_GPU_FROM_MACS
    assert decoding.decode_engine(enough, "auto") == "cuda"
    assert decoding.decode_arithmetic(enough, False, "auto") == "CUDA"
    assert decoding.decode_engine(0, "cuda") == "cuda"
    assert decoding.decode_engine(enough).name in ("numpy", "compiled")
    assert decoding.decode_engine(enough - 1, "auto").name in ("numpy", "compiled")
    decoding._device.cache_clear()
    monkeypatch.setattr(decoding, "may_have_gpu", lambda: False)
    assert decoding.decode_engine(enough, "auto").name in ("numpy", "compiled")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_refused_before_any_work() -> None:
    with pytest.raises(BadOption, match="device cuda was asked for, but"):
        codec.decode(load("grey")[0], device="cuda")


def test_the_device_reaches_every_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a video in segments, each of which is a field of its own."""
    seen = []

    def chosen(work: float, fast: bool, device: str) -> arithmetic.Arithmetic:
        seen.append(device)
        return arithmetic.NUMPY

    monkeypatch.setattr(network_field, "decode_arithmetic", chosen)
    codec.decode(load("video_segments")[0], device="auto")
    assert len(seen) > 1
    assert set(seen) == {"auto"}
