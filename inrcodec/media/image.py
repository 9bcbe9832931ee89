"""Images as people have them, in and out: file bytes to Signal and back.

| format | in | out |
|---|---|---|
| PNG | all, 16 bits kept, tRNS becomes alpha | exact, 8 and 16 bits; the default |
| TIFF | 8 and 16 bits, not floating point | exact, 8 and 16 bits |
| PGM PPM PNM PAM PBM | all, every maxval | exact, at the depth of the signal |
| WebP | all | lossless, 8 bits (grey becomes RGB) |
| BMP | all | exact, 8 bits, no alpha, no metadata |
| JPEG | 8 bits; CMYK becomes RGB | quality 95, 4:4:4, no alpha |
| AVIF | at 8 bits | quality 95, 4:4:4, 8 bits (grey becomes RGB) |
| GIF | first picture | no |
"""

from __future__ import annotations

import io
import warnings
from dataclasses import replace

import numpy as np
from PIL import Image, UnidentifiedImageError

from inrcodec.errors import BadInput, BadOption, InrError, LimitExceeded
from inrcodec.media.metadata import upright_exif, upright_xmp
from inrcodec.media.png import write_png
from inrcodec.media.pnm import is_pnm, read_pnm, write_pnm
from inrcodec.media.raster import read_raster, read_wide_tiff
from inrcodec.media.tiff import is_wide_grey_alpha, write_tiff
from inrcodec.signal import Signal

_PNM_IN = dict.fromkeys((".pbm", ".pgm", ".ppm", ".pnm", ".pam"), "PNM")
EXTENSIONS_OUT = {
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".pgm": "PNM",
    ".ppm": "PNM",
    ".pnm": "PNM",
    ".pam": "PNM",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".bmp": "BMP",
}
EXTENSIONS_IN = {**EXTENSIONS_OUT, **_PNM_IN, ".jfif": "JPEG", ".gif": "GIF"}

_READ = "PNG, JPEG, WebP, TIFF, AVIF, PNM (PBM, PGM, PPM, PAM), BMP and GIF are read"
# Position and mark of the files that people have, for error messages; the first match counts.
_MARKS = (
    (0, b"\x89PNG", "a PNG file"),
    (0, b"\xff\xd8\xff", "a JPEG file"),
    (8, b"WEBP", "a WebP file"),
    (0, b"II*\0", "a TIFF file"),
    (0, b"MM\0*", "a TIFF file"),
    (4, b"ftypavi", "an AVIF file"),
    (0, b"GIF8", "a GIF file"),
    (0, b"%PDF", "a PDF document"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"v/1\x01", "an OpenEXR file"),
    (0, b"\xff\x0a", "a JPEG XL file"),
    (4, b"JXL ", "a JPEG XL file"),
    (4, b"jP  ", "a JPEG 2000 file"),
    (4, b"ftyphei", "a HEIC file"),
    (4, b"ftyp", "a video or HEIF file"),
    (1, b"INR\r\n", "an .inr file, which is decoded, not encoded"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
)
# Pillow's options; see the table above for what they mean. `exact` keeps colours under alpha 0.
_SAVE_OPTIONS: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True, "exact": True},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
    "BMP": {},
}
_CARRIES = {
    **dict.fromkeys(("PNG", "TIFF", "JPEG", "WEBP", "AVIF"), ("icc", "exif", "xmp")),
    **dict.fromkeys(("BMP", "PNM"), ()),
}
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
# One JPEG segment holds 65533 bytes with its identifier; profiles alone may span several.
_JPEG_EXIF_BYTES, _JPEG_XMP_BYTES = 65533 - 6, 65533 - 29
_EXIF_MARKER = b"Exif\0\0"


