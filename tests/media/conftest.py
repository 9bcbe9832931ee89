"""Files made by hand, byte by byte: no library stands between a test and its samples."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png_file(
    rows: list[bytes],
    width: int,
    bits: int,
    colour_type: int,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    header = struct.pack(">IIBBBBB", width, len(rows), bits, colour_type, 0, 0, 0)
    raster = zlib.compress(b"".join(b"\0" + row for row in rows))
    body = png_chunk(b"IHDR", header) + before + png_chunk(b"IDAT", raster) + after
    return b"\x89PNG\r\n\x1a\n" + body + png_chunk(b"IEND", b"")


def _png_of(samples: np.ndarray, before: bytes = b"", after: bytes = b"") -> bytes:
    rows = [row.astype(samples.dtype.newbyteorder(">")).tobytes() for row in samples]
    bits, channels = 8 * samples.dtype.itemsize, samples.shape[2]
    return _png_file(rows, samples.shape[1], bits, COLOUR_TYPES[channels], before, after)


def _tiff_of(samples: np.ndarray, order: str = "<", compression: int = 1, **tags: int) -> bytes:
    """A TIFF file in one strip; `tags` like t274=6 add or replace tags."""
    height, width, channels = samples.shape
    raster = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    raster = zlib.compress(raster) if compression == 8 else raster
    directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II" if order == "<" else b"MM")
    values = {256: width, 257: height, 258: (8 * samples.dtype.itemsize,) * channels}
    values |= {259: compression, 262: 1 if channels < 3 else 2, 277: channels, 278: height}
    values |= {273: 0, 279: len(raster)} | ({338: 2} if channels in (2, 4) else {})
    for tag, value in (values | {int(name[1:]): value for name, value in tags.items()}).items():
        directory[tag] = value
    out = io.BytesIO()
    directory.save(out)
    return out.getvalue() + raster


def _saved(samples: np.ndarray, format_name: str, **options: object) -> bytes:
    out = io.BytesIO()
    squeezed = samples[:, :, 0] if samples.ndim == 3 and samples.shape[2] == 1 else samples
    Image.fromarray(squeezed).save(out, format_name, **options)
    return out.getvalue()


def _noise(height: int, width: int, channels: int, dtype: type = np.uint8) -> np.ndarray:
    generator = np.random.default_rng(height * 1000 + width * 10 + channels)
    return generator.integers(0, np.iinfo(dtype).max + 1, (height, width, channels), dtype)


@pytest.fixture
def chunk() -> Callable[..., bytes]:
    return png_chunk


@pytest.fixture
def png_file() -> Callable[..., bytes]:
    return _png_file


@pytest.fixture
def png_of() -> Callable[..., bytes]:
    return _png_of


@pytest.fixture
def tiff_of() -> Callable[..., bytes]:
    return _tiff_of


@pytest.fixture
def saved() -> Callable[..., bytes]:
    return _saved


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    return _noise
