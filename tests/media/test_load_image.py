"""What load_image promises about samples: every mode, 16 bits, transparency, orientation."""

from __future__ import annotations

import base64
import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin, TiffTags

from inrcodec.media.image import EXTENSIONS_IN, EXTENSIONS_OUT, load_image

# A black 64x64 picture of 10 bits, from SVT-AV1 4.1.0 through FFmpeg: zlib, base 85.
TEN_BIT_AVIF = (
    b"c-muNU{FXasVqn=%S>Yc0uY^>nP!-"
    b"qnV9D5Xy^nK`k9+rlE?r7`WY!XMNl?FL1uCZ0}==T@=J?SJreU$a#F#n_zE&ha=~(pKrEM;lb;OYxPbVK5K%@&Aguw"
    b"ynVETMaJ5oEPAU_Wmsn<C=$xOE4>mI^v!JK|NPA}%B<BNZk<8+PRHzFapje<Fvmz5Dz|6(P1*CWq%M6_x8GJxO!pZq"
    b"LMS00N6%0&Z2n6Dp1-URE0v*P}$kfaNWE$kAB$j~nGp+yM8*jm3BqhMGi-}t&(2;?GgZ-"
    b"WJ9*Y^*FDSfkY5RA*0RVJ{Kcx"
)
ALL_ORIENTATIONS = range(1, 9)


def turned(samples: np.ndarray, orientation: int) -> np.ndarray:
    """The EXIF definition, pixel by pixel: where row 0 and column 0 of the stored picture go."""
    height, width = samples.shape[:2]
    size = (height, width) if orientation < 5 else (width, height)
    out = np.empty((*size, samples.shape[2]), samples.dtype)
    for y in range(height):
        for x in range(width):
            mirrored_y, mirrored_x = height - 1 - y, width - 1 - x
            out[
                {
                    1: (y, x),
                    2: (y, mirrored_x),
                    3: (mirrored_y, mirrored_x),
                    4: (mirrored_y, x),
                    5: (x, y),
                    6: (x, mirrored_y),
                    7: (mirrored_x, mirrored_y),
                    8: (mirrored_x, y),
                }[orientation]
            ] = samples[y, x]
    return out


def exif_block(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "A Camera Maker"
    return exif


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_samples_are_exact_at_8_and_16_bits(noise, png_of, channels, dtype):
    samples = noise(5, 7, channels, dtype)
    signal = load_image(png_of(samples))
    assert signal.bit_depth == 8 * samples.dtype.itemsize
    assert signal.samples.dtype == dtype
    assert signal.samples.flags.c_contiguous
    assert np.array_equal(signal.samples, samples)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_samples_are_exact_at_8_and_16_bits(
    noise, tiff_of, channels, dtype, compression, order
):
    samples = noise(9, 6, channels, dtype)
    signal = load_image(tiff_of(samples, order, compression))
    assert np.array_equal(signal.samples, samples)


def test_interlaced_16_bit_png_is_exact(chunk, noise):
    samples = noise(11, 13, 3, np.uint16)
    passes = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ]
    raster = b"".join(
        b"\0" + row.astype(">u2").tobytes()
        for x, y, step_x, step_y in passes
        for row in samples[y::step_y, x::step_x]
    )
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 13, 11, 16, 2, 0, 0, 1))
    idat = chunk(b"IDAT", zlib.compress(raster))
    data = b"\x89PNG\r\n\x1a\n" + header + idat + chunk(b"IEND", b"")
    assert np.array_equal(load_image(data).samples, samples)


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiled_16_bit_tiff_is_exact(noise, order):
    samples = noise(20, 40, 3, np.uint16)
    padded = np.zeros((32, 48, 3), np.uint16)
    padded[:20, :40] = samples
    tiles = [
        padded[y : y + 16, x : x + 16].astype(f"{order}u2").tobytes()
        for y in (0, 16)
        for x in (0, 16, 32)
    ]
    directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II" if order == "<" else b"MM")
    values = {256: 40, 257: 20, 258: (16,) * 3, 259: 1, 262: 2, 277: 3, 322: 16, 323: 16}
    for tag, value in values.items():
        directory[tag] = value
    directory.tagtype[324] = directory.tagtype[325] = TiffTags.LONG
    directory[325] = (1536,) * 6
    directory[324] = (0,) * 6
    start = 8 + len(directory.tobytes(8))
    directory[324] = tuple(start + 1536 * i for i in range(6))
    out = io.BytesIO()
    directory.save(out)
    assert np.array_equal(load_image(out.getvalue() + b"".join(tiles)).samples, samples)


