"""Sound through libsndfile: WAV, FLAC, Ogg, MP3, AIFF and others, in and out."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
import soundfile

from inrcodec.errors import BadInput, BadOption
from inrcodec.signal import AudioSignal
from inrcodec.signal.audio import check_finite, dtype_of, quantized

LOSSY_BITS, FLOAT_BITS = 16, 24
BLOCK_FRAMES = 1 << 14
# libsndfile's Vorbis writer overflows its stack on large blocks (its issue 130).
_WRITE_FRAMES = 1 << 12
_MALFORMED = 3  # SF_ERR_MALFORMED_FILE of sndfile.h
# Depths of what is stored as integers. u-law and A-law hold 14 and 13 bits that spread over 16.
_DEPTHS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 24}
_DEPTHS |= {"ALAC_16": 16, "ALAC_20": 20, "ALAC_24": 24, "ALAC_32": 24, "ULAW": 16, "ALAW": 16}
_SEEKABLE = {"FLOAT", "DOUBLE", *_DEPTHS}


class AudioInfo(NamedTuple):
    """What a file says of its sound.

    Args:
        rate_hz, channels, bit_depth: as in AudioSignal.
        frames: how many there are; None where only decoding tells.
        format: of the file, for people: "WAV PCM_16".
    """

    rate_hz: int
    channels: int
    bit_depth: int
    frames: int | None
    format: str


class Clipping:
    """Counts samples beyond full scale, which integers cannot hold."""

    def __init__(self) -> None:
        self.samples = 0

    def quantized(self, floats: np.ndarray, bit_depth: int) -> np.ndarray:
        """Floats as samples, clipped.

        Raises:
            BadInput: some are NaN or infinite.
        """
        check_finite(floats)
        self.samples += int(np.count_nonzero(np.abs(floats) > 1))
        return quantized(floats, bit_depth)


class SoundFileSource:
    """A sound that libsndfile reads.

    Raises:
        soundfile.SoundFileError: libsndfile does not know it, or finds it damaged.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._sound = soundfile.SoundFile(file)
        self._subtype = self._sound.subtype
        lossless = "FLOAT" if self._subtype == "DOUBLE" else self._subtype
        depth = FLOAT_BITS if lossless == "FLOAT" else _DEPTHS.get(lossless, LOSSY_BITS)
        self.info = AudioInfo(
            self._sound.samplerate,
            self._sound.channels,
            depth,
            self._sound.frames,
            f"{self._sound.format} {self._subtype}",
        )
        self.clipping = Clipping()

    def blocks(self, start_frame: int) -> Iterator[np.ndarray]:
        """Arrays [n, channels] of samples from a frame on.

        Raises:
            BadInput: the file ends early, or holds NaN.
            soundfile.SoundFileError: it is damaged.
        """
        position = 0
        if self._subtype in _SEEKABLE and start_frame:
            # Lossy formats are read from the start: after a seek their first frames differ.
            position = self._sound.seek(min(start_frame, self.info.frames))
        while position < self.info.frames:
            block = self._block(min(BLOCK_FRAMES, self.info.frames - position))
            if not len(block):
                raise BadInput(
                    f"truncated: {position} of {self.info.frames} frames are there; "
                    "get the file again"
                )
            skipped = max(0, start_frame - position)
            position += len(block)
            if skipped < len(block):
                yield block[skipped:]

    def _block(self, frames: int) -> np.ndarray:
        depth = self.info.bit_depth
        if self._subtype in _DEPTHS and depth > 16:
            wide = self._sound.read(frames, "int32", always_2d=True)
            if self._subtype in ("PCM_32", "ALAC_32"):
                return np.minimum((wide.astype(np.int64) + 128) >> 8, 2**23 - 1).astype(np.int32)
            return wide >> (32 - depth)
        if self._subtype in _DEPTHS:
            return self._sound.read(frames, "int16", always_2d=True) >> (16 - depth)
        dtype = "float64" if self._subtype == "DOUBLE" else "float32"
        return self.clipping.quantized(self._sound.read(frames, dtype, always_2d=True), depth)

    def close(self) -> None:
        """Frees the decoder; the file stays open."""
        self._sound.close()


def flac_depth(head: bytes) -> int | None:
    """Bits per sample of a FLAC file by its STREAMINFO block (RFC 9639, 8.2); None without one."""
    if not head.startswith(b"fLaC") or len(head) < 26:
        return None
    return ((struct.unpack(">H", head[20:22])[0] >> 4) & 0x1F) + 1


def is_foreign(error: soundfile.SoundFileError) -> bool:
    """Whether libsndfile does not read such files, rather than finding this one damaged."""
    return getattr(error, "code", None) != _MALFORMED


