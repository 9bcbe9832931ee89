"""Encodings against literal references: what coordinates become before the first layer."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from inrcodec import registry
from inrcodec.encodings import Encoding
from inrcodec.encodings.fourier import Fourier, WideFourier, normals
from inrcodec.encodings.hash import PRIMES, Hash
from inrcodec.encodings.identity import Identity
from inrcodec.encodings.lattice import Lattice
from inrcodec.encodings.positional import Positional
from inrcodec.kernels.arithmetic import FAST, NUMPY
from inrcodec.kernels.reference_network import TORCH

ENCODINGS = [
    Identity(),
    Positional(5),
    Fourier(9, 24, 3),
    WideFourier(9, 2, 3),
    Lattice(20, 7),
    Hash(4, 2, 7, 4, 112),
    Hash(3, 1, 4, 5, 150),
]


def coordinates(count: int, features: int) -> np.ndarray:
    found = np.random.default_rng(count).uniform(-1, 1, (features, count))
    found[:, :2] = [[-1.0, 1.0]] * features
    return found


def parameters(encoding: Encoding, features: int) -> dict[str, np.ndarray]:
    """Multiples of 1/16; frequencies of a lattice are whole."""
    rng = np.random.default_rng(5)
    return {
        name: rng.integers(-30, 31, shape) / (1 if name == "lattice" else 16)
        for name, (_, shape) in encoding.layout(features).items()
    }


@pytest.mark.parametrize("features", [1, 2, 3])
@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_shapes_are_as_announced(encoding: Encoding, features: int) -> None:
    theta, coords = parameters(encoding, features), coordinates(30, features)
    found = encoding(NUMPY, theta, coords)
    assert found.shape == (encoding.features(features), 30)
    assert encoding.macs(features) >= 0
    begun = encoding.initial(np.random.default_rng(0), features)
    layout = encoding.layout(features)
    assert {name: array.shape for name, array in begun.items()} == {
        name: shape for name, (_, shape) in layout.items()
    }
    assert encoding.frozen() <= layout.keys()


@pytest.mark.parametrize("features", [1, 2, 3])
@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_fits_previews_and_compiled_code_see_the_same(encoding: Encoding, features: int) -> None:
    theta, coords = parameters(encoding, features), coordinates(200, features)
    expected = encoding(NUMPY, theta, coords)
    in_torch = {name: torch.tensor(values) for name, values in theta.items()}
    fitted = encoding(TORCH, in_torch, torch.tensor(coords)).numpy()
    assert np.allclose(fitted, expected, rtol=1e-12, atol=1e-11)
    assert np.allclose(encoding(FAST, theta, coords), expected, rtol=1e-5, atol=2e-5)
    pytest.importorskip("numba")
    from inrcodec.kernels.compiled.elementary import COMPILED

    assert encoding(COMPILED, theta, coords).tobytes() == expected.tobytes()


def test_positional_bands_are_octaves_of_pi() -> None:
    x, y = 0.3, -0.7
    found = Positional(3)(NUMPY, {}, np.array([[x], [y]]))[:, 0]
    octaves = [math.pi, 2 * math.pi, 4 * math.pi]
    sines = [math.sin(o * v) for o in octaves for v in (x, y)]
    cosines = [math.cos(o * v) for o in octaves for v in (x, y)]
    assert found == pytest.approx([x, y, *sines, *cosines], abs=1e-14)


@pytest.mark.parametrize(
    ("shape", "bands"),
    [((512, 512), 7), ((768, 512), 7), ((4, 4), 1), ((1,), 1), ((16, 8), 2), ((2**40,), 24)],
)
def test_positional_bands_are_what_nyquist_allows(shape: tuple[int, ...], bands: int) -> None:
    assert Positional.of(shape, 28).bands == bands


def splitmix64(seed: int, n: int) -> int:
    """The n-th number of the generator (Steele, Lea, Flood 2014), n from 1."""
    z = (seed + n * 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return z ^ z >> 31


def test_normal_numbers_are_frozen() -> None:
    """Files hold a seed: its numbers can never change."""
    assert splitmix64(0, 1) == 0xE220A8397B1DCDAF
    assert [x.hex() for x in normals(4, 0)] == [
        "-0x1.cf9fb99cfab90p-2",
        "0x1.53470d1ebc1f4p+1",
        "-0x1.fa2a51dfe7863p-1",
        "0x1.0285969ebe6b7p-2",
    ]
    assert Fourier(3, 40, 0).frequencies(2).tolist() == [
        [-2.265625, 13.25390625],
        [-4.94140625, 1.26171875],
        [8.0, 0.47265625],
    ]


@pytest.mark.parametrize("seed", [0, 1, 255])
def test_normal_numbers_are_box_and_mullers(seed: int) -> None:
    def uniform(n: int) -> float:
        return ((splitmix64(seed, n) >> 11) + 0.5) / 2**53

    expected = [
        math.sqrt(-2 * math.log(uniform(2 * k + 1))) * math.cos(2 * math.pi * uniform(2 * k + 2))
        for k in range(200)
    ]
    assert normals(200, seed) == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_normal_numbers_have_their_moments() -> None:
    found = normals(40_000, 7)
    error = 4 / math.sqrt(len(found))
    assert abs(found.mean()) < error
    assert abs(found.var() - 1) < error * math.sqrt(2)
    assert abs((found**3).mean()) < error * math.sqrt(15)
    assert abs((found**4).mean() - 3) < error * math.sqrt(96)
    assert (np.abs(found) > 1.959964).mean() == pytest.approx(0.05, abs=0.005)
    assert abs((found[1:] * found[:-1]).mean()) < error
    assert not np.array_equal(normals(40, 7), normals(40, 8))


def test_fourier_features_are_sines_and_cosines_of_normal_frequencies() -> None:
    encoding, coords = Fourier(600, 40, 2), coordinates(10, 2)
    frequencies = encoding.frequencies(2)
    assert frequencies.std() == pytest.approx(40 / 8, rel=0.08)
    assert np.array_equal(frequencies * 256, np.rint(frequencies * 256))
    phase = 2 * math.pi * frequencies @ coords
    expected = np.concatenate([np.sin(phase), np.cos(phase)])
    assert np.allclose(encoding(NUMPY, {}, coords), expected, rtol=0, atol=1e-12)
    assert Fourier.of((512, 512), 256).rows == 256


@pytest.mark.parametrize("features", [1, 2, 3])
@pytest.mark.parametrize(("rows", "bandlimit"), [(64, 85), (1, 85), (416, 85), (30, 10), (300, 9)])
def test_a_lattice_lies_within_its_band(rows: int, bandlimit: int, features: int) -> None:
    encoding = Lattice(rows, max(bandlimit, 10))
    for seed in range(3):
        theta = encoding.initial(np.random.default_rng(seed), features)
        lattice, phase = theta["lattice"], theta["phase"]
        assert lattice.shape == (rows, features)
        assert np.array_equal(lattice, np.rint(lattice))
        assert np.abs(lattice).max() <= encoding.bandlimit
        assert np.array_equal(lattice[:features], np.eye(features)[:rows])
        low = lattice[features : features + round(0.7 * (rows - features))]
        assert np.abs(low).max(initial=0) <= 10
        assert low[:, 0].min(initial=0) >= 0
        assert np.abs(phase).max() <= math.pi / 2
    if rows == 416 and features == 2:
        assert len(np.unique(lattice[-100:], axis=0)) == 100
        assert np.abs(lattice).max() > 0.9 * bandlimit


def test_a_lattice_has_period_four_and_is_frozen() -> None:
    encoding = Lattice(12, 30)
    theta = encoding.initial(np.random.default_rng(1), 2)
    theta["lattice"] = np.rint(theta["lattice"])
    coords = coordinates(20, 2)
    expected = [
        [
            math.sin(sum(math.pi / 2 * k * x for k, x in zip(row, place, strict=True)) + phi)
            for place in coords.T
        ]
        for row, phi in zip(theta["lattice"], theta["phase"], strict=True)
    ]
    assert np.allclose(encoding(NUMPY, theta, coords), expected, rtol=0, atol=1e-12)
    assert np.allclose(encoding(NUMPY, theta, coords + 4), expected, rtol=0, atol=1e-10)
    assert encoding.frozen() == {"lattice"}
    assert Lattice.of((512, 300), 28) == Lattice(28, 85)


def hash_in_loops(encoding: Hash, theta: dict[str, np.ndarray], place: np.ndarray) -> list[float]:
    """Equations 2 to 4 of the paper, and the scales of its code, at one place."""
    dimensions, found, cells = len(place), [], float(encoding.coarsest)
    for level in range(encoding.levels):
        scale = cells - 1
        cells *= encoding.growth_64ths / 64  # a product after the other: all are rounded
        side = math.ceil(scale) + 1
        table = theta[f"table{level}"]
        dense = side**dimensions <= 2**encoding.log2_entries
        assert len(table) == (side**dimensions if dense else 2**encoding.log2_entries)
        position = [(float(x) + 1) / 2 * scale + 0.5 for x in place]
        corner = [math.floor(p) for p in position]
        total = [0.0] * encoding.level_features
        for offsets in itertools.product((0, 1), repeat=dimensions):
            share, index, stride = 1.0, 0, 1
            for d, offset in enumerate(offsets):
                within = position[d] - corner[d]
                share *= within if offset else 1 - within
                vertex = corner[d] + offset
                if dense:
                    index += vertex % side * stride
                    stride *= side
                else:
                    index ^= vertex * PRIMES[d] % 2**32  # as unsigned numbers of 32 bits
            for f in range(encoding.level_features):
                total[f] += share * float(table[index % len(table), f])
        found += total
    return found


@pytest.mark.parametrize("features", [1, 2, 3])
@pytest.mark.parametrize(
    "encoding",
    [Hash(4, 2, 7, 4, 112), Hash(3, 1, 4, 5, 150), Hash(16, 2, 5, 64, 255), Hash(1, 8, 20, 3, 64)],
    ids=str,
)
def test_a_hash_grid_is_the_papers_formula(encoding: Hash, features: int) -> None:
    theta, coords = parameters(encoding, features), coordinates(40, features)
    found = encoding(NUMPY, theta, coords)
    expected = np.array([hash_in_loops(encoding, theta, place) for place in coords.T]).T
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_coarse_levels_are_dense_and_fine_ones_hashed() -> None:
    encoding = Hash(5, 2, 10, 16, 128)
    sizes = [shape for _, shape in encoding.layout(2).values()]
    assert sizes == [(256, 2), (1024, 2), (1024, 2), (1024, 2), (1024, 2)]
    assert [shape for _, shape in encoding.layout(3).values()] == [(1024, 2)] * 5


def test_hash_tables_begin_near_zero() -> None:
    theta = Hash().initial(np.random.default_rng(0), 2)
    values = np.concatenate([table.ravel() for table in theta.values()])
    assert 0.99e-4 < np.abs(values).max() <= 1e-4
    assert values.var() == pytest.approx(1e-8 / 3, rel=0.05)


def test_gradients_reach_the_entries_of_a_hash_grid() -> None:
    encoding = Hash(2, 2, 4, 3, 128)
    theta = {n: torch.tensor(v) for n, v in parameters(encoding, 2).items()}
    coords = torch.tensor(coordinates(9, 2))

    def function(*tables: torch.Tensor) -> torch.Tensor:
        return encoding(TORCH, dict(zip(theta, tables, strict=True)), coords)

    tables = tuple(t.double().requires_grad_() for t in theta.values())
    torch.autograd.gradcheck(function, tables)


def test_names_are_what_users_type() -> None:
    parts = {entry.name: entry.part for entry in registry.entries("encodings")}
    assert {name: part.field for name, part in parts.items()} == {
        "identity": None,
        "positional": "pe",
        "fourier": "ffn",
        "lattice": "tuner",
        "hash": "ngp",
        "fourier-wide": None,
    }
    activations = {entry.name for entry in registry.entries("activations")}
    assert all(part.activation in activations and part.source for part in parts.values())