def test_premultiplied_16_bit_tiff_becomes_straight(noise, tiff_of):
    straight = noise(6, 6, 4, np.uint16)
    straight[..., 3] |= 0x8000
    alpha = straight[..., 3:].astype(np.uint64)
    stored = straight.copy()
    stored[..., :3] = (straight[..., :3] * alpha + 32767) // 65535
    loaded = load_image(tiff_of(stored, t338=1)).samples
    assert np.array_equal(loaded[..., 3], straight[..., 3])
    assert np.abs(loaded.astype(int) - straight).max() <= 1


def test_white_is_zero_16_bit_tiff_is_inverted(noise, tiff_of):
    samples = noise(4, 5, 1, np.uint16)
    assert np.array_equal(load_image(tiff_of(samples, t262=0)).samples, 65535 - samples)


@pytest.mark.parametrize(("bits", "colour"), [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0)])
def test_grey_png_key_colour_becomes_alpha_at_every_depth(png_file, chunk, bits, colour):
    values = [0, 1, (1 << bits) - 1, 1]
    row = int("".join(f"{v:0{bits}b}" for v in values).ljust(64, "0"), 2).to_bytes(8, "big")
    data = png_file([row[: (4 * bits + 7) // 8]], 4, bits, colour, chunk(b"tRNS", b"\0\1"))
    signal = load_image(data)
    peak = 65535 if bits == 16 else 255
    scale = peak // ((1 << bits) - 1)
    assert signal.samples[0, :, 0].tolist() == [v * scale for v in values]
    assert signal.samples[0, :, 1].tolist() == [0 if v == 1 else peak for v in values]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_rgb_png_key_colour_becomes_alpha(noise, png_of, chunk, dtype):
    samples = noise(4, 4, 3, dtype)
    samples[2, 1] = samples[0, 3] = (7, 8, 9)
    signal = load_image(png_of(samples, chunk(b"tRNS", struct.pack(">HHH", 7, 8, 9))))
    peak = np.iinfo(dtype).max
    assert np.array_equal(signal.samples[..., :3], samples)
    clear = (samples == (7, 8, 9)).all(2)
    assert np.array_equal(signal.samples[..., 3], np.where(clear, 0, peak))


def test_palette_becomes_rgb_and_with_transparency_rgba(png_file, chunk):
    palette = chunk(b"PLTE", bytes([10, 20, 30, 40, 50, 60, 70, 80, 90]))
    rows = [bytes([0, 1, 2])]
    assert load_image(png_file(rows, 3, 8, 3, palette)).samples.tolist() == [
        [[10, 20, 30], [40, 50, 60], [70, 80, 90]]
    ]
    clear = palette + chunk(b"tRNS", bytes([255, 128]))
    assert load_image(png_file(rows, 3, 8, 3, clear)).samples.tolist() == [
        [[10, 20, 30, 255], [40, 50, 60, 128], [70, 80, 90, 255]]
    ]


def test_one_bit_becomes_grey_0_and_255(png_file):
    signal = load_image(png_file([b"\xa0"], 3, 1, 0))
    assert signal.samples[0, :, 0].tolist() == [255, 0, 255]
    assert signal.bit_depth == 8


@pytest.mark.parametrize(
    ("format_name", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "packbits"}),
        ("PPM", {}),
    ],
)
def test_lossless_rgb_files_give_the_samples_that_were_saved(noise, saved, format_name, options):
    samples = noise(19, 23, 3)
    assert np.array_equal(load_image(saved(samples, format_name, **options)).samples, samples)


@pytest.mark.parametrize("format_name", ["JPEG", "WEBP", "AVIF"])
def test_lossy_files_give_what_pillow_decodes(saved, noise, format_name):
    data = saved(noise(16, 24, 3), format_name)
    assert np.array_equal(load_image(data).samples, np.array(Image.open(io.BytesIO(data))))


def test_grey_jpeg_stays_grey(saved, noise):
    assert load_image(saved(noise(16, 16, 1), "JPEG")).channels == 1


def test_cmyk_jpeg_becomes_rgb_without_its_profile():
    out = io.BytesIO()
    Image.new("CMYK", (8, 8), (255, 0, 0, 0)).save(out, "JPEG", quality=95)
    signal = load_image(out.getvalue())
    assert signal.channels == 3
    assert np.abs(signal.samples.astype(int) - (0, 255, 255)).max() <= 3


def test_cmyk_profile_that_cannot_be_used_is_dropped_with_a_warning():
    out = io.BytesIO()
    wrong = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("CMYK", (8, 8), (0, 255, 0, 0)).save(out, "JPEG", icc_profile=wrong)
    with pytest.warns(UserWarning, match="CMYK profile cannot be used"):
        signal = load_image(out.getvalue())
    assert signal.channels == 3
    assert "icc" not in signal.metadata


def test_16_bit_cmyk_tiff_is_read_at_8_bits_with_a_warning(noise, tiff_of):
    with pytest.warns(UserWarning, match="16-bit CMYK samples is read at 8 bits"):
        data = tiff_of(noise(4, 4, 4, np.uint16), compression=8, t262=5, t338=())
        assert load_image(data).bit_depth == 8


def test_10_bit_avif_is_read_at_8_bits_with_a_warning():
    with pytest.warns(UserWarning, match="more than 8 bits is read at 8 bits"):
        signal = load_image(zlib.decompress(base64.b85decode(TEN_BIT_AVIF)))
    assert signal.samples.shape == (64, 64, 3)


def test_gif_and_other_animations_give_their_first_picture_with_a_warning(noise, saved):
    first, second = (np.full((4, 4, 3), level, np.uint8) for level in (40, 200))
    for format_name in ("GIF", "WEBP", "PNG", "TIFF"):
        data = saved(first, format_name, save_all=True, append_images=[Image.fromarray(second)])
        with pytest.warns(UserWarning, match="2 pictures; only the first is read"):
            signal = load_image(data)
        assert np.abs(signal.samples[..., :3].astype(int) - 40).max() <= 1


def test_transparent_gif_becomes_rgba(saved):
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[:, 2:] = (200, 30, 40, 255)
    signal = load_image(saved(rgba, "GIF"))
    assert signal.channels == 4
    assert (signal.samples[:, :2, 3] == 0).all()
    assert (signal.samples[:, 2:] == (200, 30, 40, 255)).all()


@pytest.mark.parametrize("orientation", ALL_ORIENTATIONS)
@pytest.mark.parametrize(
    ("format_name", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ],
)
def test_orientation_is_applied_and_reset_in_lossless_files(
    noise, saved, format_name, options, orientation
):
    samples = noise(6, 9, 3)
    data = saved(samples, format_name, exif=exif_block(orientation), **options)
    signal = load_image(data)
    assert np.array_equal(signal.samples, turned(samples, orientation))
    kept = Image.Exif()
    kept.load(signal.metadata["exif"])
    assert kept.get(0x0112, 1) == 1
    assert kept[0x010F] == "A Camera Maker"


@pytest.mark.parametrize("orientation", ALL_ORIENTATIONS)
@pytest.mark.parametrize("format_name", ["JPEG", "AVIF"])
def test_orientation_is_applied_in_lossy_files(saved, format_name, orientation):
    y, x = np.mgrid[:32, :48]
    samples = np.stack([y * 7, x * 5, 0 * x], -1).astype(np.uint8)
    options = {"quality": 95, "exif": exif_block(orientation)}
    signal = load_image(saved(samples, format_name, **options))
    expected = turned(samples, orientation)
    assert signal.samples.shape == expected.shape
    assert np.abs(signal.samples.astype(int) - expected).mean() < 4


@pytest.mark.parametrize("orientation", ALL_ORIENTATIONS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_orientation_is_applied_once_to_16_bit_files(
    noise, png_of, tiff_of, chunk, channels, orientation
):
    samples = noise(5, 8, channels, np.uint16)
    exif = chunk(b"eXIf", exif_block(orientation).tobytes().removeprefix(b"Exif\0\0"))
    expected = turned(samples, orientation)
    assert np.array_equal(load_image(png_of(samples, before=exif)).samples, expected)
    assert np.array_equal(load_image(png_of(samples, after=exif)).samples, expected)
    for compression in (1, 8):
        data = tiff_of(samples, compression=compression, t274=orientation)
        assert np.array_equal(load_image(data).samples, expected)


def test_12_bit_tiff_spreads_over_16_bits(tiff_of):
    packed = np.array([[[0x00], [0x0F], [0xFF]]], np.uint8)  # 0x000 and 0xfff
    loaded = load_image(tiff_of(packed, t256=2, t258=12)).samples
    assert loaded[0, :, 0].tolist() == [0, 65535]


def test_format_is_told_by_content_not_by_name(noise, saved):
    samples = noise(4, 4, 3)
    assert np.array_equal(load_image(saved(samples, "PNG"), "photo.jpg").samples, samples)


def test_every_extension_that_is_written_is_read():
    assert set(EXTENSIONS_OUT) <= set(EXTENSIONS_IN)
    assert {".png", ".jpg", ".webp", ".tif", ".avif", ".pgm", ".bmp", ".gif"} <= set(EXTENSIONS_IN)


def test_20_megapixels_load_within_four_copies(saved):
    samples = np.zeros((4000, 5000, 3), np.uint8)
    data = saved(samples, "PNG", compress_level=1)
    tracemalloc.start()
    loaded = load_image(data).samples
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert loaded.shape == samples.shape
    # Pillow's own 4 bytes per pixel are outside of Python's count: 1.33 copies more.
    assert peak_bytes < 2.5 * samples.nbytes
