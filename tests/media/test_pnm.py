"""PNM and PAM files as the Netpbm manuals define them."""

from __future__ import annotations

import numpy as np
import pytest

from inrcodec.errors import BadInput
from inrcodec.media.image import load_image


def test_16_bit_ppm_keeps_every_sample():
    samples = np.random.default_rng(0).integers(0, 65536, (6, 7, 3), np.uint16)
    loaded = load_image(b"P6 7 6 65535\n" + samples.astype(">u2").tobytes())
    assert loaded.bit_depth == 16
    assert np.array_equal(loaded.samples, samples)


def test_comments_and_any_white_space_are_taken_in_the_header():
    data = b"P5# made by hand\n  2\t# width\n1 #height\r\n255\n\x07\x08"
    assert load_image(data).samples.ravel().tolist() == [7, 8]


def test_raster_may_begin_with_bytes_that_look_like_white_space_or_comments():
    assert load_image(b"P5 3 1 255\n #\n").samples.ravel().tolist() == [32, 35, 10]


def test_plain_files_equal_raw_ones():
    assert load_image(b"P2\n2 2\n255\n1 2 # two\n3\t4\n").samples.ravel().tolist() == [1, 2, 3, 4]
    assert load_image(b"P3 1 2 255 1 2 3 4 5 6").samples.tolist() == [[[1, 2, 3]], [[4, 5, 6]]]
    assert load_image(b"P1 3 1\n1 01").samples.ravel().tolist() == [0, 255, 0]
    assert load_image(b"P1 3 1 101").samples.ravel().tolist() == [0, 255, 0]


def test_bitmap_rows_are_padded_to_bytes_and_1_is_black():
    assert load_image(b"P4 9 2\n\x80\x80\x00\x00").samples[:, :, 0].tolist() == [
        [0, 255, 255, 255, 255, 255, 255, 255, 0],
        [255] * 9,
    ]


@pytest.mark.parametrize(("maxval", "peak"), [(1, 255), (100, 255), (1000, 65535), (4095, 65535)])
def test_other_maxvals_are_spread_over_8_or_16_bits(maxval, peak):
    values = [0, 1, maxval // 2, maxval]
    raster = np.array(values, np.uint8 if maxval < 256 else ">u2").tobytes()
    loaded = load_image(b"P5 4 1 %d\n" % maxval + raster).samples
    assert loaded.ravel().tolist() == [(2 * v * peak + maxval) // (2 * maxval) for v in values]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pam_holds_one_to_four_channels(channels):
    samples = np.arange(6 * channels, dtype=np.uint8).reshape(2, 3, channels)
    header = b"P7\n# note\nWIDTH 3\nHEIGHT 2\nDEPTH %d\nMAXVAL 255\nENDHDR\n" % channels
    assert np.array_equal(load_image(header + samples.tobytes()).samples, samples)


def test_second_picture_is_left_with_a_warning():
    with pytest.warns(UserWarning, match="only the first is read"):
        assert load_image(b"P5 1 1 255\n\x05P5 1 1 255\n\x06").samples.item() == 5


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"P6 2 2 255\n" + bytes(11), "11 of 12 bytes"),
        (b"P4 9 2\n" + bytes(3), "3 of 4 bytes"),
        (b"P2 2 2 255 1 2 3", "3 of 4 samples"),
        (b"P1 2 2 1 0 1", "lacks some of its 4 digits"),
        (b"P2 2 1 255 1 x", "other characters"),
        (b"P2 2 1 99 1 100", "100 is above the maxval 99"),
        (b"P5 2 1 99\n\x01\x64", "100 is above the maxval 99"),
        (b"P5 0 1 255\n", "0x1, maxval 255"),
        (b"P5 1 1 65536\n\0\0", "maxval 65536"),
        (b"P5 two 1 255\n\0\0", "for its width"),
        (b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nENDHDR\n\0", "lacks MAXVAL"),
        (b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 5\nMAXVAL 255\nENDHDR\n" + bytes(5), "5 channels"),
        (b"P7\nWIDTH 1\n", "no ENDHDR"),
    ],
)
def test_damaged_pnm_says_what_is_wrong(data, reason):
    with pytest.raises(BadInput, match=reason):
        load_image(data)
