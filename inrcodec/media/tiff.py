"""TIFF: an exact writer for 1 to 4 channels of 8 or 16 bits, and what Pillow cannot read.

Pillow's writer has no 16-bit colour, its reader no 16-bit grey with alpha. Tag numbers: TIFF 6.0
(Adobe, 1992); compression 8 is Deflate (Adobe Photoshop TIFF Technical Notes, 2002).
"""

from __future__ import annotations

import io
import zlib

import numpy as np
from PIL import TiffImagePlugin, TiffTags

from inrcodec.errors import BadInput
from inrcodec.media.limit import check_pixels
from inrcodec.media.metadata import descriptive_tags, parse_exif

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIP_OFFSETS, SAMPLES_PER_PIXEL, ROWS_PER_STRIP, STRIP_BYTES = 273, 277, 278, 279
PLANAR, PREDICTOR, EXTRA_SAMPLES, SAMPLE_FORMAT = 284, 317, 338, 339
XMP, ICC = 700, 34675
_DEFLATE, _HORIZONTAL, _UNASSOCIATED_ALPHA = 8, 2, 2
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_STRIP_BYTES = 1 << 18
_ZLIB_LEVEL = 6
SIGNATURES = (b"II*\0", b"MM\0*")


def is_wide_grey_alpha(data: bytes) -> bool:
    """Whether a TIFF file holds grey + alpha of 16 bits each, which Pillow does not read."""
    if not data.startswith(SIGNATURES):
        return False
    tags = parse_exif(data)
    return (
        tags.get(BITS) == (16, 16)
        and tags.get(SAMPLES_PER_PIXEL) == 2
        and tags.get(PHOTOMETRIC) in (_WHITE_IS_ZERO, _BLACK_IS_ZERO)
        and tags.get(SAMPLE_FORMAT, 1) in (1, (1, 1))
    )


def read_wide_grey_alpha(data: bytes) -> np.ndarray:
    """The samples of a TIFF file with 16-bit grey + alpha: [height, width, 2] uint16.

    Raises:
        BadInput: the file is damaged, tiled, in planes, or its alpha is premultiplied.
        LimitExceeded: more pixels than Pillow would read.
    """
    import av  # slow to load, and wanted for this rare layout only

    tags = parse_exif(data)
    layout = (tags.get(PHOTOMETRIC), tags.get(PLANAR, 1), tags.get(EXTRA_SAMPLES))
    if layout != (_BLACK_IS_ZERO, 1, _UNASSOCIATED_ALPHA):
        raise BadInput(
            "TIFF with 16-bit grey + alpha has photometric, planar configuration, extra samples "
            f"{layout}, expected {(_BLACK_IS_ZERO, 1, _UNASSOCIATED_ALPHA)}; save it as PNG first"
        )
    check_pixels(tags.get(WIDTH, 0), tags.get(HEIGHT, 0))
    try:
        frames = av.CodecContext.create("tiff", "r").decode(av.Packet(data))
    except av.FFmpegError as error:
        raise BadInput(f"TIFF with 16-bit grey + alpha cannot be read ({error})") from error
    if not frames or frames[0].format.name not in ("ya16le", "ya16be"):
        raise BadInput("TIFF with 16-bit grey + alpha cannot be read; save it as PNG first")
    frame = frames[0]
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    rows = np.ascontiguousarray(rows[: frame.height, : frame.width * 4])
    order = ">u2" if frame.format.name.endswith("be") else "<u2"
    return rows.view(order).reshape(frame.height, frame.width, 2).astype(np.uint16)


def write_tiff(samples: np.ndarray, metadata: dict[str, bytes]) -> bytes:
    """The bytes of a TIFF file (Deflate, horizontal predictor) that holds the samples exactly.

    Args:
        samples: [height, width, 1..4] uint8 or uint16, full range of their type.
        metadata: "icc" and "xmp" go to their tags; of "exif" what describes the picture.
    """
    height, width, channels = samples.shape
    row_bytes = width * channels * samples.dtype.itemsize
    strip_rows = min(height, max(1, _STRIP_BYTES // row_bytes))
    strips = [_strip(samples[top : top + strip_rows]) for top in range(0, height, strip_rows)]
    lengths = [len(strip) for strip in strips]

    tags = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    if exif := metadata.get("exif"):
        for tag, value in descriptive_tags(parse_exif(exif)).items():
            tags[tag] = value
    tags[WIDTH], tags[HEIGHT] = width, height
    tags[BITS] = (8 * samples.dtype.itemsize,) * channels
    tags[COMPRESSION], tags[PREDICTOR], tags[PLANAR] = _DEFLATE, _HORIZONTAL, 1
    tags[PHOTOMETRIC] = _BLACK_IS_ZERO if channels <= 2 else _RGB
    tags[SAMPLES_PER_PIXEL] = channels
    if channels in (2, 4):
        tags[EXTRA_SAMPLES] = _UNASSOCIATED_ALPHA
    if icc := metadata.get("icc"):
        tags[ICC] = icc
    if xmp := metadata.get("xmp"):
        tags[XMP] = xmp
    tags[ROWS_PER_STRIP] = strip_rows
    for tag in (STRIP_BYTES, STRIP_OFFSETS):
        tags.tagtype[tag] = TiffTags.LONG
    tags[STRIP_BYTES] = tuple(lengths)
    # Offsets count from the end of the directory here: Pillow adds where that is.
    tags[STRIP_OFFSETS] = tuple(int(x) for x in np.cumsum([0, *lengths[:-1]]))
    out = io.BytesIO()
    tags.save(out)
    out.writelines(strips)
    return out.getvalue()


def _strip(rows: np.ndarray) -> bytes:
    """Rows as differences to the pixel on the left (TIFF 6.0, section 14), deflated."""
    differences = rows.copy()
    differences[:, 1:] -= rows[:, :-1]
    little_endian = differences.astype(rows.dtype.newbyteorder("<"), copy=False)
    return zlib.compress(little_endian.tobytes(), _ZLIB_LEVEL)
