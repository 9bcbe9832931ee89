"""What Pillow decodes, as samples: every mode, truly 16 bits, upright, with its metadata."""

from __future__ import annotations

import io
import sys
import warnings

import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin

from inrcodec.errors import BadInput
from inrcodec.media.metadata import (
    ORIENTATION_TAG,
    exif_of_tiff,
    parse_exif,
    upright_exif,
    upright_xmp,
)
from inrcodec.media.png import PngFacts, check_png
from inrcodec.media.tiff import (
    BITS,
    HEIGHT,
    ICC,
    PHOTOMETRIC,
    PLANAR,
    WIDTH,
    XMP,
    read_wide_grey_alpha,
)

PILLOW_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "AVIF", "BMP", "GIF")
_FLOAT_OR_WIDE = {"F": "floating point", "I": "32-bit or signed 16-bit integer"}
_WHITE_IS_ZERO, _ASSOCIATED_ALPHA = 0, 1


def read_raster(data: bytes) -> tuple[np.ndarray, dict[str, bytes]]:
    """Samples [height, width, 1..4] uint8 or uint16 (full range) and metadata of a picture file.

    Raises:
        BadInput: the samples are of a kind that no Signal holds, or the file is damaged.
        Exception: whatever Pillow raises on files that it does not know, or damaged ones.
    """
    image = _opened(data)
    if image.mode in _FLOAT_OR_WIDE:
        raise BadInput(
            f"{image.format} file with {_FLOAT_OR_WIDE[image.mode]} samples; scale them to 8 or 16 "
            "bits unsigned first, or pass a float array in [0, 1] through the Python API"
        )
    facts = check_png(data) if image.format == "PNG" else None
    _warn_of_loss(image, data)
    samples = _samples(image, data, facts)
    # Read only now: Pillow turns TIFF pictures itself while it loads them, then drops the tag.
    orientation = _orientation(image)
    return upright(samples, orientation), _metadata(image, data)


def read_wide_tiff(data: bytes) -> tuple[np.ndarray, dict[str, bytes]]:
    """Samples and metadata, as from `read_raster`, of a TIFF file with 16-bit grey + alpha."""
    tags = parse_exif(data)
    samples = upright(read_wide_grey_alpha(data), tags.get(ORIENTATION_TAG, 1))
    found = {"icc": tags.get(ICC), "exif": exif_of_tiff(data), "xmp": tags.get(XMP)}
    return samples, _upright_metadata(found)


def upright(samples: np.ndarray, orientation: int) -> np.ndarray:
    """The samples [height, width, channels] turned as EXIF orientation 1 to 8 asks for."""
    turned = {
        2: lambda s: s[:, ::-1],
        3: lambda s: s[::-1, ::-1],
        4: lambda s: s[::-1],
        5: lambda s: s.transpose(1, 0, 2),
        6: lambda s: s[::-1].transpose(1, 0, 2),
        7: lambda s: s[::-1, ::-1].transpose(1, 0, 2),
        8: lambda s: s[:, ::-1].transpose(1, 0, 2),
    }.get(orientation, lambda s: s)(samples)
    return np.ascontiguousarray(turned)


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # Pillow raises many types on a broken block; _metadata warns of it
        return 1


def _warn_of_loss(image: Image.Image, data: bytes) -> None:
    lost = []
    if (pictures := getattr(image, "n_frames", 1)) > 1:
        lost.append(f"{image.format} file with {pictures} pictures; only the first is read")
    if image.mode == "CMYK" and _stored_bits(image, None) > 8:
        lost.append("TIFF file with 16-bit CMYK samples is read at 8 bits")
    if image.format == "AVIF" and _is_deep_avif(data):
        lost.append("AVIF file of more than 8 bits is read at 8 bits")
    for loss in lost:
        warnings.warn(loss, stacklevel=5)


