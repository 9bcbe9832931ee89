"""PNG: strict checks before reading, and an exact writer for 1 to 4 channels of 8 or 16 bits.

Pillow reads PNG well but takes a picture whose compressed data end early for a whole one (the rest
stays black), and it cannot write 16-bit colour. Section numbers are those of the PNG
specification, third edition (W3C, 2025).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from inrcodec.errors import BadInput

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# First x, first y, x step, y step of each pass (section 8.1).
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_BAND_BYTES = 1 << 20  # rows are filtered in bands of about this size, so memory stays small
_FEED_BYTES = 1 << 16  # deflate expands at most 1032 times: at most 64 MiB at once
_ZLIB_LEVEL = 6


@dataclass(frozen=True)
class PngFacts:
    """What the chunks of a PNG file say, as far as Pillow does not tell it exactly."""

    width: int
    height: int
    bits: int
    colour_type: int
    interlaced: bool
    transparent: tuple[int, ...] | None

    @property
    def bits_per_pixel(self) -> int:
        return self.bits * _CHANNELS[self.colour_type]


def check_png(data: bytes) -> PngFacts:
    """The facts of a PNG file, once it is proven whole: every chunk, check sum and row is there.

    Raises:
        BadInput: the file ends early, a critical chunk is damaged, or rows are missing.
    """
    facts: PngFacts | None = None
    transparent: tuple[int, ...] | None = None
    inflate = zlib.decompressobj()
    inflated_bytes = 0
    for kind, body in _chunks(data):
        if kind == b"IHDR":
            width, height, bits, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
            facts = PngFacts(width, height, bits, colour, bool(interlace), None)
        elif kind == b"tRNS" and facts and facts.colour_type in (0, 2):
            wanted = 2 * _CHANNELS[facts.colour_type]
            if len(body) < wanted:
                raise BadInput(f"PNG chunk tRNS has {len(body)} bytes, expected {wanted}")
            mask = (1 << facts.bits) - 1
            transparent = tuple(v & mask for (v,) in struct.iter_unpack(">H", body[:wanted]))
        elif kind == b"IDAT":
            inflated_bytes += _inflated_length(inflate, body)
    if facts is None or facts.colour_type not in _CHANNELS:
        raise BadInput("PNG file without a valid IHDR chunk; it is damaged")
    expected = _raster_bytes(facts)
    if inflated_bytes < expected:
        raise BadInput(
            f"PNG picture is truncated: {inflated_bytes} of {expected} bytes of rows are there; "
            "get the file again"
        )
    return PngFacts(width, height, bits, colour, bool(interlace), transparent)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Type and body of each chunk up to IEND, check sums verified (ancillary damage is skipped)."""
    view = memoryview(data)
    position = len(SIGNATURE)
    kind = b""
    while kind != b"IEND":
        if position + 12 > len(data):
            raise BadInput(f"PNG file is truncated after {len(data)} bytes; get the file again")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            raise BadInput(
                f"PNG file is truncated: chunk {kind.decode('latin-1')} should end at byte "
                f"{end + 4}, the file has {len(data)}; get the file again"
            )
        (stored,) = struct.unpack_from(">I", data, end)
        intact = zlib.crc32(view[position + 4 : end]) == stored
        critical = not kind[0] & 0x20  # bit 5 of the first letter (section 5.4)
        if critical and not intact:
            raise BadInput(f"PNG chunk {kind.decode('latin-1')} is damaged: its check sum is wrong")
        if intact:
            yield kind, view[position + 8 : end]
        position = end + 4


def _inflated_length(inflate: zlib._Decompress, body: memoryview) -> int:
    """Number of bytes that one more IDAT chunk inflates to; none of them are kept."""
    try:
        return sum(
            len(inflate.decompress(body[start : start + _FEED_BYTES]))
            for start in range(0, len(body), _FEED_BYTES)
            if not inflate.eof
        )
    except zlib.error as error:
        raise BadInput(f"PNG picture data are damaged ({error})") from error


