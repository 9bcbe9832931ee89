"""What save_image and convert_depth promise: exact formats, refusals, metadata, same bytes."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image, ImageCms

from inrcodec.errors import BadOption
from inrcodec.media.image import EXTENSIONS_OUT, convert_depth, load_image, save_image
from inrcodec.signal import Signal

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf tiff:Orientation=\"%d\"/></x:xmpmeta>"


def exif_block(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "A Camera Maker"
    exif[0x8769] = {0x9003: "2024:05:06 07:08:09"}
    return exif.tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize("extension", [".png", ".tif", ".pam"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (3, 1), (1, 5), (37, 41)])
def test_exact_formats_give_back_every_sample(noise, extension, channels, dtype, size):
    signal = Signal(noise(*size, channels, dtype), 8 * np.dtype(dtype).itemsize)
    again = load_image(save_image(signal, extension))
    assert again.bit_depth == signal.bit_depth
    assert np.array_equal(again.samples, signal.samples)


@pytest.mark.parametrize("extension", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_8_bit_files_mean_the_same_to_pillow(noise, extension, channels):
    samples = noise(40, 30, channels)
    image = Image.open(io.BytesIO(save_image(Signal(samples), extension)))
    assert image.mode == ("L", "LA", "RGB", "RGBA")[channels - 1]
    assert np.array_equal(np.array(image).reshape(samples.shape), samples)


@pytest.mark.parametrize("extension", [".png", ".tif"])
def test_16_bit_rgb_files_mean_the_same_to_ffmpeg(noise, extension):
    import av

    samples = noise(12, 16, 3, np.uint16)
    data = save_image(Signal(samples, 16), extension)
    (frame,) = av.CodecContext.create("png" if extension == ".png" else "tiff", "r").decode(
        av.Packet(data)
    )
    assert frame.format.name.startswith("rgb48")
    assert np.array_equal(frame.to_ndarray(), samples)


def test_png_of_many_bands_and_every_filter_is_exact():
    y, x = np.mgrid[:900, :700]
    smooth = (y * 60 + x * 37).astype(np.uint16)
    noise = np.random.default_rng(3).integers(0, 65536, (900, 700), np.uint16)
    samples = np.stack([smooth, np.where(x < 300, noise, smooth), noise >> 6], -1)
    assert np.array_equal(load_image(save_image(Signal(samples, 16), ".png")).samples, samples)


@pytest.mark.parametrize("extension", [".png", ".tif"])
def test_same_signal_gives_the_same_bytes(noise, extension):
    samples = noise(50, 60, 3, np.uint16)
    metadata = {"icc": ICC, "exif": exif_block(1)}
    first = save_image(Signal(samples, 16, metadata=metadata), extension)
    second = save_image(Signal(samples.copy(), 16, metadata=dict(metadata)), extension)
    assert first == second


def test_png_is_not_larger_than_what_pillow_writes(saved):
    y, x = np.mgrid[:128, :128]
    samples = np.stack([y + x, y * 2 - x // 3, x ^ y], -1).astype(np.uint8)
    assert len(save_image(Signal(samples), ".png")) <= 1.05 * len(saved(samples, "PNG"))


@pytest.mark.parametrize(("extension", "channels"), [(".pgm", 1), (".ppm", 3), (".pnm", 3)])
@pytest.mark.parametrize("bit_depth", [1, 5, 8, 10, 12, 16])
def test_pnm_keeps_every_depth_as_maxval(noise, extension, channels, bit_depth):
    dtype = np.uint8 if bit_depth <= 8 else np.uint16
    peak = (1 << bit_depth) - 1
    samples = noise(6, 5, channels, dtype) & dtype(peak)
    data = save_image(Signal(samples, bit_depth), extension)
    assert data.startswith(f"P{5 if channels == 1 else 6}\n5 6\n{peak}\n".encode())
    order = np.uint8 if bit_depth <= 8 else ">u2"
    raster = np.frombuffer(data[-samples.nbytes :], order).reshape(samples.shape)
    assert np.array_equal(raster, samples)


def test_grey_goes_into_ppm_as_equal_channels(noise):
    samples = noise(3, 4, 1)
    loaded = load_image(save_image(Signal(samples), ".ppm")).samples
    assert np.array_equal(loaded, np.repeat(samples, 3, axis=2))


@pytest.mark.parametrize("bit_depth", [1, 4, 7, 10, 15])
def test_other_depths_are_scaled_to_the_next_of_8_and_16(bit_depth):
    dtype, target = (np.uint8, 255) if bit_depth <= 8 else (np.uint16, 65535)
    peak = (1 << bit_depth) - 1
    samples = np.array([0, 1, peak // 3, peak], dtype).reshape(1, 4, 1)
    loaded = load_image(save_image(Signal(samples, bit_depth), ".png"))
    expected = [round(int(x) * target / peak) for x in samples.ravel()]
    assert loaded.samples.ravel().tolist() == expected
    assert np.array_equal(convert_depth(loaded, bit_depth).samples, samples)


@pytest.mark.parametrize("old", [1, 3, 8, 10, 16])
@pytest.mark.parametrize("new", [1, 2, 8, 9, 16])
def test_convert_depth_rounds_to_nearest_for_every_value(old, new):
    dtype = np.uint8 if old <= 8 else np.uint16
    values = np.arange(1 << old)
    converted = convert_depth(Signal(values.astype(dtype).reshape(1, -1, 1), old), new)
    exact = values * ((1 << new) - 1) / ((1 << old) - 1)
    assert converted.bit_depth == new
    assert np.array_equal(converted.samples.ravel(), np.rint(exact).astype(int))


def test_convert_depth_keeps_metadata_and_refuses_impossible_depths(noise):
    signal = Signal(noise(2, 2, 3), metadata={"icc": ICC})
    assert convert_depth(signal, 16).metadata == {"icc": ICC}
    assert convert_depth(signal, 8) is signal
    with pytest.raises(BadOption, match="1 to 16"):
        convert_depth(signal, 24)


@pytest.mark.parametrize("channels", [1, 3])
def test_bmp_is_exact(noise, channels):
    samples = noise(9, 11, channels)
    assert np.array_equal(load_image(save_image(Signal(samples), ".bmp")).samples, samples)


@pytest.mark.parametrize("channels", [3, 4])
def test_webp_is_lossless_even_where_transparent(noise, channels):
    samples = noise(20, 21, channels)
    samples[:4, :4, -1] = 0
    assert np.array_equal(load_image(save_image(Signal(samples), ".webp")).samples, samples)


@pytest.mark.parametrize("extension", [".jpg", ".avif"])
def test_lossy_formats_are_near_and_keep_full_colour_resolution(extension):
    samples = np.zeros((32, 32, 3), np.uint8)
    samples[:, ::2, 0] = samples[:, 1::2, 2] = 200  # red and blue columns: lost by 4:2:0
    loaded = load_image(save_image(Signal(samples), extension)).samples
    assert np.abs(loaded.astype(int) - samples).mean() < 8


def test_alpha_survives_avif(noise):
    samples = np.full((16, 16, 4), 128, np.uint8)
    assert load_image(save_image(Signal(samples), ".avif")).channels == 4


@pytest.mark.parametrize("extension", [".png", ".tif", ".jpg", ".webp", ".avif"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_metadata_are_written_back_and_never_turn_the_picture_twice(extension, orientation):
    samples = np.full((24, 40, 3), 90, np.uint8)
    metadata = {"icc": ICC, "exif": exif_block(orientation), "xmp": XMP % orientation}
    loaded = load_image(save_image(Signal(samples, metadata=metadata), extension))
    assert loaded.samples.shape == samples.shape
    assert loaded.metadata["icc"] == ICC
    assert loaded.metadata["xmp"] == XMP % 1
    kept = Image.Exif()
    kept.load(loaded.metadata["exif"])
    assert kept.get(0x0112, 1) == 1
    assert kept[0x010F] == "A Camera Maker"
    assert kept.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"


@pytest.mark.parametrize("extension", [".png", ".tif"])
def test_metadata_are_written_with_16_bits_too(noise, extension):
    metadata = {"icc": ICC, "exif": exif_block(8), "xmp": XMP % 8}
    signal = Signal(noise(5, 9, 3, np.uint16), 16, metadata=metadata)
    loaded = load_image(save_image(signal, extension))
    assert np.array_equal(loaded.samples, signal.samples)
    assert loaded.metadata["icc"] == ICC
    assert loaded.metadata["xmp"] == XMP % 1


def test_metadata_survive_any_number_of_round_trips_unchanged():
    signal = Signal(np.zeros((4, 4, 3), np.uint8), metadata={"icc": ICC, "exif": exif_block(1)})
    for extension in (".png", ".jpg", ".webp", ".png"):
        again = load_image(save_image(signal, extension))
        assert again.metadata == signal.metadata


@pytest.mark.parametrize("extension", [".bmp", ".ppm"])
def test_metadata_that_do_not_fit_are_named_in_a_warning(noise, extension):
    with pytest.warns(UserWarning, match="cannot hold the exif, icc"):
        save_image(Signal(noise(4, 4, 3), metadata={"icc": ICC, "exif": exif_block(1)}), extension)


def test_exif_too_long_for_jpeg_is_left_out_with_a_warning(noise):
    block = exif_block(1) + bytes(70000)
    with pytest.warns(UserWarning, match="JPEG cannot hold the exif"):
        data = save_image(Signal(noise(8, 8, 3), metadata={"exif": block}), ".jpg")
    assert load_image(data).metadata == {}


@pytest.mark.parametrize(
    ("extension", "channels", "bit_depth", "advice"),
    [
        (".jpg", 4, 8, "cannot hold transparency; choose .png"),
        (".jpg", 2, 8, "cannot hold transparency; choose .png"),
        (".bmp", 4, 8, "cannot hold transparency; choose .png"),
        (".jpg", 3, 16, "--bit-depth 8, or .png or .tif"),
        (".webp", 3, 16, "--bit-depth 8, or .png or .tif"),
        (".avif", 3, 12, "--bit-depth 8, or .png or .tif"),
        (".pgm", 3, 8, "choose .ppm or .png"),
        (".ppm", 4, 8, "choose .pam or .png"),
        (".gif", 3, 8, "choose one of .png .tif"),
        ("", 3, 8, "choose one of .png .tif"),
    ],
)
def test_format_that_cannot_hold_the_picture_says_what_to_choose(
    noise, extension, channels, bit_depth, advice
):
    dtype = np.uint8 if bit_depth <= 8 else np.uint16
    samples = noise(4, 4, channels, dtype) & dtype((1 << bit_depth) - 1)
    with pytest.raises(BadOption, match=re.escape(advice)):
        save_image(Signal(samples, bit_depth), extension)


def test_picture_wider_than_the_format_allows_says_so():
    with pytest.raises(BadOption, match=r"\.webp cannot hold this picture of 17000x1"):
        save_image(Signal(np.zeros((1, 17000, 3), np.uint8)), ".webp")


def test_extension_is_taken_in_any_case_and_without_its_dot(noise):
    signal = Signal(noise(3, 3, 3))
    assert save_image(signal, "PNG") == save_image(signal, ".png")


@pytest.mark.parametrize("extension", EXTENSIONS_OUT)
def test_every_extension_that_is_offered_is_written(noise, extension):
    signal = Signal(noise(16, 16, 1))
    assert load_image(save_image(signal, extension)).samples.shape[:2] == (16, 16)