def load_image(data: bytes, name: str = "") -> Signal:
    """The picture in the bytes of a file, upright; the format is told by content, not by name.

    8-bit files give bit_depth 8 and 16-bit files 16, every sample as stored. Other depths are
    spread over the next larger one, `round(x * new_peak / old_peak)`: 1-bit becomes 0 and 255,
    12-bit TIFF and PNM of maxval 1023 become 16-bit. Palettes become RGB (RGBA if some entry is
    transparent), CMYK becomes RGB. Of several pictures the first is read, with a warning.

    Args:
        data: the whole file.
        name: what error messages call it.

    Raises:
        BadInput: no picture, an unknown format, a damaged or cut file, floating point samples.
        LimitExceeded: more pixels than twice `PIL.Image.MAX_IMAGE_PIXELS`.
    """
    label = name or "the picture"
    if not data:
        raise BadInput(f"{label}: empty, expected a picture; {_READ}")
    try:
        samples, metadata = _read(data)
        depth = 8 * samples.dtype.itemsize
        return Signal(np.ascontiguousarray(samples), depth, metadata=metadata)
    except InrError as error:
        raise type(error)(f"{label}: {error}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise LimitExceeded(f"{label}: {error or 'not enough memory for it'}") from error
    except UnidentifiedImageError as error:
        raise BadInput(f"{label}: found {_found(data)}, which cannot be read; {_READ}") from error
    except Exception as error:  # on damaged files Pillow raises nearly every type there is
        raise BadInput(
            f"{label}: {_found(data)} that is damaged, cut short, or of a kind that is not read "
            f"({error}); get the file again or save it as PNG"
        ) from error


def _read(data: bytes) -> tuple[np.ndarray, dict[str, bytes]]:
    if is_pnm(data):
        return read_pnm(data), {}
    try:
        return read_raster(data)
    except UnidentifiedImageError:
        if not is_wide_grey_alpha(data):
            raise
    return read_wide_tiff(data)


def _found(data: bytes) -> str:
    """What the bytes seem to be, for an error message."""
    for position, mark, meaning in _MARKS:
        if data.startswith(mark, position):
            return meaning
    head = data[:256]
    if all(byte >= 32 or byte in b"\t\r\n\f" for byte in head):
        return f"text ({head[:24].decode('utf-8', 'replace')!r})"
    if data.startswith(b"BM"):
        return "a BMP file"
    return f"{len(data)} bytes that begin with {head[:8].hex(' ')}"


def save_image(signal: Signal, extension: str) -> bytes:
    """The bytes of a picture file of the kind that the extension names.

    PNG and TIFF hold depths 8 and 16 exactly; other depths are scaled to 8 (below) or 16 bits
    (9 to 15), `round(x * new_peak / old_peak)`. PGM, PPM, PNM and PAM keep any depth, as maxval.
    JPEG and AVIF are lossy at quality 95 without chroma subsampling, WebP is lossless, 8 bits all.
    ICC, EXIF and XMP are written where the format holds them, with a warning where it does not.

    Args:
        signal: the picture.
        extension: one of EXTENSIONS_OUT, in any case, with or without its dot.

    Raises:
        BadOption: an unknown extension, or the format cannot hold the picture.
    """
    suffix = "." + extension.lower().removeprefix(".")
    format_name = EXTENSIONS_OUT.get(suffix)
    if format_name is None:
        raise BadOption(
            f"extension {extension!r} is not a picture format that is written; "
            f"choose one of {' '.join(EXTENSIONS_OUT)}"
        )
    metadata = _writable_metadata(signal, format_name)
    if format_name == "PNM":
        return _save_pnm(signal, suffix)
    if format_name in ("PNG", "TIFF"):
        exact = convert_depth(signal, 8 if signal.bit_depth <= 8 else 16)
        return (write_png if format_name == "PNG" else write_tiff)(exact.samples, metadata)
    return _save_with_pillow(signal, suffix, format_name, metadata)


def convert_depth(signal: Signal, bit_depth: int) -> Signal:
    """The signal at another depth: `round(x * new_peak / old_peak)` in integers, 0 and peak kept.

    Args:
        signal: what to convert; metadata are kept.
        bit_depth: 1..16.

    Raises:
        BadOption: a depth outside 1..16.
    """
    if not 1 <= bit_depth <= 16:
        raise BadOption(f"bit depth is {bit_depth}, expected 1 to 16")
    if bit_depth == signal.bit_depth:
        return signal
    old, new = signal.peak, (1 << bit_depth) - 1
    table = (np.arange(old + 1) * new + old // 2) // old
    samples = table.astype(np.uint8 if bit_depth <= 8 else np.uint16)[signal.samples]
    return replace(signal, samples=samples, bit_depth=bit_depth)


def _save_pnm(signal: Signal, suffix: str) -> bytes:
    samples = signal.samples
    if suffix == ".ppm" and signal.channels == 1:
        samples = np.repeat(samples, 3, axis=2)
    fits = {".pgm": (1,), ".ppm": (1, 3), ".pnm": (1, 3), ".pam": (1, 2, 3, 4)}[suffix]
    if signal.channels not in fits:
        other = ".pam or .png" if signal.has_alpha else ".ppm or .png"
        raise BadOption(f"{suffix} cannot hold {_MODES[signal.channels]} pictures; choose {other}")
    return write_pnm(samples, signal.peak, as_pam=suffix == ".pam")


def _save_with_pillow(
    signal: Signal, suffix: str, format_name: str, metadata: dict[str, bytes]
) -> bytes:
    if signal.bit_depth > 8:
        raise BadOption(
            f"{suffix} holds 8 bits, the picture has {signal.bit_depth}; "
            "choose --bit-depth 8, or .png or .tif"
        )
    if signal.has_alpha and format_name in ("JPEG", "BMP"):
        raise BadOption(f"{suffix} cannot hold transparency; choose .png, .webp or .avif")
    samples = convert_depth(signal, 8).samples
    image = Image.fromarray(samples[:, :, 0] if signal.channels == 1 else samples)
    out = io.BytesIO()
    try:
        image.save(out, format_name, **_SAVE_OPTIONS[format_name], **_pillow_blocks(metadata))
    except Exception as error:  # the encoders' own limits, mostly on width and height
        raise BadOption(
            f"{suffix} cannot hold this picture of {signal.width}x{signal.height} ({error}); "
            "choose .png"
        ) from error
    return out.getvalue()


def _pillow_blocks(metadata: dict[str, bytes]) -> dict[str, bytes]:
    blocks = {{"icc": "icc_profile"}.get(name, name): block for name, block in metadata.items()}
    if "exif" in blocks:
        blocks["exif"] = _EXIF_MARKER + blocks["exif"]
    return blocks


def _writable_metadata(signal: Signal, format_name: str) -> dict[str, bytes]:
    """The metadata that the format can hold, upright; a warning names what is left out."""
    kept: dict[str, bytes] = {}
    dropped = []
    for name, block in signal.metadata.items():
        if name not in _CARRIES[format_name] or not _fits(name, block, signal, format_name):
            dropped.append(name)
            continue
        try:
            # Samples are upright: a block from elsewhere must not have them turned once more.
            kept[name] = {"exif": upright_exif, "xmp": upright_xmp}.get(name, bytes)(block)
        except BadInput:
            dropped.append(name)
    if dropped:
        names = ", ".join(sorted(dropped))
        warnings.warn(f"{format_name} cannot hold the {names} of this picture", stacklevel=3)
    return kept


def _fits(name: str, block: bytes, signal: Signal, format_name: str) -> bool:
    if format_name == "JPEG":
        return len(block) <= {"exif": _JPEG_EXIF_BYTES, "xmp": _JPEG_XMP_BYTES}.get(name, 1 << 22)
    if name == "icc" and format_name in ("WEBP", "AVIF") and signal.channels <= 2:
        return block[16:20] != b"GRAY"  # the file will hold RGB, which a grey profile misdescribes
    return True