class _Format(NamedTuple):
    """How sound is written: format of libsndfile, subtypes by depth, and what it can hold."""

    name: str
    subtypes: dict[int, str]
    max_channels: int
    rates_hz: tuple[int, ...] | int


_PCM = {8: "PCM_S8", 16: "PCM_16", 24: "PCM_24"}
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
# Above 200 kHz the Vorbis encoder of libsndfile 1.2 crashes.
_VORBIS_MAX_HZ = 192_000
_FLAC_MAX_HZ = 655_350
_ANY_RATE = 2**31 - 1
FORMATS_OUT = {
    ".wav": _Format("WAV", _PCM | {8: "PCM_U8"}, 255, _ANY_RATE),
    ".w64": _Format("W64", _PCM | {8: "PCM_U8"}, 255, _ANY_RATE),
    # Not 8 bits: libsndfile takes the byte that evens an odd number of them for a sample.
    ".aiff": _Format("AIFF", {16: "PCM_16", 24: "PCM_24"}, 255, _ANY_RATE),
    ".flac": _Format("FLAC", _PCM, 8, _FLAC_MAX_HZ),
    ".ogg": _Format("OGG", {16: "VORBIS"}, 255, _VORBIS_MAX_HZ),
    ".opus": _Format("OGG", {16: "OPUS"}, 255, _OPUS_RATES),
    ".mp3": _Format("MP3", {16: "MPEG_LAYER_III"}, 2, _MP3_RATES),
}
FORMATS_OUT |= {".aif": FORMATS_OUT[".aiff"], ".oga": FORMATS_OUT[".ogg"]}
# RIFF and AIFF sizes have 32 bits; the header and the last block need some room.
_MAX_32_BIT_BYTES = 2**32 - 2**17


def write_sound(file: BinaryIO, suffix: str, segments: Iterable[AudioSignal]) -> None:
    """Writes a sound of one or more segments, without holding more than one.

    Args:
        file: a binary file that can seek.
        suffix: one of FORMATS_OUT.
        segments: of one rate, depth and number of channels.

    Raises:
        BadOption: the format cannot hold the sound, or the segments differ.
    """
    sink, facts, written = None, None, 0
    for segment in segments:
        if sink is None:
            facts = (segment.rate_hz, segment.channels, segment.bit_depth)
            sink = _sink(file, suffix, segment)
        if (segment.rate_hz, segment.channels, segment.bit_depth) != facts:
            raise BadOption(f"the segments differ: {segment!r} follows one of {facts}")
        # In libsndfile 1.2 the MP3 writer garbles stereo integers.
        samples = segment.floats() if suffix == ".mp3" else _left_justified(segment)
        written += segment.samples.size * (3 if segment.bit_depth > 16 else 2)
        if suffix in (".wav", ".aiff", ".aif") and written > _MAX_32_BIT_BYTES:
            raise BadOption(f"{suffix} holds 4 GiB, the sound is longer; choose .flac or .w64")
        try:
            for begin in range(0, len(samples), _WRITE_FRAMES):
                sink.write(samples[begin : begin + _WRITE_FRAMES])
        except soundfile.SoundFileError as error:
            raise BadOption(f"{suffix} cannot hold {segment!r} ({error}); choose .wav") from error
    if sink is None:
        raise BadOption("there are no segments, expected at least one")
    sink.close()


def _sink(file: BinaryIO, suffix: str, sound: AudioSignal) -> soundfile.SoundFile:
    kind = FORMATS_OUT[suffix]
    if sound.channels > kind.max_channels:
        raise BadOption(
            f"{suffix} holds {kind.max_channels} channels, the sound has {sound.channels}; "
            "choose .wav"
        )
    rates = kind.rates_hz
    if isinstance(rates, int) and sound.rate_hz > rates:
        raise BadOption(
            f"{suffix} holds up to {rates} Hz, the sound has {sound.rate_hz}; choose .wav"
        )
    if isinstance(rates, tuple) and sound.rate_hz not in rates:
        raise BadOption(
            f"{suffix} holds {', '.join(map(str, rates))} Hz only, the sound has {sound.rate_hz}; "
            "choose another rate, or .ogg or .flac"
        )
    fits = [depth for depth in kind.subtypes if depth >= sound.bit_depth]
    subtype = kind.subtypes[min(fits, default=max(kind.subtypes))]
    try:
        return soundfile.SoundFile(
            file, "w", sound.rate_hz, sound.channels, subtype, format=kind.name
        )
    except soundfile.SoundFileError as error:
        raise BadOption(f"{suffix} cannot hold {sound!r} ({error}); choose .wav") from error


def _left_justified(sound: AudioSignal) -> np.ndarray:
    """Samples with their highest bit at the top of int16 or int32, as libsndfile wants them."""
    bits = 8 * dtype_of(sound.bit_depth).itemsize
    return sound.samples << (bits - sound.bit_depth)
