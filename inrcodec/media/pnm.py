"""PNM, exactly: PBM, PGM and PPM (plain and raw) and PAM, with every legal maxval.

Pillow cuts 16-bit PPM to 8 bits and does not know PAM. Formats: pbm(5), pgm(5), ppm(5), pam(5)
of Netpbm.
"""

from __future__ import annotations

import re
import warnings
from typing import NamedTuple

import numpy as np

from inrcodec.errors import BadInput
from inrcodec.media.limit import check_pixels

_TOKEN = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])*([^\s#]+)")
_PFM = (b"PF", b"Pf")


class _Header(NamedTuple):
    magic: bytes
    width: int
    height: int
    channels: int
    maxval: int
    start: int


def is_pnm(data: bytes) -> bool:
    """Whether the bytes begin like a PNM, PAM or PFM file."""
    return bool(re.match(rb"P[1-7Ff][\s#]", data))


def read_pnm(data: bytes) -> np.ndarray:
    """The samples of the first picture of a PNM or PAM file: [height, width, channels].

    Samples are spread over the whole range of uint8 (maxval up to 255) or uint16 (above):
    `round(x * 255 / maxval)`, `round(x * 65535 / maxval)`. Bitmaps become grey 0 and 255.

    Raises:
        BadInput: a header or the samples are damaged or cut, or it is a floating point PFM file.
        LimitExceeded: more pixels than Pillow would read.
    """
    if data[:2] in _PFM:
        raise BadInput(
            "a floating point PFM file; scale it to integers first, as 16-bit PNG or PPM"
        )
    header = _pam_header(data) if data.startswith(b"P7") else _pnm_header(data)
    if min(header.width, header.height) < 1 or not 1 <= header.maxval <= 65535:
        raise BadInput(
            f"PNM header says {header.width}x{header.height}, maxval {header.maxval}; "
            "expected at least 1x1 and a maxval of 1 to 65535"
        )
    check_pixels(header.width, header.height)
    if header.magic in (b"P1", b"P4"):
        return _bitmap(data, header)
    values = _plain(data, header) if header.magic in (b"P2", b"P3") else _raw(data, header)
    if (largest := int(values.max())) > header.maxval:
        raise BadInput(f"PNM sample {largest} is above the maxval {header.maxval} of the header")
    return _spread(values, header.maxval)


def _pnm_header(data: bytes) -> _Header:
    magic = data[:2]
    numbers, position = [], 2
    for name in ("width", "height", "maxval")[: 2 if magic in (b"P1", b"P4") else 3]:
        token = _TOKEN.match(data, position)
        if token is None or not token[1].isdigit() or len(token[1]) > 10:
            found = bytes(data[position : position + 12])
            raise BadInput(f"PNM header has {found!r} for its {name}, expected a number")
        numbers.append(int(token[1]))
        position = token.end()
    width, height, maxval = (*numbers, 1)[:3]
    channels = 3 if magic in (b"P3", b"P6") else 1
    return _Header(magic, width, height, channels, maxval, position + 1)


def _pam_header(data: bytes) -> _Header:
    end = re.compile(rb"^ENDHDR[ \t\r]*\n", re.MULTILINE).search(data, 0, 4096)
    if end is None:
        raise BadInput("PAM header has no ENDHDR line")
    pairs = re.findall(rb"^(WIDTH|HEIGHT|DEPTH|MAXVAL)[ \t]+(\d{1,10})", data[: end.start()], re.M)
    fields = {name.decode(): int(value) for name, value in pairs}
    missing = [name for name in ("WIDTH", "HEIGHT", "DEPTH", "MAXVAL") if name not in fields]
    if missing:
        raise BadInput(f"PAM header lacks {', '.join(missing)}")
    if not 1 <= fields["DEPTH"] <= 4:
        raise BadInput(f"PAM picture has {fields['DEPTH']} channels, expected 1 to 4")
    return _Header(
        b"P7", fields["WIDTH"], fields["HEIGHT"], fields["DEPTH"], fields["MAXVAL"], end.end()
    )


def _raster(data: bytes, header: _Header, wanted_bytes: int) -> memoryview:
    """The bytes of the first picture; warns where another picture follows it."""
    raster = memoryview(data)[header.start :]
    if len(raster) < wanted_bytes:
        raise BadInput(
            f"PNM picture is truncated: {len(raster)} of {wanted_bytes} bytes are there; "
            "get the file again"
        )
    if is_pnm(bytes(raster[wanted_bytes : wanted_bytes + 3])):
        warnings.warn("the PNM file holds several pictures; only the first is read", stacklevel=2)
    return raster[:wanted_bytes]


def _raw(data: bytes, header: _Header) -> np.ndarray:
    shape = (header.height, header.width, header.channels)
    dtype = np.dtype(np.uint8 if header.maxval <= 255 else ">u2")
    raster = _raster(data, header, int(np.prod(shape, dtype=object)) * dtype.itemsize)
    return np.frombuffer(raster, dtype).reshape(shape)


def _plain(data: bytes, header: _Header) -> np.ndarray:
    text = re.sub(rb"#[^\r\n]*", b"", data[header.start :])
    if not re.fullmatch(rb"[\s\d]*", text):
        raise BadInput("plain PNM picture holds other characters than digits and spaces")
    values = np.fromstring(text, np.int64, sep=" ")
    wanted = header.height * header.width * header.channels
    if len(values) < wanted:
        raise BadInput(f"PNM picture is truncated: {len(values)} of {wanted} samples are there")
    return values[:wanted].reshape(header.height, header.width, header.channels)


def _bitmap(data: bytes, header: _Header) -> np.ndarray:
    """Bitmaps say 1 for black: grey 0; and 0 for white: grey 255."""
    if header.magic == b"P4":
        row_bytes = (header.width + 7) // 8
        raster = _raster(data, header, row_bytes * header.height)
        rows = np.frombuffer(raster, np.uint8).reshape(header.height, row_bytes)
        black = np.unpackbits(rows, axis=1, count=header.width)
    else:
        text = re.sub(rb"#[^\r\n]*|\s", b"", data[header.start - 1 :])
        wanted = header.height * header.width
        if len(text) < wanted or re.search(rb"[^01]", text):
            raise BadInput(f"plain PBM picture lacks some of its {wanted} digits 0 or 1")
        digits = np.frombuffer(text, np.uint8)[:wanted]
        black = (digits - ord("0")).reshape(header.height, header.width)
    return np.where(black, 0, 255).astype(np.uint8)[:, :, None]


def _spread(values: np.ndarray, maxval: int) -> np.ndarray:
    dtype, peak = (np.uint8, 255) if maxval <= 255 else (np.uint16, 65535)
    if maxval == peak:
        return values.astype(dtype)
    table = (np.arange(maxval + 1) * peak + maxval // 2) // maxval
    return table.astype(dtype)[values]


def write_pnm(samples: np.ndarray, peak: int, as_pam: bool) -> bytes:
    """The bytes of a raw PGM or PPM file, or of a PAM file; samples are exact.

    Args:
        samples: [height, width, channels] uint8 or uint16, in [0, peak]; channels 1 or 3 for
            PGM and PPM, 1 to 4 for PAM.
        peak: goes into the header as maxval.
        as_pam: PAM instead of PGM (1 channel) or PPM (3 channels).
    """
    height, width, channels = samples.shape
    header = f"P{5 if channels == 1 else 6}\n{width} {height}\n{peak}\n"
    if as_pam:
        kind = {1: "GRAYSCALE", 2: "GRAYSCALE_ALPHA", 3: "RGB", 4: "RGB_ALPHA"}[channels]
        header = f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {channels}\n"
        header += f"MAXVAL {peak}\nTUPLTYPE {kind}\nENDHDR\n"
    dtype = np.uint8 if peak <= 255 else ">u2"
    return header.encode() + samples.astype(dtype, copy=False).tobytes()