def _is_deep_avif(data: bytes) -> bool:
    """Whether a box av1C sets high_bitdepth: bit 6 of byte 2 (AV1 in ISOBMFF, section 2.3.3)."""
    box = data.find(b"av1C")
    return 0 <= box < len(data) - 6 and bool(data[box + 6] & 0x40)


def _stored_bits(image: Image.Image, png: PngFacts | None) -> int:
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return max(image.tag_v2.get(BITS, (1,)))
    return png.bits if png else 8


def _rawmode(image: Image.Image) -> str:
    """How the first tile is stored, in Pillow's words: "RGB", "RGB;16B" and so on."""
    args = image.tile[0].args if image.tile else ""
    return str(args[0] if isinstance(args, tuple) else args)


def _samples(image: Image.Image, data: bytes, png: PngFacts | None) -> np.ndarray:
    if image.mode in ("RGB", "RGBA") and _stored_bits(image, png) > 8:
        samples = _wide_png(image, data) if png else _wide_tiff(image, data)
    elif image.mode.startswith("I;16"):
        samples = _wide_grey(image)
    else:
        samples = np.array(_plain_mode(image))
    if samples.ndim == 2:
        samples = samples[:, :, None]
    return _with_key_alpha(samples, png) if png and png.transparent else samples


def _plain_mode(image: Image.Image) -> Image.Image:
    """The image in one of the modes L, LA, RGB, RGBA, eight bits each."""
    image.load()
    mode = image.mode
    if mode in ("L", "RGB") and "transparency" in image.info and image.format != "PNG":
        return image.convert("LA" if mode == "L" else "RGBA")
    if mode in ("L", "LA", "RGB", "RGBA"):
        return image
    if mode == "P":
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if mode == "CMYK":
        return _cmyk_to_rgb(image)
    wanted = {"1": "L", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB", "YCbCr": "RGB"}
    if mode not in wanted:
        raise BadInput(f"{image.format} file of colour mode {mode}; save it as RGB PNG first")
    return image.convert(wanted[mode])


def _cmyk_to_rgb(image: Image.Image) -> Image.Image:
    """sRGB through the profile of the file; without one, by the plain formula of Pillow."""
    if profile := image.info.get("icc_profile"):
        try:
            return ImageCms.profileToProfile(
                image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError):
            warnings.warn(
                "the CMYK profile cannot be used; colours are converted without it", stacklevel=2
            )
    return image.convert("RGB")


def _wide_grey(image: Image.Image) -> np.ndarray:
    samples = np.asarray(image).astype(np.uint16)  # I;16B comes big-endian
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        bits = _stored_bits(image, None)
        if bits < 16:
            peak = (1 << bits) - 1
            table = (np.arange(peak + 1) * 65535 + peak // 2) // peak
            samples = table.astype(np.uint16)[samples]
        if image.tag_v2.get(PHOTOMETRIC) == _WHITE_IS_ZERO:
            samples = np.uint16(65535) - samples  # Pillow inverts up to 8 bits only
    return samples


def _wide_png(image: Image.Image, data: bytes) -> np.ndarray:
    """16-bit samples of a PNG picture that Pillow takes for an 8-bit one.

    Pillow's unpackers take one byte of each sample, the high one for big-endian ";16B"; told that
    samples are little-endian, ";16L", it takes the low one. So two passes give all 16 bits.
    """
    model = _rawmode(image).split(";")[0]
    if model == "LA":
        # Grey + alpha has 32 bits per pixel, so the four bytes pass as one 8-bit RGBA pixel.
        return _png_as(image, "RGBA").view(">u2").astype(np.uint16)
    low = _png_as(_opened(data), f"{model};16L")
    return _joined(_png_as(image, f"{model};16B"), low)


def _wide_tiff(image: Image.Image, data: bytes) -> np.ndarray:
    """16-bit samples of an RGB or RGBA TIFF picture, in two passes as in `_wide_png`."""
    if image.tag_v2.get(PLANAR, 1) != 1:
        raise BadInput("TIFF file with 16-bit colour in separate planes; save it interleaved")
    stored = _rawmode(image).split(";")[0]  # RGB, RGBA, RGBX, or RGBa: premultiplied
    model = "RGBA" if stored == "RGBa" else stored
    # libtiff hands samples over in the byte order of the machine.
    high, low = ("L", "B") if sys.byteorder == "little" else ("B", "L")
    low_bytes = _tiff_as(_opened(data), f"{model};16{low}")
    samples = _joined(_tiff_as(image, f"{model};16{high}"), low_bytes)
    return _straight(samples) if stored == "RGBa" else samples


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=PILLOW_FORMATS)


def _png_as(image: Image.Image, rawmode: str) -> np.ndarray:
    """The 8-bit samples that Pillow gives when the stored ones are said to be `rawmode`."""
    image.tile = [tile._replace(args=rawmode) for tile in image.tile]
    return np.asarray(image)


def _tiff_as(image: Image.Image, rawmode: str) -> np.ndarray:
    """The 8-bit samples that libtiff gives when the stored ones are said to be `rawmode`."""
    tags = image.tag_v2
    extents = (0, 0, tags[WIDTH], tags[HEIGHT])
    args = (rawmode, False, tags.offset)
    image.tile = [
        image.tile[0]._replace(codec_name="libtiff", extents=extents, offset=0, args=args)
    ]
    image.use_load_libtiff = True
    return np.asarray(image)


def _joined(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    samples = high.astype(np.uint16)
    samples <<= 8
    samples |= low
    return samples


def _straight(samples: np.ndarray) -> np.ndarray:
    """Colours divided by their alpha, rounded: what they were before they were premultiplied."""
    alpha = samples[..., 3:].astype(np.uint32)
    colour = (samples[..., :3] * np.uint32(65535) + alpha // 2) // np.maximum(alpha, 1)
    return np.concatenate([np.minimum(colour, 65535).astype(np.uint16), samples[..., 3:]], axis=2)


def _with_key_alpha(samples: np.ndarray, png: PngFacts) -> np.ndarray:
    """An alpha channel from the colour that chunk tRNS declares transparent (PNG, 11.3.1.1).

    Done here on the stored values: Pillow compares 2- and 4-bit grey after scaling them to 8 bits.
    """
    peak = np.iinfo(samples.dtype).max
    scale = peak // ((1 << png.bits) - 1)
    clear = (samples == np.array(png.transparent) * scale).all(axis=2, keepdims=True)
    alpha = np.where(clear, 0, peak).astype(samples.dtype)
    return np.concatenate([samples, alpha], axis=2)


def _metadata(image: Image.Image, data: bytes) -> dict[str, bytes]:
    info = image.info
    found: dict[str, bytes | str | None] = {"icc": info.get("icc_profile")}
    if image.mode == "CMYK":
        found["icc"] = None  # describes inks, and the samples are RGB by now
    found["xmp"] = info.get("xmp") or info.get("XML:com.adobe.xmp")
    try:
        found["exif"] = info.get("exif")
        if image.format == "TIFF":
            found["exif"] = exif_of_tiff(data)
        elif found["exif"] is None and "Raw profile type exif" in info:
            found["exif"] = image.getexif().tobytes()
    except Exception as error:  # Pillow raises many types on a broken block
        warnings.warn(f"EXIF left out: {error}", stacklevel=2)
    return _upright_metadata(found)


def _upright_metadata(found: dict[str, bytes | str | None]) -> dict[str, bytes]:
    """The blocks that are there, as bytes, with their orientation reset."""
    blocks = {
        name: block.encode() if isinstance(block, str) else bytes(block)
        for name, block in found.items()
        if block
    }
    if "xmp" in blocks:
        blocks["xmp"] = upright_xmp(blocks["xmp"])
    if "exif" in blocks:
        try:
            blocks["exif"] = upright_exif(blocks["exif"])
        except BadInput as error:
            warnings.warn(f"EXIF left out: {error}", stacklevel=2)
            del blocks["exif"]
    return blocks
