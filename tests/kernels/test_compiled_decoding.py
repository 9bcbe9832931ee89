"""Compiled decoding gives the bits that numpy gives, and where it cannot run numpy takes over."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from inrcodec import codec
from inrcodec.bitstream.limits import Limits
from inrcodec.entropy import context, tables
from inrcodec.entropy.coder import Decoder, Encoder
from inrcodec.entropy.context import (
    MAX_LATENT,
    MAX_WEIGHT,
    Context,
    ContextModel,
    NumpyContextEngine,
)
from inrcodec.entropy.escapes import EscapeQueue
from inrcodec.entropy.latents import LatentCoder
from inrcodec.errors import CorruptFile
from inrcodec.fields import grid as grid_field
from inrcodec.fields.grid import (
    COARSE_CONTEXT,
    FEATURE_GAIN,
    GROUPS,
    SPATIAL_CONTEXT,
    GridConfig,
    GridField,
    level_shapes,
    parameter_layout,
)
from inrcodec.grid import Grid
from inrcodec.kernels import decoding
from inrcodec.kernels.compiled import context_loops
from inrcodec.kernels.compiled import render as compiled_render
from inrcodec.kernels.compiled.context import CompiledContextEngine
from inrcodec.kernels.render import Networks, render

ROOT = Path(__file__).parents[2]
# Of the `grid` field; tests/conformance compares the two arithmetics of networks.
GOOD = sorted(
    path.parent.name
    for path in (ROOT / "bitstreams" / "v1").glob("*/case.inr")
    if codec.InrFile.parse(path.read_bytes(), Limits()).header.field_id == 1
)
SHAPES = [
    [(1, 1)],
    [(1, 37), (1, 19), (1, 10)],
    [(37, 1), (19, 1), (10, 1), (5, 1)],
    [(9, 2), (5, 1)],
    [(2, 9), (1, 5)],
    [(13, 3), (7, 2), (4, 1), (2, 1), (1, 1)],
    [(21, 34), (11, 17), (6, 9)],
    [(530, 560), (265, 280)],  # diagonals longer than a run
]
CONFIGS = {
    "default": {},
    "no_taps": {"taps": 0, "levels": 4},
    "one_tap": {"taps": 1, "levels": 3, "first_level": 1},
    "coarse": {"first_level": 3, "levels": 9, "synthesis_features": 3},
}


def random_model(spatial: int, coarse: int, hidden: int, spread: float = 20) -> ContextModel:
    rng = np.random.default_rng(100 * spatial + 10 * coarse + hidden)
    n = spatial + coarse
    shapes = {
        "w1": (hidden, n),
        "b1": (hidden,),
        "w2": (hidden, hidden),
        "b2": (hidden,),
        "w3": (2, hidden),
        "skip": (2, n),
        "b3": (2,),
    }
    theta = {
        f"arm.{name}": np.clip(np.rint(rng.normal(size=shape) * spread), -4096, 4096)
        for name, shape in shapes.items()
    }
    layout = Context(SPATIAL_CONTEXT[:spatial], COARSE_CONTEXT[:coarse])
    return ContextModel(layout, theta, dict.fromkeys(theta, 6))


def random_levels(shapes: list[tuple[int, int]], spread: float) -> list[np.ndarray]:
    rng = np.random.default_rng(len(shapes))
    return [
        np.clip(np.rint(rng.laplace(size=s) * spread), -MAX_LATENT, MAX_LATENT).astype(np.int32)
        for s in shapes
    ]


def random_field(height: int, width: int, channels: int = 3, **config: int) -> GridField:
    shape, rng = GridConfig(**config), np.random.default_rng(1000 * height + width)
    theta = {
        name: np.rint(rng.normal(size=s) * 200 / np.sqrt(s[-1])).astype(np.int64)
        for name, (_, s) in parameter_layout(shape, channels).items()
    }
    latents = random_levels(level_shapes(shape, height, width), 2)
    return GridField(shape, (height, width, channels), dict.fromkeys(GROUPS, 8), theta, latents)


@pytest.mark.parametrize("shapes", SHAPES, ids=lambda s: "x".join(map(str, s[0])))
@pytest.mark.parametrize(("spatial", "coarse"), [(0, 0), (0, 9), (1, 1), (4, 3), (16, 5), (22, 9)])
def test_latents_are_coded_alike(shapes: list[tuple[int, int]], spatial: int, coarse: int) -> None:
    model = random_model(spatial, coarse, 5)
    reference, compiled = LatentCoder(model), LatentCoder(model, CompiledContextEngine)
    for spread in (0, 1.5, 9000) if shapes[0][0] < 100 else (1.5,):
        levels = random_levels(shapes, spread)
        plan = reference.plan(levels)
        for column, expected in zip(compiled.plan(levels), plan, strict=True):
            assert np.array_equal(column, expected)
        encoder = Encoder()
        reference.encode(encoder, plan)
        found = compiled.decode(Decoder(encoder.finish()), shapes, EscapeQueue(plan[3]))
        for grid, level in zip(found, levels, strict=True):
            assert grid.dtype == np.int32
            assert grid.flags.c_contiguous
            assert np.array_equal(grid, level)


@pytest.mark.parametrize("spatial", [(), ((-1, 2),), ((-1, 1),), ((0, -1), (-1, 4)), ((-2, 3),)])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 11])
def test_any_context_is_read_alike(spatial: tuple[tuple[int, int], ...], width: int) -> None:
    n = len(spatial) + 1
    shapes = dict(w1=(3, n), b1=(3,), w2=(3, 3), b2=(3,), w3=(2, 3), skip=(2, n), b3=(2,))
    rng = np.random.default_rng(width)
    theta = {f"arm.{name}": rng.integers(-99, 99, shape) for name, shape in shapes.items()}
    model = ContextModel(Context(spatial, ((1, -1),)), theta, dict.fromkeys(theta, 6))
    level, parent = random_levels([(40, width), (20, (width + 1) // 2)], 20)
    found = CompiledContextEngine(model).level_rows(level, parent)
    for column, expected in zip(
        found, NumpyContextEngine(model).level_rows(level, parent), strict=True
    ):
        assert np.array_equal(column, expected)


@pytest.mark.parametrize("hidden", [1, 3, 16, 64])
@pytest.mark.parametrize("signs", [(1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1)])
def test_sums_at_the_bounds_of_the_format_are_alike(hidden: int, signs: tuple) -> None:
    model = random_model(22, 9, hidden)
    for name, sign in zip(("w1", "w2", "w3"), signs, strict=True):
        model.fixed_point[name][:] = sign * MAX_WEIGHT
    for name in ("b1", "b2", "b3", "skip"):
        values = model.fixed_point[name]
        values[:] = np.where(values < 0, -MAX_WEIGHT, MAX_WEIGHT)
    level, parent = (np.where(grid < 0, -300, 300) for grid in random_levels([(9, 14), (5, 7)], 5))
    for limit in (1, MAX_LATENT):
        grids = np.clip(level, -limit, MAX_LATENT), np.clip(parent, -limit, MAX_LATENT)
        found = CompiledContextEngine(model).level_rows(*grids)
        for column, expected in zip(
            found, NumpyContextEngine(model).level_rows(*grids), strict=True
        ):
            assert np.array_equal(column, expected)


@pytest.mark.parametrize("engine", [NumpyContextEngine, CompiledContextEngine])
def test_a_latent_beyond_the_format_is_refused_alike(engine: type) -> None:
    coder = LatentCoder(random_model(2, 0, 3, spread=0), engine)
    plan = coder.plan([np.array([[5, -MAX_LATENT - 1]], np.int32)])
    encoder = Encoder()
    coder.encode(encoder, plan)
    stream = encoder.finish()
    with pytest.raises(CorruptFile, match="a latent decodes to 65537, above 65536"):
        coder.decode(Decoder(stream), [(1, 2)], EscapeQueue(plan[3]))
    with pytest.raises(CorruptFile, match="fewer escaped residuals"):
        coder.decode(Decoder(stream), [(1, 2)], EscapeQueue(plan[3][:0]))
    with pytest.raises(CorruptFile, match="more escaped residuals"):
        coder.decode(Decoder(stream), [(1, 2)], EscapeQueue(np.array([0, 1])))


def test_constants_named_twice_are_the_same() -> None:
    for name in ("PAD", "MAX_INPUT", "MAX_HIDDEN", "MAX_MEAN"):
        assert getattr(context_loops, name) == getattr(context, name)
    for name in ("FRACTIONS", "SCALES", "SCALE_BIAS", "REACH"):
        assert getattr(context_loops, name) == getattr(tables, name)


def both_renders(
    field: GridField, grid: Grid, dtype: type = np.float64, threads: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    networks = Networks(field.theta(), field.config.taps, FEATURE_GAIN)
    arguments = networks, field.latents, field.config.first_level, field.size, grid, dtype
    return render(*arguments), compiled_render.render(*arguments, threads=threads)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize(
    ("height", "width", "channels"),
    [(1, 1, 1), (1, 37, 3), (37, 1, 2), (45, 61, 3), (13, 17, 4), (60, 300, 1)],
)
def test_every_value_has_the_same_bits(name: str, height: int, width: int, channels: int) -> None:
    field = random_field(height, width, channels, **CONFIGS[name])
    grids = [Grid.of(height, width, scale=s) for s in (0.37, 1, 1.37, 2, 4)]
    grids.append(Grid.of(height, width, scale=3, region=(0.2, 0.3, width * 0.6, height * 0.5)))
    grids += [grids[1].part((0, 1), (0, 1)), grids[2].refined()]
    for grid in grids:
        expected, found = both_renders(field, grid)
        assert found.tobytes() == expected.tobytes()


def test_the_largest_numbers_of_the_format_have_the_same_bits() -> None:
    field = random_field(6, 7)
    for values in field.theta_hat.values():
        values[:] = np.where(values < 0, -1, 1) << 24
    field.steps = dict.fromkeys(GROUPS, 0)
    for level in field.latents:
        level[:] = np.where(level < 0, -65536, 65536)
    expected, found = both_renders(field, Grid.of(6, 7, scale=1.37))
    assert np.isfinite(found).all()
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("scale", [1, 1.37])
def test_threads_and_tiles_change_no_bit(scale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    field = random_field(101, 290)
    grid = Grid.of(101, 290, scale=scale)
    expected, _ = both_renders(field, grid)
    for threads, height, width in ((1, 1000, 1000), (2, 48, 256), (7, 9, 33)):
        monkeypatch.setattr(compiled_render, "TILE_HEIGHT", height)
        monkeypatch.setattr(compiled_render, "TILE_WIDTH", width)
        assert np.array_equal(both_renders(field, grid, threads=threads)[1], expected)


def test_a_fast_render_is_rounded_from_the_exact_one() -> None:
    field = random_field(30, 41)
    grid = Grid.of(30, 41, scale=1.37)
    _, exact = both_renders(field, grid)
    fast = both_renders(field, grid, np.float32)[1]
    assert fast.dtype == np.float32
    assert np.array_equal(fast, exact.astype(np.float32))


@pytest.mark.parametrize("name", GOOD)
def test_files_decode_to_their_samples_through_both(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ROOT / "bitstreams" / "v1" / name
    data = (folder / "case.inr").read_bytes()
    expected = json.loads((folder / "case.json").read_text())["samples_sha256"]
    engines = decoding.NUMPY, decoding.compiled()
    assert engines[1] is not None
    for engine in engines:
        monkeypatch.setattr(grid_field, "decode_engine", lambda *_, engine=engine: engine)
        codec.verify(data)
        for scale in expected:
            signal = codec.decode(data, scale=None if scale == "native" else float(scale))
            samples = signal.samples.astype(signal.samples.dtype.newbyteorder("<"))
            assert hashlib.sha256(samples.tobytes()).hexdigest() == expected[scale]
        packed = codec.InrFile.parse(data, Limits()).field(Limits()).pack()
        assert packed == codec.InrFile.parse(data, Limits()).payload


def in_process(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done


CHOICE = (
    "import sys\n"
    "from inrcodec.kernels import decoding\n"
    "large, small = decoding.decode_engine(1e12).name, decoding.decode_engine(0).name\n"
    "print(large, small)"
)


def test_large_pictures_are_compiled_and_small_ones_start_nothing() -> None:
    assert in_process(CHOICE).stdout == "compiled compiled\n"
    code = (
        "import sys\n"
        "from inrcodec.kernels import decoding\n"
        "engine = decoding.decode_engine(decoding.COMPILED_FROM_MACS * decoding.KEPT_SHARE - 1)\n"
        "print(engine.name, 'numba' in sys.modules, 'llvmlite' in sys.modules)"
    )
    assert in_process(code).stdout == "numpy False False\n"


def test_pictures_between_are_compiled_where_code_is_kept(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from inrcodec.kernels import decoding\n"
        "engine = decoding.decode_engine(decoding.COMPILED_FROM_MACS - 1)\n"
        "print(engine.name, 'numba' in sys.modules)"
    )
    assert in_process(code, XDG_CACHE_HOME=str(tmp_path)).stdout == "numpy False\n"
    assert in_process(CHOICE).stdout == "compiled compiled\n"  # which keeps it
    assert in_process(code).stdout == "compiled False\n"


@pytest.mark.parametrize(
    "trouble",
    [
        "sys.modules['numba'] = None",
        "sys.modules['llvmlite'] = None",
        "import os; os.environ['NUMBA_DISABLE_JIT'] = '1'",
        "import os; os.environ['XDG_CACHE_HOME'] = '/dev/null'",
        "import numba; numba.njit = None",
    ],
)
def test_numpy_decodes_where_compiled_code_cannot_be_made(trouble: str, tmp_path: Path) -> None:
    done = in_process(f"import sys; {trouble}\n{CHOICE}", XDG_CACHE_HOME=str(tmp_path))
    assert done.stdout == "numpy numpy\n"
    assert "Traceback" not in done.stderr


def test_numpy_decodes_where_compiled_code_gives_other_values(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def faulty(*arguments: object) -> np.ndarray:
        return np.nextafter(render(*arguments), 2)

    monkeypatch.setattr(compiled_render, "render", faulty)
    caplog.set_level(logging.WARNING, logger="inrcodec")  # a quiet encode before may have raised it
    assert decoding.compiled.__wrapped__() is None
    assert "other values" in caplog.text
