"""The context model: exact in any arithmetic, causal in wavefront order, undone by the decoder."""

import itertools

import numpy as np
import pytest

from inrcodec.entropy.coder import Decoder, Encoder
from inrcodec.entropy.context import (
    MAX_HIDDEN,
    MAX_INPUT,
    MAX_LATENT,
    MAX_WEIGHT,
    Context,
    ContextModel,
    coarse_planes,
    diagonals,
    wavefront_order,
)
from inrcodec.entropy.escapes import EscapeQueue
from inrcodec.entropy.integers import decode_magnitudes, encode_magnitudes
from inrcodec.entropy.latents import LatentCoder
from inrcodec.errors import CorruptFile
from inrcodec.fields.grid import COARSE_CONTEXT, SPATIAL_CONTEXT

NAMES = ("w1", "b1", "w2", "b2", "w3", "skip", "b3")


def random_model(
    spatial: int, coarse: int, hidden: int, seed: int, exponent: int = 6, spread: float = 20
) -> ContextModel:
    rng = np.random.default_rng(seed)
    n = spatial + coarse
    shapes = [(hidden, n), (hidden,), (hidden, hidden), (hidden,), (2, hidden), (2, n), (2,)]
    theta = {
        f"arm.{name}": np.rint(rng.normal(size=shape) * spread)
        .clip(-(64 << exponent), 64 << exponent)
        .astype(np.int64)
        for name, shape in zip(NAMES, shapes, strict=True)
    }
    context = Context(SPATIAL_CONTEXT[:spatial], COARSE_CONTEXT[:coarse])
    return ContextModel(context, theta, dict.fromkeys(theta, exponent))


def rows_in_python_integers(model: ContextModel, x: list[int]) -> tuple[int, int, int]:
    """SPEC.md section 7.2 for one context, in integers of any size; asserts every bound."""
    p = {k: np.array(v).astype(np.int64).astype(object) for k, v in model.fixed_point.items()}

    def dot(weights: np.ndarray, values: list[int]) -> int:
        terms = [int(w) * v for w, v in zip(weights, values, strict=True)]
        assert sum(abs(t) for t in terms) < 2**52  # so no partial sum in any order is inexact
        return sum(terms)

    x = [min(max(v, -255), 255) for v in x]
    h = [min(max(dot(w, x) + b, 0), 1 << 23) for w, b in zip(p["w1"], p["b1"], strict=True)]
    g = [max(dot(w, h) + b * 4096, 0) for w, b in zip(p["w2"], p["b2"], strict=True)]
    h = [min(a + ((b + 2048) >> 12), 1 << 23) for a, b in zip(h, g, strict=True)]
    out = [
        dot(w, h) + (dot(s, x) + b) * 4096
        for w, s, b in zip(p["w3"], p["skip"], p["b3"], strict=True)
    ]
    assert all(abs(v) < 2**52 for v in (*g, *out))
    mu = min(max((out[0] + (1 << 18)) >> 19, -(1 << 20)), 1 << 20)
    scale = min(max((out[1] + (1 << 20)) >> 21, -36), 59) + 36
    return (mu + 16) >> 5, (mu + 16) & 31, scale


@pytest.mark.parametrize(
    ("spatial", "coarse", "hidden"),
    [(12, 5, 16), (22, 9, 7), (0, 9, 3), (3, 0, 1), (0, 0, 4), (5, 5, 32)],
)
@pytest.mark.parametrize("seed", [0, 2, 6])
def test_rows_are_those_of_integers_of_any_size(
    spatial: int, coarse: int, hidden: int, seed: int
) -> None:
    model = random_model(spatial, coarse, hidden, seed, exponent=seed, spread=3 * 2**seed)
    rng = np.random.default_rng(seed)
    x = np.rint(rng.laplace(size=(spatial + coarse, 60)) * 10 ** rng.integers(0, 4, 60))
    found = np.stack(model.rows(x), axis=1).tolist()
    expected = [list(rows_in_python_integers(model, [int(v) for v in c])) for c in x.T]
    assert found == expected


@pytest.mark.parametrize("signs", list(itertools.product((-1, 1), repeat=3)))
def test_the_largest_network_stays_exact_at_its_largest_weights(signs: tuple[int, ...]) -> None:
    """All weights at +-64, inputs at +-255, 31 inputs, 64 wide: sums are still below 2**53."""
    model = random_model(22, 9, 64, seed=0)
    for name, sign in zip(("w1", "w2", "w3"), signs, strict=True):
        model.fixed_point[name][:] = sign * MAX_WEIGHT
    for name in ("b1", "b2", "b3", "skip"):
        model.fixed_point[name][:] = np.where(model.fixed_point[name] < 0, -MAX_WEIGHT, MAX_WEIGHT)
    x = np.stack([np.full(31, s * 10.0**5) for s in (-1, 1)], axis=1)
    found = np.stack(model.rows(x), axis=1).tolist()
    assert found == [list(rows_in_python_integers(model, [int(v) for v in c])) for c in x.T]
    assert 64 * MAX_WEIGHT * MAX_HIDDEN + 32 * MAX_WEIGHT * MAX_INPUT * 2**12 < 2**52


def test_any_order_of_summation_gives_the_same_rows() -> None:
    model = random_model(22, 9, 64, seed=1, exponent=0, spread=30)
    rng = np.random.default_rng(1)
    x = rng.integers(-300, 301, (31, 500)).astype(np.float64)
    whole = np.stack(model.rows(x))
    alone = np.concatenate([np.stack(model.rows(x[:, i : i + 1])) for i in range(500)], axis=1)
    copied = np.stack(model.rows(np.asfortranarray(x)))
    assert (whole == alone).all()
    assert (whole == copied).all()