def _raster_bytes(facts: PngFacts) -> int:
    """Bytes of the filtered rows of the whole picture, filter type bytes included."""
    passes = _ADAM7 if facts.interlaced else ((0, 0, 1, 1),)
    total = 0
    for x, y, step_x, step_y in passes:
        columns = -(-(facts.width - x) // step_x) if facts.width > x else 0
        rows = -(-(facts.height - y) // step_y) if facts.height > y else 0
        if columns:
            total += rows * (1 + (columns * facts.bits_per_pixel + 7) // 8)
    return total


def write_png(samples: np.ndarray, metadata: dict[str, bytes]) -> bytes:
    """The bytes of a PNG file that holds the samples exactly; same input, same bytes.

    Args:
        samples: [height, width, 1..4] uint8 or uint16, full range of their type.
        metadata: "icc", "exif", "xmp" go to the chunks iCCP, eXIf and iTXt.
    """
    height, width, channels = samples.shape
    bits = 8 * samples.dtype.itemsize
    header = struct.pack(">IIBBBBB", width, height, bits, _COLOUR_TYPES[channels], 0, 0, 0)
    parts = [SIGNATURE, _chunk(b"IHDR", header)]
    if icc := metadata.get("icc"):
        parts.append(_chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc, _ZLIB_LEVEL)))
    if xmp := metadata.get("xmp"):
        parts.append(_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    if exif := metadata.get("exif"):
        parts.append(_chunk(b"eXIf", exif))
    deflate = zlib.compressobj(_ZLIB_LEVEL)
    for rows in _filtered_bands(samples):
        if packed := deflate.compress(rows):
            parts.append(_chunk(b"IDAT", packed))
    parts += [_chunk(b"IDAT", deflate.flush()), _chunk(b"IEND", b"")]
    return b"".join(parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _filtered_bands(samples: np.ndarray) -> Iterator[bytes]:
    """Filtered rows, band by band; each row takes the filter of least absolute sum (12.7)."""
    height, width, channels = samples.shape
    pixel_bytes = channels * samples.dtype.itemsize
    row_bytes = width * pixel_bytes
    step = max(1, _BAND_BYTES // row_bytes)
    above = np.zeros((1, row_bytes), np.uint8)
    for top in range(0, height, step):
        band = samples[top : top + step]
        if band.dtype == np.uint16:
            band = band.astype(">u2")  # PNG is big-endian (section 7.1)
        rows = np.ascontiguousarray(band).view(np.uint8).reshape(len(band), row_bytes)
        up = np.concatenate([above, rows[:-1]])
        above = rows[-1:]
        candidates = _filter_rows(rows, up, pixel_bytes)
        costs = [np.abs(c.view(np.int8).astype(np.int16)).sum(1, np.int64) for c in candidates]
        best = np.argmin(costs, axis=0)
        out = np.empty((len(rows), 1 + row_bytes), np.uint8)
        out[:, 0] = best
        for number, candidate in enumerate(candidates):
            out[best == number, 1:] = candidate[best == number]
        yield out.tobytes()


def _filter_rows(rows: np.ndarray, up: np.ndarray, pixel_bytes: int) -> list[np.ndarray]:
    """The rows under filters 0 none, 1 sub, 2 up, 3 average, 4 Paeth (section 9.2), modulo 256.

    Args:
        rows: [n, row_bytes] uint8.
        up: [n, row_bytes] uint8, the unfiltered row above each row.
        pixel_bytes: distance in bytes to the same byte of the pixel on the left.
    """
    left, up_left = np.zeros_like(rows), np.zeros_like(rows)
    left[:, pixel_bytes:] = rows[:, :-pixel_bytes]
    up_left[:, pixel_bytes:] = up[:, :-pixel_bytes]
    a, b, c = (x.astype(np.int16) for x in (left, up, up_left))
    near_a, near_b, near_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    paeth = np.where(
        (near_a <= near_b) & (near_a <= near_c), left, np.where(near_b <= near_c, up, up_left)
    )
    average = ((a + b) >> 1).astype(np.uint8)
    return [rows, rows - left, rows - up, rows - average, rows - paeth]
