"""Lists of integers: what an encoder holds comes back, what a file announces is bounded."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inrcodec.entropy.coder import Decoder, Encoder
from inrcodec.entropy.escapes import EscapeQueue
from inrcodec.entropy.integers import (
    GroupCode,
    best_code,
    decode_group,
    decode_magnitudes,
    encode_group,
    encode_magnitudes,
    group_cost_bits,
    plan_group,
)
from inrcodec.errors import CorruptFile

QUICK = settings(max_examples=60, deadline=None)


def round_trip(values: np.ndarray) -> tuple[np.ndarray, GroupCode, int]:
    """(decoded, code, bytes) of a group through a stream of its own."""
    code = best_code(values)
    symbols, low, escapes = plan_group(values, code)
    encoder = Encoder()
    encode_magnitudes(encoder, escapes)
    encode_group(encoder, symbols, low, code)
    stream = encoder.finish()
    decoder = Decoder(stream)
    queue = EscapeQueue(decode_magnitudes(decoder, len(escapes)))
    found = decode_group(decoder, len(values), code, queue)
    queue.check_empty()
    decoder.check_end()
    return found, code, len(stream)


@QUICK
@given(st.lists(st.integers(-(1 << 24), 1 << 24), max_size=60))
@example([0] * 59 + [1 << 24])  # low bits are dear here, but the escape would be too long
@example([-(1 << 24)])
@example([])
@example([32, -32, 31, -31])
def test_any_group_of_parameters_comes_back(values: list[int]) -> None:
    array = np.array(values, np.int64)
    found, _, _ = round_trip(array)
    assert found.dtype == np.int64
    assert (found == array).all()


@QUICK
@given(st.lists(st.integers(0, (1 << 17) - 1), max_size=80))
@example([0])
@example([(1 << 17) - 1, 0, 1, 2, 3])
def test_any_list_of_escapes_comes_back(values: list[int]) -> None:
    encoder = Encoder()
    encode_magnitudes(encoder, np.array(values, np.int64))
    assert decode_magnitudes(Decoder(encoder.finish()), len(values)).tolist() == values


def test_the_estimated_cost_is_the_real_one() -> None:
    rng = np.random.default_rng(3)
    for spread in (0.3, 2, 40, 3000):
        values = np.rint(rng.laplace(size=1500) * spread).astype(np.int64)
        _, code, size = round_trip(values)
        estimate = group_cost_bits(values, code) / 8
        assert size == pytest.approx(estimate, rel=0.01, abs=8)


def test_no_other_code_is_cheaper() -> None:
    rng = np.random.default_rng(4)
    values = np.rint(rng.laplace(size=300) * 9).astype(np.int64)
    best = group_cost_bits(values, best_code(values))
    others = [group_cost_bits(values, GroupCode(b, s)) for b in range(8) for s in range(96)]
    assert best == min(others)


def test_escapes_that_no_latent_needs_are_refused() -> None:
    encoder = Encoder()
    encoder.bits(np.array([18]), 5)
    with pytest.raises(CorruptFile, match="17 bits"):
        decode_magnitudes(Decoder(encoder.finish() + b"\xff" * 8), 1)


def test_a_table_row_that_does_not_exist_is_refused() -> None:
    with pytest.raises(CorruptFile, match="row 96"):
        decode_group(Decoder(b""), 3, GroupCode(0, 96), EscapeQueue(np.zeros(0, np.int64)))


def test_escapes_must_be_used_up_and_suffice() -> None:
    queue = EscapeQueue(np.array([5, 7]))
    assert queue.residuals(np.array([0, 32, 64])).tolist() == [-37, 0, 39]
    queue.check_empty()
    with pytest.raises(CorruptFile, match="fewer"):
        queue.residuals(np.array([64]))
    with pytest.raises(CorruptFile, match="more"):
        EscapeQueue(np.array([5])).check_empty()
