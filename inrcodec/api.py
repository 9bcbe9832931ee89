"""The Python interface: arrays and paths in, bytes and Signals out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from numbers import Real
from typing import Any, Self

import numpy as np

from inrcodec import codec, files
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadInput, BadOption, InrError, OutputError
from inrcodec.fields import default_field, family_of
from inrcodec.segments import parts_of
from inrcodec.signal import (
    AnySignal,
    AudioSignal,
    Signal,
    VideoSignal,
    audio_signal,
    image_signal,
    video_signal,
)

__all__ = [
    "AudioSignal",
    "Limits",
    "OpenFile",
    "Signal",
    "VideoSignal",
    "audio_signal",
    "decode",
    "encode",
    "info",
    "open",
    "read",
    "verify",
    "video_signal",
    "write",
]

PathLike = str | os.PathLike[str]


def encode(
    source: np.ndarray | AnySignal | PathLike,
    *,
    lmbda: float | None = None,
    quality: float | None = None,
    target_bytes: int | None = None,
    effort: int | None = None,
    field: str | None = None,
    device: str = "auto",
    engine: str = "auto",
    seed: int = 0,
    strip: bool = False,
    rate_hz: int | None = None,
    fps: Real | None = None,
    segment_seconds: float | None = None,
    network: Mapping[str, Any] | None = None,
    remedies: Sequence[str] = (),
) -> bytes:
    """An image, sound or video as the bytes of an `.inr` file.

    Args:
        source: path of a file of any kind, a signal, or an array: an image [h, w] or [h, w, 1..4]
            of uint8, uint16, bool, or floating point in [0, 1]; with `rate_hz` a sound
            [frames, channels], see `audio_signal`; with `fps` a video [frames, h, w, 3], see
            `video_signal`. Files of sound and video are read in segments.
        lmbda: weight of the rate in MSE + lmbda * bits per pixel, of sound per frame; default 1e-3,
            of sound 3e-5.
        quality: 0..100 instead of lmbda: lmbda = 10**(-1 - quality/25).
        target_bytes: size of the file instead of lmbda, which is searched for in two or three fits:
            never more, as a rule at most 5% less.
        effort: 1 (quick) to 9 (small); default 5.
        field: family of the representation; default by kind.
        device: "auto", "cpu", "cuda" or "cuda:n".
        engine: "auto", "reference", "cpu" or "gpu".
        seed: the same seed and thread count give the same bytes on the same machine; with engine
            "reference" on CUDA up to the order in which gradients are added.
        strip: leave ICC, EXIF and XMP out.
        rate_hz: samples per second of an array that is a sound.
        fps: frames per second of an array that is a video, or of a folder of PNG frames; of a
            video file instead of its own.
        segment_seconds: length of the segments that a sound or video is cut into.
        network: options of the field by name, such as hidden_features; what is left out
            is chosen. Names with a dot are options of remedies, such as iga.end.
        remedies: names of remedies against spectral bias; see `inrcodec remedies`.

    Raises:
        BadInput: the signal cannot be read, or holds NaN or values out of range.
        BadOption: an option is out of range, the field cannot represent such a signal, or no lambda
            gives a file of `target_bytes`.
    """
    given = {
        "lmbda": lmbda,
        "quality": quality,
        "target_bytes": target_bytes,
        "effort": effort,
        "device": device,
        "engine": engine,
        "seed": seed,
        "segment_seconds": segment_seconds,
        "network": network or {},
        "remedies": remedies,
    }
    encode_options(field=field, **given)  # refuses them before anything is read
    if isinstance(source, (str, os.PathLike)):
        from inrcodec.sources import MediaFile

        media = MediaFile.of(_file_name(source, BadInput))
        options = encode_options(media.kind, field=field or default_field(media.kind), **given)
        family_of(options.field, media.kind)
        if target_bytes is None:
            return media.encode(options, strip=strip, fps=fps)[0].data
        found, _ = media.encode_to_size(target_bytes, options, strip=strip, fps=fps)
        return found.encoded.data
    signal = as_signal(source, rate_hz, fps)
    options = encode_options(signal.kind, field=field or default_field(signal.kind), **given)
    signal = signal.stripped() if strip else signal
    if target_bytes is None:
        return codec.encode(signal, options).data
    from inrcodec.target_size import encode_to_size

    parts, _, _ = parts_of(signal, options)
    encode = partial(codec.encode, signal)
    return encode_to_size(target_bytes, options, encode, parts).encoded.data


def encode_options(
    kind: str = "image",
    *,
    lmbda: float | None = None,
    quality: float | None = None,
    target_bytes: int | None = None,
    effort: int | None = None,
    field: str | None = None,
    **rest: Any,
) -> Any:
    """`fit.EncodeOptions` for a kind of signal, from what a user may leave out.

    Raises:
        BadOption: more than one of lmbda, quality and target_bytes given, or a value out of range.
    """
    from inrcodec import fit
    from inrcodec.fit.presets import DEFAULT_LMBDA, lmbda_of_quality
    from inrcodec.target_size import check_target

    dial = {"lmbda": lmbda, "quality": quality, "target_bytes": target_bytes}
    turned = [name for name, value in dial.items() if value is not None]
    if len(turned) > 1:
        raise BadOption(f"{' and '.join(turned)} were given; give one of them")
    if target_bytes is not None:
        check_target(target_bytes)
    if quality is not None:
        if not isinstance(quality, Real):
            raise BadOption(f"quality is {quality!r}, expected 0 (smallest) to 100 (finest)")
        lmbda = lmbda_of_quality(float(quality))
    given = {
        "lmbda": DEFAULT_LMBDA[kind] if lmbda is None else lmbda,
        "effort": effort,
        "field": field,
    }
    return fit.EncodeOptions(**{k: v for k, v in given.items() if v is not None}, **rest)


def as_signal(
    source: np.ndarray | AnySignal | PathLike,
    rate_hz: int | None = None,
    fps: Real | None = None,
) -> AnySignal:
    """The signal of a path, array or signal; arguments as for `encode`.

    Raises:
        BadInput: it cannot be read, or is no signal.
        BadOption: both `rate_hz` and `fps` were given.
    """
    if isinstance(source, AnySignal):
        return source
    if isinstance(source, (str, os.PathLike)):
        from inrcodec.sources import MediaFile

        return MediaFile.of(_file_name(source, BadInput)).load(fps)
    if rate_hz is not None and fps is not None:
        raise BadOption("both rate_hz and fps were given; give that of a sound or of a video")
    if rate_hz is not None:
        return audio_signal(source, rate_hz)
    return image_signal(source) if fps is None else video_signal(source, fps)


def decode(
    file: bytes | PathLike,
    *,
    bit_depth: int | None = None,
    fast: bool = False,
    band: int | None = None,
    limits: Limits | None = None,
    device: str = "cpu",
    **where: Any,
) -> AnySignal:
    """The signal in an `.inr` file; see `Signal`, `AudioSignal` and `VideoSignal`.

    Args:
        file: path or bytes.
        bit_depth: bits per output sample; default that of the file.
        fast: allow float32, at most one level off at 8 bits.
        band: of a `bacon` file which output, 0 the coarsest; default the finest.
        limits: what the file may ask for; default `Limits()`.
        device: "cpu", "cuda", "cuda:n", or "auto": a GPU for what is worth it. It changes no sample
            but where `fast` is given.
        where: as for `OpenFile.render`.

    Raises:
        CorruptFile, LimitExceeded, UnsupportedFile: the file cannot be decoded.
        BadOption: what was asked for makes no sense for this signal.
    """
    data = _data(file, limits)
    asked = {"bit_depth": bit_depth, "fast": fast, "band": band, "device": device}
    return codec.decode(data, limits, **asked, **where)


def verify(file: bytes | PathLike, limits: Limits | None = None, device: str = "cpu") -> AnySignal:
    """The native decode of a file, checked against the hash that the encoder stored.

    Args:
        file: path or bytes.
        limits: what the file may ask for; default `Limits()`.
        device: as for `decode`.

    Raises:
        CorruptFile: it differs, or no hash is stored.
    """
    return codec.verify(_data(file, limits), limits, device)


def info(file: bytes | PathLike, limits: Limits | None = None) -> dict[str, Any]:
    """What a file says of itself (size, field, bytes, complexity), without decoding it."""
    return codec.InrFile.parse(_data(file, limits), limits or Limits()).info()


class OpenFile:
    """An open `.inr` file: decoded once, rendered as often as wanted.

    Of a sound or video the segments that were needed last are kept.

    Example:
        with inrcodec.open("photo.inr") as image:
            thumbnail = image.render(size=(128, 192))
            detail = image.render(region=(100, 80, 64, 64), scale=8)
    """

    def __init__(
        self, file: bytes | PathLike, limits: Limits | None = None, device: str = "cpu"
    ) -> None:
        self._limits = limits or Limits()
        self._parsed = codec.InrFile.parse(_data(file, limits), self._limits).on(device)
        self.info = self._parsed.info()
        self._source: Any = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Frees the decoded field; nothing can be rendered afterwards."""
        self._source = None
        self._closed = True

    def render(
        self,
        size: tuple[int, int] | None = None,
        scale: float | None = None,
        region: tuple[float, float, float, float] | None = None,
        bit_depth: int | None = None,
        fast: bool = False,
        *,
        rate_hz: int | None = None,
        fps: Real | None = None,
        time: tuple[Real | None, Real | None] | None = None,
    ) -> AnySignal:
        """The signal on any grid.

        Args:
            size: (height, width) of an image or of the frames of a video.
            scale: output pixels per native pixel, instead of a size.
            region: (x, y, width, height) in native pixels.
            bit_depth: bits per output sample; default that of the file.
            fast: allow float32, at most one level off at 8 bits.
            rate_hz: samples per second of a sound.
            fps: frames per second of a video.
            time: (begin, end) in seconds of a sound or video; None for where it begins or ends.

        Raises:
            BadOption: it makes no sense for this signal, or the file was closed.
        """
        if self._closed:
            raise BadOption("the file was closed; open it again, or render before that")
        where = {"size": size, "scale": scale, "region": region}
        where |= {"rate_hz": rate_hz, "fps": fps, "time": time}
        plan = self._parsed.plan(self._limits, bit_depth, **where)
        self._parsed.check_held(plan, self._limits)
        if self._source is None:
            self._source = self._parsed.source(self._limits)
        return self._parsed.joined(plan.render(self._source, fast))


def open(file: bytes | PathLike, limits: Limits | None = None, device: str = "cpu") -> OpenFile:
    """An `.inr` file, ready to be rendered anywhere; arguments as for `decode`."""
    return OpenFile(file, limits, device)


def read(file: bytes | PathLike, **where: Any) -> np.ndarray:
    """The samples of an `.inr` file as an array; keywords as for `decode`.

    [height, width, channels] of an image, [frames, channels] of a sound, and of a video
    [frames, height, width, 3] R'G'B'.
    """
    signal = decode(file, **where)
    return signal.rgb() if isinstance(signal, VideoSignal) else signal.samples


def write(
    path: PathLike,
    source: np.ndarray | AnySignal | PathLike,
    *,
    force: bool = False,
    **options: Any,
) -> int:
    """Encodes a signal to a file and returns its size in bytes; keywords as for `encode`.

    Raises:
        OutputError: the file exists and `force` is False, or cannot be written.
    """
    path = _file_name(path, OutputError)
    files.check_output(path, force)
    data = encode(source, **options)
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
