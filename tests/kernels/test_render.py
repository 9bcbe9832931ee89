"""The exact renderer: one continuous function, the same bits however it is cut or computed."""

import hashlib
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from inrcodec.fields import grid as grid_field
from inrcodec.fields.grid import (
    FEATURE_GAIN,
    GROUPS,
    GridConfig,
    GridField,
    level_shapes,
    parameter_layout,
)
from inrcodec.grid import Grid
from inrcodec.kernels import decoding
from inrcodec.kernels import render as render_module
from inrcodec.kernels.kernel import axis_taps, bspline_weights, keys6_weights, phase_weights
from inrcodec.kernels.render import TILE, tiles

SCALES = [1, 2, 0.5, 1.37, 4]
CONFIGS = {
    "default": {},
    "no_taps": {"taps": 0, "levels": 4},
    "one_tap": {"taps": 1, "levels": 3, "first_level": 1},
    "coarse": {"first_level": 3, "levels": 9, "synthesis_features": 3},
}


@pytest.fixture(params=["numpy", "compiled"], autouse=True)
def _engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every promise is kept by both."""
    engine = decoding.NUMPY if request.param == "numpy" else decoding.compiled()
    if engine is None:
        pytest.skip("no compiled code here")
    monkeypatch.setattr(grid_field, "decode_engine", lambda *_: engine)


def random_field(height: int, width: int, channels: int = 3, **config: int) -> GridField:
    """A field of random integers whose values vary around 1/2."""
    shape, rng = GridConfig(**config), np.random.default_rng(1000 * height + width)
    theta = {
        name: np.rint(rng.normal(size=s) * 200 / np.sqrt(s[-1])).astype(np.int64)
        for name, (_, s) in parameter_layout(shape, channels).items()
    }
    theta["syn.b2"] += 128
    latents = [
        np.rint(rng.laplace(size=s) * 2).astype(np.int32)
        for s in level_shapes(shape, height, width)
    ]
    return GridField(shape, (height, width, channels), dict.fromkeys(GROUPS, 8), theta, latents)


def ramp_field(height: int, width: int, level: int) -> GridField:
    """value = x position in native pixels / 256, by one grid whose samples are on that line."""
    h, w = level_shapes(GridConfig(level, 1, 0, 0, 1, 1, 0), height, width)[0]
    # Twice the position, so that it is an integer: 2 x (i + 1/2) x spacing.
    return plain_field(
        np.broadcast_to((2 * np.arange(w) + 1) << level, (h, w)), height, width, level
    )


def plain_field(grid: np.ndarray, height: int, width: int, level: int = 0) -> GridField:
    """value = latent / 512, interpolated.

    A hidden unit that stays positive passes the latents on, with a bias that keeps it so.
    """
    config = GridConfig(level, 1, 0, 0, 1, 1, 0)
    theta = {name: np.zeros(s, np.int64) for name, (_, s) in parameter_layout(config, 1).items()}
    steps = dict.fromkeys(GROUPS, 10)
    theta["syn.w1"][:] = 1024 // 512 / FEATURE_GAIN
    theta["syn.b1"][:] = 1024
    theta["syn.w2"][:] = 1024
    theta["syn.b2"][:] = -1024
    return GridField(config, (height, width, 1), steps, theta, [grid.astype(np.int32)])


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", CONFIGS)
def test_any_part_equals_that_part_of_the_whole_bit_for_bit(name: str, scale: float) -> None:
    field = random_field(45, 61, **CONFIGS[name])
    grid = Grid.of(45, 61, scale=scale)
    whole = field.render(grid)
    rng = np.random.default_rng(5)
    for _ in range(6):
        rows = tuple(sorted(rng.choice(grid.shape[0] + 1, 2, replace=False).tolist()))
        columns = tuple(sorted(rng.choice(grid.shape[1] + 1, 2, replace=False).tolist()))
        part = field.render(grid.part(rows, columns))
        assert np.array_equal(part, whole[slice(*rows), slice(*columns)])


@pytest.mark.parametrize("tile", [1, 7, 100, 5000])
def test_the_size_of_tiles_changes_no_bit(tile: int, monkeypatch: pytest.MonkeyPatch) -> None:
    field = random_field(11, 13, levels=4)
    for scale in (1, 1.37):
        grid = Grid.of(11, 13, scale=scale)
        whole = field.render(grid)
        monkeypatch.setattr(render_module, "TILE", tile)
        assert np.array_equal(field.render(grid), whole)
        monkeypatch.undo()


def test_tiles_cover_every_sample_once() -> None:
    for height, width in ((1, 1), (1, 3 * TILE), (3 * TILE, 1), (130, 2100)):
        seen = np.zeros((height, width), np.uint8)
        for rows, columns in tiles(Grid.of(height, width)):
            seen[slice(*rows), slice(*columns)] += 1
            assert (rows[1] - rows[0]) * (columns[1] - columns[0]) <= TILE
        assert (seen == 1).all()


@pytest.mark.parametrize("scale", [1, 2, 4, 0.5])
def test_a_region_equals_the_slice_of_the_whole_at_whole_scales(scale: float) -> None:
    field = random_field(40, 56)
    whole = field.render(Grid.of(40, 56, scale=scale))
    x, y, w, h = 6, 10, 20, 14
    region = field.render(Grid.of(40, 56, scale=scale, region=(x, y, w, h)))
    top, left = int(y * scale), int(x * scale)
    assert np.array_equal(region, whole[top : top + int(h * scale), left : left + int(w * scale)])


def test_threads_change_no_bit() -> None:
    """D1, in processes with other settings of every variable that libraries look at."""
    script = (
        "import sys, hashlib; sys.path[:0] = sys.argv[1:2]\n"
        "from pathlib import Path\n"
        "from inrcodec import codec\n"
        "for name in ('odd_size', 'wide_networks'):\n"
        "    data = Path(sys.argv[1], 'bitstreams/v1', name, 'case.inr').read_bytes()\n"
        "    field = codec.InrFile.parse(data, codec.Limits()).field(codec.Limits())\n"
        "    values = field.render(codec.Grid.of(*field.size[:2], scale=1.37))\n"
        "    print(hashlib.sha256(values.tobytes()).hexdigest())\n"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    outputs = set()
    for threads, seed in ((1, "0"), (2, "1"), (7, "random")):
        names = ("OMP", "OPENBLAS", "MKL", "NUMBA")
        environment = os.environ | {f"{n}_NUM_THREADS": str(threads) for n in names}
        environment["PYTHONHASHSEED"] = seed
        done = subprocess.run(
            [sys.executable, "-c", script, root],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert len(outputs.pop().split()) == 2


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("scale", [*SCALES, 0.9, 3.33, 16])
def test_a_ramp_is_the_same_ramp_at_every_size(level: int, scale: float) -> None:
    """Centre alignment: a shift of a thousandth of a pixel would show."""
    height, width = 12, 160
    grid = Grid.of(height, width, scale=scale)
    values = ramp_field(height, width, level).render(grid)[:, :, 0]
    positions = (np.arange(grid.shape[1]) + 0.5) * width / grid.shape[1]
    # Away from the borders, where the grid ends and positions are clamped.
    inner = (positions > 3 << level) & (positions < width - (3 << level))
    assert inner.sum() > 10
    assert np.abs(values - positions / 256)[:, inner].max() < 1e-12


def test_values_beyond_the_outermost_centres_are_those_at_the_centres() -> None:
    field = random_field(9, 10, levels=3)
    native = field.render(Grid.of(9, 10))
    fine = field.render(Grid.of(9, 10, scale=8))
    # The corner samples of the fine grid lie outside of the square of native centres.
    assert np.array_equal(fine[:4, :4], np.broadcast_to(native[0, 0], (4, 4, 3)))
    assert np.array_equal(fine[-4:, -4:], np.broadcast_to(native[-1, -1], (4, 4, 3)))


def test_odd_scales_hit_the_native_samples() -> None:
    """At 3x the middle of every 3x3 block lies on a native centre: the same bits."""
    for config in CONFIGS.values():
        field = random_field(14, 17, **config)
        native = field.render(Grid.of(14, 17))
        assert np.array_equal(field.render(Grid.of(14, 17, scale=3))[1::3, 1::3], native)


def test_the_field_is_continuous() -> None:
    """Between samples 1/64 pixel apart nothing jumps, whatever tiles and grids do there."""
    field = random_field(20, 24)
    fine = field.render(Grid.of(20, 24, scale=64, region=(2, 2, 8, 8)))
    native = field.render(Grid.of(20, 24))
    step = max(np.abs(np.diff(fine, axis=axis)).max() for axis in (0, 1))
    assert step < 0.1 * (native.max() - native.min())


@pytest.mark.parametrize("scale", [1.37, 2, 4])
@pytest.mark.parametrize("shape", ["step", "line", "soft step", "corner"])
def test_between_pixels_nothing_rings_beside_an_edge(shape: str, scale: float) -> None:
    """Not by one bit of the 64-bit value, where a bicubic upscale overshoots by 7% of a step."""
    height, width = 24, 40
    y, x = np.arange(height)[:, None], np.arange(width)
    picture = {
        "step": x >= 20,
        "line": x == 20,
        "soft step": np.clip((x - 19) / 3, 0, 1),
        "corner": (x >= 20) & (y >= 12),
    }[shape]
    edge = np.broadcast_to(np.rint(64 + 240 * picture).astype(int), (height, width))
    field = plain_field(edge, height, width)
    native, fine = (field.render(Grid.of(height, width, scale=s))[:, :, 0] for s in (1, scale))
    low, high = native.min(), native.max()
    assert (low, high) == (64 / 512, 304 / 512)
    assert fine.min() >= low and fine.max() <= high
    bicubic = Image.fromarray(native.astype(np.float32)).resize(
        fine.shape[::-1], Image.Resampling.BICUBIC
    )
    assert max(np.max(bicubic) - high, low - np.min(bicubic)) > 0.01


def test_between_pixels_a_crest_is_not_cut_off() -> None:
    """A wave of six pixels whose crests lie between samples keeps most of its height."""
    height, width = 8, 60
    wave = np.rint(1000 * np.cos((np.arange(width) + 0.5) * 2 * np.pi / 6)).astype(int)
    field = plain_field(np.broadcast_to(256 + wave, (height, width)), height, width)
    fine = field.render(Grid.of(height, width, scale=8))[:, :, 0] * 512 - 256
    assert wave.max() == 866
    assert 980 < fine[:, 32:-32].max() <= 1030


@pytest.mark.parametrize("weights", [bspline_weights, keys6_weights])
def test_kernels_are_a_partition_of_unity(weights: object) -> None:
    f = np.concatenate([np.linspace(0, 1, 1001)[:-1], [np.nextafter(1, 0)]])
    assert np.abs(sum(weights(f)) - 1).max() < 1e-14


def test_the_kernel_of_level_0_is_the_identity_at_native_positions() -> None:
    taps = axis_taps(0, np.arange(20) + 0.5, 20)
    for k, (index, weight) in enumerate(zip(taps.indices, taps.weights, strict=True)):
        assert (weight == (1.0 if k == 2 else 0.0)).all()
        assert k != 2 or (index == np.arange(20)).all()


@pytest.mark.parametrize("level", [0, 1, 2, 5])
def test_kernels_reproduce_a_line(level: int) -> None:
    positions = np.linspace(4 << level, 12 << level, 333)
    centres = (np.arange(16) + 0.5) * 2**level
    line = axis_taps(level, positions, 16).interpolate(lambda i: centres[None, i], axis=1)[0]
    assert np.abs(line - positions).max() < 1e-12 * 2**level


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_the_weights_of_fitting_are_those_of_rendering(level: int) -> None:
    spacing, length = 1 << level, 11
    table = phase_weights(level)
    taps = axis_taps(level, np.arange(length * spacing) + 0.5, length)
    expected, found = np.zeros((2, length * spacing, length))
    for row in range(length * spacing):
        for i, w in zip(taps.indices, taps.weights, strict=True):
            expected[row, i[row]] += w[row]
        for k in range(5):
            column = min(max(row // spacing + k - 2, 0), length - 1)
            found[row, column] += table[row % spacing, k]
    assert np.abs(expected - found).max() < 1e-15


@pytest.mark.parametrize("name", CONFIGS)
def test_native_values_are_those_that_fitting_sees(name: str) -> None:
    torch = pytest.importorskip("torch")
    from inrcodec.kernels import GridProblem
    from inrcodec.kernels.reference import ReferenceEngine

    field = random_field(37, 29, **CONFIGS[name])
    problem = GridProblem(
        np.zeros((3, 37, 29), np.float32),
        field.config.first_level,
        tuple(grid.shape for grid in field.latents),
        field.config.context.spatial,
        field.config.context.coarse,
        {n: values.shape for n, values in field.theta_hat.items()},
        field.config.taps,
        FEATURE_GAIN,
    )
    engine = ReferenceEngine(problem)
    levels = [torch.tensor(grid, dtype=torch.float32) for grid in field.latents]
    theta = {n: torch.tensor(v, dtype=torch.float32) for n, v in field.theta().items()}
    picture = engine._synthesis(levels, theta).numpy().transpose(1, 2, 0)
    values = field.render(Grid.of(37, 29))
    assert values.std() > 0.01
    assert np.abs(values - picture).max() < 1e-5


def test_the_fast_renderer_is_within_one_level_of_8_bits() -> None:
    for config in CONFIGS.values():
        field = random_field(30, 41, **config)
        for scale in (1, 1.37):
            grid = Grid.of(30, 41, scale=scale)
            fast, exact = field.render(grid, fast=True), field.render(grid)
            assert fast.dtype == np.float32
            assert np.abs(fast - exact).max() < 1 / 255


@pytest.mark.parametrize(
    ("size", "out"),
    [
        ((700, 900), (700, 900)),
        ((700, 900), (70, 90)),
        ((60, 60), (1500, 60)),
        ((3000, 8), (3000, 8)),
    ],
)
def test_memory_of_a_render_is_bounded_beside_its_output(
    size: tuple[int, int], out: tuple[int, int]
) -> None:
    """A tile sets the memory, not the picture."""
    field = random_field(*size, levels=3, synthesis_features=4)
    grid = Grid.of(*size, size=out)
    tracemalloc.start()
    try:
        values = field.render(grid)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - values.nbytes < 60e6


def test_the_largest_numbers_of_the_format_stay_finite() -> None:
    field = random_field(6, 7)
    for values in field.theta_hat.values():
        values[:] = np.where(values < 0, -1, 1) << 24
    field.steps = dict.fromkeys(GROUPS, 0)
    for grid in field.latents:
        grid[:] = np.where(grid < 0, -65536, 65536)
    assert np.isfinite(field.render(Grid.of(6, 7, scale=1.37))).all()


def test_values_are_those_of_the_first_release() -> None:
    """A golden value from before any rounding to samples."""
    field = ramp_field(5, 40, 1)
    values = field.render(Grid.of(5, 40, size=(7, 31)))
    found = hashlib.sha256(values.astype("<f8").tobytes()).hexdigest()
    assert found == "bd3cdde7b5c0e30a94de46d09ace379c676302b051e19e674d9651e48e2085aa"
