"""Damaged, foreign or too large files: always one of our errors, never half a picture."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from inrcodec.errors import BadInput, LimitExceeded
from inrcodec.media.image import load_image

FORMATS = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("PNG", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("AVIF", {}),
    ("BMP", {}),
    ("GIF", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ("PPM", {}),
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("format_name", "options"), FORMATS)
def test_file_cut_anywhere_is_an_error_or_the_whole_picture(saved, noise, format_name, options):
    smooth = noise(24, 30, 3) // 8 + np.arange(30, dtype=np.uint8)[:, None] * 7
    data = saved(smooth, format_name, **options)
    whole = load_image(data).samples
    errors = 0
    cuts = range(0, len(data) - 2, max(1, len(data) // 120))
    for cut in cuts:
        try:
            assert np.array_equal(load_image(data[:cut]).samples, whole)
        except BadInput:
            errors += 1
    assert errors >= len(cuts) - 1


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_file_cut_anywhere_is_an_error(noise, png_of, tiff_of, channels):
    samples = noise(6, 6, channels, np.uint16)
    for data in (png_of(samples), tiff_of(samples), tiff_of(samples, compression=8)):
        for cut in range(0, len(data) - 2, 5):
            with pytest.raises(BadInput):
                load_image(data[:cut])


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("format_name", "options"), FORMATS)
def test_changed_bytes_raise_our_errors_only(saved, noise, format_name, options):
    data = saved(noise(12, 12, 3) // 4, format_name, **options)
    generator = np.random.default_rng(1)
    for _ in range(60):
        damaged = bytearray(data)
        damaged[generator.integers(len(data))] ^= 1 << generator.integers(8)
        try:
            load_image(bytes(damaged))
        except (BadInput, LimitExceeded):
            continue


def test_png_whose_rows_end_early_is_an_error_though_its_chunks_are_whole(chunk):
    for interlaced in (0, 1):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", 7, 50, 8, 2, 0, 0, interlaced))
        raster = chunk(b"IDAT", zlib.compress(bytes(22 * 30)))
        data = b"\x89PNG\r\n\x1a\n" + header + raster + chunk(b"IEND", b"")
        with pytest.raises(BadInput, match="truncated: 660 of"):
            load_image(data)


def test_png_with_a_wrong_check_sum_is_an_error(noise, saved):
    data = bytearray(saved(noise(8, 8, 3), "PNG"))
    data[-14] ^= 1  # check sum of the last IDAT
    with pytest.raises(BadInput, match="IDAT is damaged"):
        load_image(bytes(data))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "empty"),
        (b"BMW and MMX are text too", "text"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
        (b"Dear diary, today I drew nothing.\n", "text .'Dear diary"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\x93INR\r\n\x1a\n\0\0", ".inr file"),
        (bytes(range(7, 40)), "33 bytes that begin with 07 08"),
        (b"P6\n# only a comment", "expected a number"),
        (b"Pf\n2 2\n-1.0\n" + bytes(16), "floating point"),
    ],
)
def test_what_is_no_picture_is_named_together_with_what_was_found(data, found):
    with pytest.raises(BadInput, match=rf"^holiday\.png: .*{found}"):
        load_image(data, "holiday.png")


def test_error_lists_the_formats_that_are_read():
    with pytest.raises(BadInput, match=r"PNG, JPEG, WebP, TIFF, AVIF, PNM .* BMP and GIF are read"):
        load_image(b"no picture at all")


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_float_and_32_bit_tiff_say_what_to_do(saved, dtype):
    with pytest.raises(BadInput, match="scale them to 8 or 16 bits"):
        load_image(saved(np.ones((4, 4), dtype), "TIFF"))


@pytest.mark.parametrize("compression", [1, 8])
def test_16_bit_tiff_in_planes_says_what_to_do(noise, tiff_of, compression):
    with pytest.raises(BadInput, match="save it interleaved"):
        load_image(tiff_of(noise(4, 4, 3, np.uint16), compression=compression, t284=2))


def test_decompression_bomb_exceeds_the_limit(chunk, monkeypatch, noise, saved, tiff_of):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(LimitExceeded, match=r"60000|3600000000"):
        load_image(bomb)
    with pytest.raises(LimitExceeded, match="60000x60000"):
        load_image(b"P5\n60000 60000\n255\n")
    with pytest.raises(LimitExceeded, match="60000x60000"):
        load_image(tiff_of(noise(4, 4, 2, np.uint16), t256=60000, t257=60000))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 49)
    with pytest.raises(LimitExceeded):
        load_image(saved(noise(10, 10, 3), "JPEG"))


def test_broken_exif_is_left_out_with_a_warning_and_the_picture_is_read(noise, png_of, chunk):
    samples = noise(4, 4, 3)
    with pytest.warns(UserWarning, match="EXIF"):
        signal = load_image(png_of(samples, chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\x09nonsense")))
    assert np.array_equal(signal.samples, samples)
    assert "exif" not in signal.metadata
