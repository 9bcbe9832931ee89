"""Sound through FFmpeg in PyAV: AAC, MP3 and Opus at several bit rates.

Rates of these encoders are aims, Opus misses its own by a tenth: what counts is the size of the
file. FFmpeg drops what they put before the first sample (edit list, LAME tag, pre-skip); what they
put after the last one is cut here.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import av
import numpy as np

from inrcodec.errors import BadInput
from inrcodec.evaluate.codecs.codec import Probe, Setting
from inrcodec.evaluate.rates import like_original, resampled
from inrcodec.media.streams import open_container
from inrcodec.signal import AudioSignal

_LAYOUTS = {1: "mono", 2: "stereo"}
# Highest bit rates of MP3 by the lowest sample rate that has them: MPEG-1, 2 (ISO/IEC 11172-3,
# 13818-3) and 2.5.
_MP3_MAX_KBPS = ((32_000, 320), (16_000, 160), (0, 64))
# An AAC frame of 1024 samples has at most 6144 bits per channel (ISO/IEC 14496-3, 4.5.3).
_AAC_BITS_PER_SAMPLE = 6144 / 1024


@dataclass(frozen=True)
class AudioCodec:
    """A sound encoder of FFmpeg with a bit rate.

    Args:
        name, extension: see `Codec`.
        encoder: FFmpeg's name.
        container: FFmpeg's name of the file format.
        kbps: the bit rates.
        rates_hz: the sample rates it takes; others are resampled to the next higher one.
        options: the encoder's other options.
    """

    name: str
    extension: str
    encoder: str
    container: str
    kbps: tuple[int, ...]
    rates_hz: tuple[int, ...]
    options: dict[str, str] = field(default_factory=dict)
    kinds: tuple[str, ...] = ("audio",)
    slow: bool = False
    renders: bool = False

    def probe(self) -> Probe:
        """Whether FFmpeg in this PyAV has the encoder."""
        return probe(self.encoder)

    def refusal(self, signal: AudioSignal) -> str | None:
        """Why it does not take a sound: more channels than are compared."""
        if signal.channels in _LAYOUTS:
            return None
        return (
            f"{self.name} is compared on one or two channels, the sound has {signal.channels}; "
            "leave the codec out, or mix the sound down"
        )

    def settings(self, signal: AudioSignal) -> tuple[Setting, ...]:
        """One for each bit rate that the format allows at this sample rate."""
        rate_hz = self._rate_hz(signal.rate_hz)
        most = np.inf
        if self.name == "mp3":
            most = next(kbps for lowest, kbps in _MP3_MAX_KBPS if rate_hz >= lowest)
        elif self.name == "aac":
            most = _AAC_BITS_PER_SAMPLE * rate_hz * signal.channels / 1000
        words = "".join(f", {name}={value}" for name, value in self.options.items())
        return tuple(
            Setting(f"{kbps}k", f"{self.encoder} b={kbps}k{words}", {"kbps": kbps})
            for kbps in self.kbps
            if kbps <= most
        )

    def _rate_hz(self, rate_hz: int) -> int:
        fits = [rate for rate in self.rates_hz if rate >= rate_hz]
        return min(fits, default=max(self.rates_hz))

    def encode(self, signal: AudioSignal, setting: Setting) -> bytes:
        """The file of a sound."""
        reason = self.refusal(signal)
        if reason:
            raise BadInput(reason)
        rate_hz = self._rate_hz(signal.rate_hz)
        samples = resampled(signal.samples / signal.full_scale, signal.rate_hz, rate_hz)
        out = io.BytesIO()
        try:
            with av.open(out, "w", format=self.container, options={"fflags": "+bitexact"}) as file:
                stream = file.add_stream(
                    self.encoder, rate=rate_hz, layout=_LAYOUTS[signal.channels]
                )
                stream.bit_rate = 1000 * setting.options["kbps"]
                stream.codec_context.options = {"flags": "+bitexact", **self.options}
                planes = np.ascontiguousarray(samples.T.astype(np.float32))
                frame = av.AudioFrame.from_ndarray(planes, "fltp", _LAYOUTS[signal.channels])
                frame.sample_rate, frame.pts = rate_hz, 0
                file.mux(stream.encode(frame))
                file.mux(stream.encode(None))
        except av.FFmpegError as error:
            raise BadInput(
                f"{self.name} cannot hold {signal!r}: {error}; leave the codec or the sound out"
            ) from error
        return out.getvalue()

    def decode(self, data: bytes, like: AudioSignal) -> AudioSignal:
        """The sound, with the length, rate and depth of `like`."""
        parts = []
        try:
            with open_container(io.BytesIO(data)) as file:
                for frame in file.decode(file.streams.audio[0]):
                    values = frame.to_ndarray()
                    if not frame.format.is_planar:
                        values = values.reshape(-1, frame.layout.nb_channels).T
                    if values.dtype.kind == "i":
                        values = values / 2.0 ** (8 * values.dtype.itemsize - 1)
                    parts.append(values.T)
                    rate_hz = frame.sample_rate
        except av.FFmpegError as error:
            raise BadInput(
                f"the {self.name} file cannot be decoded: {error}; leave the codec out, or try "
                "another version of PyAV"
            ) from error
        if not parts:
            raise BadInput(
                f"the {self.name} file holds no sound, expected {like.frames} frames; leave the "
                "codec out, or take a longer sound"
            )
        return like_original(np.concatenate(parts), rate_hz, like)

    def payload_bytes(self, data: bytes) -> int:
        """Packets and headers of the codec."""
        return payload_bytes(data)


def probe(encoder: str) -> Probe:
    """Whether FFmpeg in this PyAV has an encoder."""
    library = f"PyAV {av.__version__}"
    try:
        av.codec.Codec(encoder, "w")
    except av.codec.codec.UnknownCodecError:
        return Probe(
            library,
            missing=f"FFmpeg in this PyAV has no encoder {encoder}: "
            "pip install --upgrade --force-reinstall av, which brings its own FFmpeg",
        )
    version = ".".join(map(str, av.library_versions["libavcodec"]))
    return Probe(library, f"libavcodec {version}, {encoder}")


def payload_bytes(data: bytes) -> int:
    """Bytes of the packets of the only stream in a file, and of the headers of its codec."""
    with open_container(io.BytesIO(data)) as file:
        stream = file.streams[0]
        headers = len(stream.codec_context.extradata or b"")
        return headers + sum(packet.size for packet in file.demux(stream))


_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_AAC_RATES = (*_MP3_RATES, 64000, 88200, 96000)
CODECS = (
    AudioCodec(
        "aac",
        ".m4a",
        "aac",
        "ipod",
        (16, 24, 32, 48, 64, 96, 128, 192, 256, 320),
        _AAC_RATES,
        {"aac_coder": "twoloop"},
    ),
    AudioCodec(
        "mp3", ".mp3", "libmp3lame", "mp3", (16, 24, 32, 48, 64, 96, 128, 192, 256, 320), _MP3_RATES
    ),
    AudioCodec(
        "opus",
        ".opus",
        "libopus",
        "opus",
        (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256),
        _OPUS_RATES,
        {"vbr": "on", "compression_level": "10", "application": "audio"},
    ),
)