@pytest.mark.parametrize(
    ("exponent", "value"), [(13, 0), (31, 1), (0, 65), (12, 64 * 4096 + 1), (3, -513)]
)
def test_weights_that_might_not_be_exact_are_refused(exponent: int, value: int) -> None:
    context = Context((), ())
    shapes = [(1, 0), (1,), (1, 1), (1,), (2, 1), (2, 0), (2,)]
    theta = {f"arm.{n}": np.zeros(s, np.int64) for n, s in zip(NAMES, shapes, strict=True)}
    ContextModel(context, theta, dict.fromkeys(theta, 12))
    theta["arm.w2"][:] = value
    with pytest.raises(CorruptFile, match="w2"):
        ContextModel(context, theta, dict.fromkeys(theta, 0) | {"arm.w2": exponent})


@pytest.mark.parametrize("spatial", range(len(SPATIAL_CONTEXT) + 1))
def test_every_neighbour_is_coded_before_it_is_needed(spatial: int) -> None:
    slope = Context(SPATIAL_CONTEXT[:spatial], ()).slope
    for shape in ((7, 9), (9, 2), (1, 12), (12, 1), (3, 40)):
        order = wavefront_order(shape, slope)
        assert sorted(order) == list(range(shape[0] * shape[1]))
        rank = np.empty(shape, int)
        rank.flat[order] = np.arange(order.size)
        diagonal = np.arange(shape[1]) + slope * np.arange(shape[0])[:, None]
        for (y, x), (dy, dx) in itertools.product(np.ndindex(shape), SPATIAL_CONTEXT[:spatial]):
            if y + dy >= 0 and 0 <= x + dx < shape[1]:
                assert rank[y + dy, x + dx] < rank[y, x]
                # Strictly: a whole diagonal is decoded at once.
                assert diagonal[y + dy, x + dx] < diagonal[y, x]


@pytest.mark.parametrize("slope", [1, 2, 3])
def test_diagonals_visit_each_latent_once_in_coding_order(slope: int) -> None:
    for shape in itertools.product(range(1, 8), range(1, 12)):
        visited = [
            y * shape[1] + d - slope * y
            for d, first, last in diagonals(shape, slope)
            for y in range(first, last)
        ]
        assert visited == wavefront_order(shape, slope).tolist()


def test_coarser_values_are_those_around_the_parent() -> None:
    parent = np.arange(1, 13).reshape(3, 4) * 100 - 600
    context = Context((), COARSE_CONTEXT)
    for shape in ((5, 7), (6, 8)):
        planes = coarse_planes(parent, shape, context)
        for (y, x), (k, (fy, fx)) in itertools.product(
            np.ndindex(shape), enumerate(COARSE_CONTEXT)
        ):
            row = y // 2 + (fy if y % 2 else -fy)
            column = x // 2 + (fx if x % 2 else -fx)
            inside = 0 <= row < 3 and 0 <= column < 4
            expected = int(np.clip(parent[row, column], -255, 255)) if inside else 0
            assert planes[k, y, x] == expected
    assert not coarse_planes(None, (3, 3), context).any()


def coded(coder: LatentCoder, levels: list[np.ndarray]) -> list[np.ndarray]:
    """Grids after encoding and decoding."""
    plan = coder.plan(levels)
    encoder = Encoder()
    encode_magnitudes(encoder, plan[3])
    coder.encode(encoder, plan)
    decoder = Decoder(encoder.finish())
    queue = EscapeQueue(decode_magnitudes(decoder, len(plan[3])))
    return coder.decode(decoder, [grid.shape for grid in levels], queue)


SHAPES = [
    [(1, 1)],
    [(1, 37), (1, 19), (1, 10)],
    [(37, 1), (19, 1), (10, 1), (5, 1)],
    [(9, 2), (5, 1)],
    [(2, 9), (1, 5)],
    [(13, 3), (7, 2), (4, 1), (2, 1), (1, 1)],
    [(21, 34), (11, 17), (6, 9)],
]


@pytest.mark.parametrize("shapes", SHAPES, ids=lambda s: "x".join(map(str, s[0])))
@pytest.mark.parametrize(("spatial", "coarse"), [(0, 0), (0, 9), (1, 1), (4, 3), (12, 5), (22, 9)])
def test_latents_of_any_shape_come_back(
    shapes: list[tuple[int, int]], spatial: int, coarse: int
) -> None:
    coder = LatentCoder(random_model(spatial, coarse, 5, seed=spatial))
    rng = np.random.default_rng(len(shapes))
    for spread in (0, 1.5, 60, 9000):
        levels = [
            np.clip(np.rint(rng.laplace(size=s) * spread), -MAX_LATENT, MAX_LATENT).astype(np.int32)
            for s in shapes
        ]
        for found, grid in zip(coded(coder, levels), levels, strict=True):
            assert found.dtype == np.int32
            assert (found == grid).all()


def test_a_latent_beyond_the_format_is_refused() -> None:
    coder = LatentCoder(random_model(2, 0, 3, seed=0, spread=0))
    assert coded(coder, [np.array([[MAX_LATENT]], np.int32)])[0] == MAX_LATENT
    with pytest.raises(CorruptFile, match="65537"):
        coded(coder, [np.array([[-MAX_LATENT - 1]], np.int32)])


def test_the_rate_is_that_of_the_stream() -> None:
    coder = LatentCoder(random_model(12, 5, 8, seed=7))
    rng = np.random.default_rng(0)
    levels = [np.rint(rng.laplace(size=s) * 2).astype(np.int32) for s in ((40, 50), (20, 25))]
    plan = coder.plan(levels)
    assert not len(plan[3])
    encoder = Encoder()
    coder.encode(encoder, plan)
    assert coder.rate_bits(levels) / 8 == pytest.approx(len(encoder.finish()), abs=9)
