"""The Python interface: arrays and paths in, bytes and Signals out."""

from __future__ import annotations

import os
from numbers import Real
from pathlib import Path
from typing import Any, Self

import numpy as np

from inrcodec import codec, files
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadInput, BadOption, InrError, OutputError
from inrcodec.signal import Signal, image_signal

PathLike = str | os.PathLike[str]


def encode(
    image: np.ndarray | Signal | PathLike,
    *,
    lmbda: float | None = None,
    quality: float | None = None,
    effort: int | None = None,
    field: str = "grid",
    device: str = "auto",
    engine: str = "auto",
    seed: int = 0,
    strip: bool = False,
) -> bytes:
    """An image as the bytes of an `.inr` file.

    Args:
        image: path of a picture, a Signal, or an array [h, w] or [h, w, 1..4] of uint8, uint16,
            bool, or floating point in [0, 1].
        lmbda: weight of the rate in MSE + lmbda * bits per pixel; default 1e-3.
        quality: 0..100 instead of lmbda: lmbda = 10**(-1 - quality/25).
        effort: 1 (quick) to 9 (small); default 5.
        field: family of the representation.
        device: "auto", "cpu", "cuda" or "cuda:n".
        engine: "auto", "reference" or "cpu".
        seed: the same seed and thread count give the same bytes on the CPU; on CUDA up to the
            order in which gradients are added.
        strip: leave ICC, EXIF and XMP out.

    Raises:
        BadInput: the image cannot be read, or holds NaN or values out of range.
        BadOption: an option is out of range.
    """
    options = encode_options(
        lmbda=lmbda,
        quality=quality,
        effort=effort,
        field=field,
        device=device,
        engine=engine,
        seed=seed,
    )
    signal = as_signal(image)
    return codec.encode(signal.stripped() if strip else signal, options).data


def encode_options(
    *,
    lmbda: float | None = None,
    quality: float | None = None,
    effort: int | None = None,
    **rest: Any,
) -> Any:
    """`fit.EncodeOptions` from what a user may leave out.

    Raises:
        BadOption: lmbda and quality both given, or a value out of range.
    """
    from inrcodec import fit
    from inrcodec.fit.presets import lmbda_of_quality

    if lmbda is not None and quality is not None:
        raise BadOption("both lmbda and quality were given; give one of them")
    if quality is not None:
        if not isinstance(quality, Real):
            raise BadOption(f"quality is {quality!r}, expected 0 (smallest) to 100 (finest)")
        lmbda = lmbda_of_quality(float(quality))
    given = {"lmbda": lmbda, "effort": effort}
    return fit.EncodeOptions(**{k: v for k, v in given.items() if v is not None}, **rest)


def as_signal(image: np.ndarray | Signal | PathLike) -> Signal:
    """The Signal of a path, array or Signal."""
    if isinstance(image, Signal):
        return image
    if isinstance(image, (str, os.PathLike)):
        from inrcodec.media.image import load_image

        path = _file_name(image, BadInput)
        return load_image(files.read_bytes(path, Limits().max_file_bytes), Path(path).name)
    return image_signal(image)


def decode(
    file: bytes | PathLike,
    *,
    size: tuple[int, int] | None = None,
    scale: float | None = None,
    region: tuple[float, float, float, float] | None = None,
    bit_depth: int | None = None,
    fast: bool = False,
    limits: Limits | None = None,
) -> Signal:
    """The image in an `.inr` file; `.samples` is its [height, width, channels] array.

    Args:
        file: path or bytes.
        size: (height, width) of the output.
        scale: output pixels per native pixel, instead of a size.
        region: (x, y, width, height) in native pixels.
        bit_depth: bits per output sample, 1..16; default that of the file.
        fast: allow float32, at most one level off at 8 bits.
        limits: what the file may ask for; default `Limits()`.

    Raises:
        CorruptFile, LimitExceeded, UnsupportedFile: the file cannot be decoded.
        BadOption: size, scale or region make no sense for this image.
    """
    data = _data(file, limits)
    return codec.decode(
        data, limits, bit_depth=bit_depth, fast=fast, size=size, scale=scale, region=region
    )


def verify(file: bytes | PathLike, limits: Limits | None = None) -> Signal:
    """The native decode of a file, checked against the hash that the encoder stored.

    Raises:
        CorruptFile: it differs, or no hash is stored.
    """
    return codec.verify(_data(file, limits), limits)


def info(file: bytes | PathLike, limits: Limits | None = None) -> dict[str, Any]:
    """What a file says of itself (size, field, bytes, complexity), without decoding it."""
    return codec.InrFile.parse(_data(file, limits), limits or Limits()).info()


class Image:
    """An open `.inr` image: decoded once, rendered as often as wanted.

    Example:
        with inrcodec.open("photo.inr") as image:
            thumbnail = image.render(size=(128, 192))
            detail = image.render(region=(100, 80, 64, 64), scale=8)
    """

    def __init__(self, file: bytes | PathLike, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._parsed = codec.InrFile.parse(_data(file, limits), self._limits)
        self.info = self._parsed.info()
        self._field: Any = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Frees the decoded field; nothing can be rendered afterwards."""
        self._field = None
        self._closed = True

    def render(
        self,
        size: tuple[int, int] | None = None,
        scale: float | None = None,
        region: tuple[float, float, float, float] | None = None,
        bit_depth: int | None = None,
        fast: bool = False,
    ) -> Signal:
        """The image on any grid; arguments as in `decode`.

        Raises:
            BadOption: the grid makes no sense for this image, or the image was closed.
        """
        if self._closed:
            raise BadOption("the image was closed; open the file again, or render before that")
        grid = self._parsed.grid(self._limits, size=size, scale=scale, region=region)
        if self._field is None:
            self._field = self._parsed.field(self._limits)
        return codec.render(self._field, grid, self._parsed, bit_depth=bit_depth, fast=fast)


def open(file: bytes | PathLike, limits: Limits | None = None) -> Image:
    """An `.inr` file, ready to be rendered anywhere."""
    return Image(file, limits)


def read(file: bytes | PathLike, **where: Any) -> np.ndarray:
    """[height, width, channels] samples of an `.inr` file; keywords as in `decode`."""
    return decode(file, **where).samples


def write(
    path: PathLike,
    image: np.ndarray | Signal | PathLike,
    *,
    force: bool = False,
    **options: Any,
) -> int:
    """Encodes an image to a file and returns its size in bytes; keywords as in `encode`.

    Raises:
        OutputError: the file exists and `force` is False, or cannot be written.
    """
    path = _file_name(path, OutputError)
    files.check_output(path, force)
    data = encode(image, **options)
    files.write_atomic(path, data, force)
    return len(data)


def _file_name(path: PathLike, error: type[InrError]) -> str:
    """The path as `files` takes it, to which a bare "-" would be a standard stream."""
    name = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(name, str) or "\0" in name:
        raise error(f"the file is {path!r}, expected a path")
    return os.path.join(os.curdir, name) if name == files.STANDARD_STREAM else name


def _data(file: bytes | PathLike, limits: Limits | None) -> bytes:
    if isinstance(file, (bytes, bytearray, memoryview)):
        return bytes(file)
    return files.read_bytes(_file_name(file, BadInput), (limits or Limits()).max_file_bytes)
