"""Signals: what an image may be made of, and what is refused before any work is done."""

import numpy as np
import pytest

from inrcodec.codec import METADATA
from inrcodec.errors import BadInput
from inrcodec.signal import METADATA_NAMES, Signal, image_signal

PIXEL = np.zeros((1, 1, 1), np.uint8)


def test_metadata_has_only_names_that_a_file_has_a_section_for() -> None:
    assert set(METADATA_NAMES) == METADATA.keys()
    for name in METADATA_NAMES:
        assert Signal(PIXEL, metadata={name: b"x"}).metadata == {name: b"x"}


@pytest.mark.parametrize("metadata", [{"iptc": b"x"}, {"icc": "text"}, {"icc": None}, {1: b"x"}])
def test_other_metadata_is_refused(metadata: dict) -> None:
    with pytest.raises(BadInput, match="icc, exif, xmp"):
        Signal(PIXEL, metadata=metadata)


@pytest.mark.parametrize("depth", [0, 17, 8.5, "8", None])
def test_a_bit_depth_is_a_whole_number_from_1_to_16(depth: object) -> None:
    with pytest.raises(BadInput, match="bit_depth"):
        Signal(PIXEL, depth)
    if depth is not None:
        with pytest.raises(BadInput, match="bit_depth"):
            image_signal(PIXEL, depth)


def test_a_bit_depth_may_be_an_integer_of_numpy() -> None:
    assert Signal(PIXEL, np.uint8(8)).peak == 255
    for white in (np.full((1, 1), 1023, np.uint16), np.ones((1, 1))):
        signal = image_signal(white, np.uint8(10))
        assert (signal.samples.item(), signal.peak) == (1023, 1023)


def test_samples_that_are_no_array_are_refused() -> None:
    with pytest.raises(BadInput, match="a list"):
        Signal([[[1]]])


def test_rows_of_different_lengths_are_refused() -> None:
    with pytest.raises(BadInput, match="same length"):
        image_signal([[1, 2], [3]])


@pytest.mark.parametrize(("depth", "largest"), [(8, 255), (1, 1), (10, 1023)])
def test_integers_beyond_the_bit_depth_are_refused_and_do_not_wrap(
    depth: int, largest: int
) -> None:
    assert image_signal(np.full((2, 2), largest, np.uint16), depth).samples.max() == largest
    with pytest.raises(BadInput, match=f"above {largest}"):
        image_signal(np.full((2, 2), largest + 1, np.uint16), depth)


def test_the_byte_order_of_an_array_makes_no_difference() -> None:
    values = np.arange(6, dtype=np.uint16).reshape(2, 3) * 9999
    for order in "<>":
        signal = image_signal(values.astype(f"{order}u2"))
        assert signal.samples.dtype == np.uint16
        assert np.array_equal(signal.samples[:, :, 0], values)
