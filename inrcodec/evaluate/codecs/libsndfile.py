"""Sound through libsndfile: Vorbis by libvorbis, which FFmpeg in PyAV lacks, and FLAC."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile

from inrcodec.errors import BadInput
from inrcodec.evaluate.codecs import ffmpeg_audio
from inrcodec.evaluate.codecs.codec import Probe, Setting
from inrcodec.evaluate.rates import like_original
from inrcodec.signal import AudioSignal

# libsndfile's Vorbis writer overflows its stack on large blocks (its issue 130).
_BLOCK_FRAMES = 1 << 12
_FLAC_SUBTYPES = {8: "PCM_S8", 16: "PCM_16", 24: "PCM_24"}
_VORBIS_MAX_HZ = 192_000


@dataclass(frozen=True)
class SndfileCodec:
    """A compressed format of libsndfile.

    Args:
        name, extension: see `Codec`.
        format: libsndfile's name of the file format.
        qualities: from the smallest file to the largest, 0..10; compression level 1 - q/10 for
            libsndfile. Empty for a lossless format, which takes its strongest compression.
        max_rate_hz: the highest sample rate.
        max_channels: the most channels.
    """

    name: str
    extension: str
    format: str
    qualities: tuple[int, ...]
    max_rate_hz: int
    max_channels: int
    kinds: tuple[str, ...] = ("audio",)
    slow: bool = False
    renders: bool = False

    def probe(self) -> Probe:
        """Whether this libsndfile has it."""
        library = f"soundfile {soundfile.__version__}"
        subtype = self._subtype(16)
        if subtype not in soundfile.available_subtypes(self.format):
            return Probe(
                library,
                missing=f"this libsndfile was built without {self.name}: "
                "pip install --upgrade --force-reinstall soundfile",
            )
        try:
            soundfile.SoundFile(
                io.BytesIO(), "w", 48000, 1, subtype, format=self.format, compression_level=0.5
            ).close()
        except TypeError:
            return Probe(
                library,
                missing="its qualities need soundfile 0.13: pip install 'soundfile>=0.13'",
            )
        return Probe(library, soundfile.__libsndfile_version__)

    def _subtype(self, bit_depth: int) -> str:
        if self.qualities:
            return "VORBIS"
        return _FLAC_SUBTYPES[min(depth for depth in _FLAC_SUBTYPES if depth >= bit_depth)]

    def refusal(self, signal: AudioSignal) -> str | None:
        """Why it does not take a sound: its rate or its channels."""
        for what, found, most in (
            ("Hz", signal.rate_hz, self.max_rate_hz),
            ("channels", signal.channels, self.max_channels),
        ):
            if found > most:
                return (
                    f"{self.name} holds up to {most} {what}, the sound has {found}; "
                    "leave the codec out, or convert the sound"
                )
        return None

    def settings(self, signal: AudioSignal) -> tuple[Setting, ...]:
        """One for each quality."""
        if not self.qualities:
            return (Setting("lossless", "libsndfile compression_level 1", {"level": 1.0}),)
        return tuple(
            Setting(
                f"q{quality}",
                f"libsndfile compression_level {1 - quality / 10:g}",
                {"level": 1 - quality / 10},
            )
            for quality in self.qualities
        )

    def encode(self, signal: AudioSignal, setting: Setting) -> bytes:
        """The file of a sound."""
        reason = self.refusal(signal)
        if reason:
            raise BadInput(reason)
        out = io.BytesIO()
        try:
            with soundfile.SoundFile(
                out,
                "w",
                signal.rate_hz,
                signal.channels,
                self._subtype(signal.bit_depth),
                format=self.format,
                compression_level=setting.options["level"],
            ) as sink:
                bits = 8 * signal.samples.dtype.itemsize
                samples = signal.samples << (bits - signal.bit_depth)
                for begin in range(0, len(samples), _BLOCK_FRAMES):
                    sink.write(samples[begin : begin + _BLOCK_FRAMES])
        except soundfile.SoundFileError as error:
            raise BadInput(
                f"{self.name} cannot hold {signal!r}: {error}; leave the codec or the sound out"
            ) from error
        return out.getvalue()

    def decode(self, data: bytes, like: AudioSignal) -> AudioSignal:
        """The sound, with the length, rate and depth of `like`."""
        samples, rate_hz = soundfile.read(io.BytesIO(data), dtype="float64", always_2d=True)
        return like_original(np.asarray(samples), rate_hz, like)

    def payload_bytes(self, data: bytes) -> int:
        """Packets and headers of the codec."""
        return ffmpeg_audio.payload_bytes(data)


CODECS = (
    SndfileCodec("vorbis", ".ogg", "OGG", tuple(range(11)), _VORBIS_MAX_HZ, 255),
    # RFC 9639, sections 9.1.2 and 9.1.3.
    SndfileCodec("flac", ".flac", "FLAC", (), 655_350, 8),
)
