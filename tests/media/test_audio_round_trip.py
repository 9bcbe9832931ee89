"""Sound in and out: exact formats are exact, lossy ones keep length, rate and channels."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
import soundfile

from inrcodec.errors import BadOption
from inrcodec.media.audio import (
    EXTENSIONS_OUT,
    load_audio,
    open_audio,
    read_audio,
    save_audio,
    write_audio,
)
from inrcodec.signal import AudioSignal

EXACT = (".wav", ".w64", ".aiff", ".flac")


def noise(frames: int, channels: int = 2, bit_depth: int = 16, rate_hz: int = 44100) -> AudioSignal:
    top = 1 << (bit_depth - 1)
    dtype = np.int16 if bit_depth <= 16 else np.int32
    samples = np.random.default_rng(frames).integers(-top, top, (frames, channels), dtype)
    samples[0] = -top
    samples[-1] = top - 1
    return AudioSignal(samples, rate_hz, bit_depth)


def tone(frames: int, channels: int = 2, rate_hz: int = 48000) -> AudioSignal:
    wave = 9000 * np.sin(np.arange(frames) * 0.05)
    return AudioSignal(np.repeat(wave.astype(np.int16)[:, None], channels, axis=1), rate_hz)


@pytest.mark.parametrize("extension", EXACT)
@pytest.mark.parametrize("bit_depth", [8, 16, 24])
@pytest.mark.parametrize("channels", [1, 2, 3, 8])
def test_exact_formats_give_back_every_sample(extension, bit_depth, channels):
    signal = noise(1001, channels, bit_depth)
    again = load_audio(save_audio(signal, extension))
    assert (again.rate_hz, again.channels) == (44100, channels)
    # AIFF holds no 8 bits: they come back as the upper ones of 16.
    assert again.bit_depth == (16 if (extension, bit_depth) == (".aiff", 8) else bit_depth)
    widened = signal.samples.astype(np.int64) << (again.bit_depth - bit_depth)
    assert np.array_equal(again.samples, widened)


@pytest.mark.parametrize(("bit_depth", "stored"), [(1, 8), (7, 8), (12, 16), (20, 24)])
def test_other_depths_are_kept_in_the_upper_bits_of_the_next_larger_one(bit_depth, stored):
    signal = noise(100, 1, bit_depth)
    for extension in (".wav", ".flac"):
        again = load_audio(save_audio(signal, extension))
        assert again.bit_depth == stored
        shifted = signal.samples.astype(np.int64) << (stored - bit_depth)
        assert np.array_equal(again.samples, shifted)


@pytest.mark.parametrize("rate_hz", [1, 8000, 11025, 44100, 96000, 192000, 655350])
def test_wav_keeps_every_rate(rate_hz):
    assert load_audio(save_audio(noise(10, 1, 16, rate_hz), "wav")).rate_hz == rate_hz


def test_one_frame_is_a_sound():
    for extension in EXACT:
        assert load_audio(save_audio(noise(1, 1), extension)).frames == 1


@pytest.mark.parametrize("extension", [".ogg", ".opus", ".mp3"])
@pytest.mark.parametrize("channels", [1, 2])
def test_lossy_formats_keep_length_rate_channels_and_place(extension, channels):
    signal = tone(20_011, channels)  # MP3: stereo comes out garbled unless written as float
    again = load_audio(save_audio(signal, extension))
    assert (again.frames, again.channels, again.rate_hz) == (20_011, channels, 48000)
    assert again.bit_depth == 16
    middle = slice(5000, 15000)
    error = again.samples[middle].astype(float) - signal.samples[middle]
    assert np.sqrt(np.mean(error**2)) < 300


def test_float_files_are_rounded_to_24_bits():
    values = np.array([[0.0], [0.5], [-1.0], [1.0], [2.0**-23], [2.0**-25]])
    for subtype in ("FLOAT", "DOUBLE"):
        out = io.BytesIO()
        soundfile.write(out, values, 8000, format="WAV", subtype=subtype)
        signal = load_audio(out.getvalue())
        assert signal.bit_depth == 24
        assert signal.samples[:, 0].tolist() == [0, 1 << 22, -(1 << 23), (1 << 23) - 1, 1, 0]


def test_float_files_beyond_full_scale_are_clipped_with_a_warning():
    out = io.BytesIO()
    soundfile.write(out, np.array([1.5, -2.0, 0.25]), 8000, format="WAV", subtype="FLOAT")
    with pytest.warns(UserWarning, match="2 samples beyond full scale"):
        signal = load_audio(out.getvalue())
    assert signal.samples[:, 0].tolist() == [(1 << 23) - 1, -(1 << 23), 1 << 21]


def test_32_bit_integers_are_rounded_to_24_bits():
    out = io.BytesIO()
    values = np.array([255, 128, 127, -128, 2**31 - 1, -(2**31)], np.int32)
    soundfile.write(out, values, 8000, format="WAV", subtype="PCM_32")
    assert load_audio(out.getvalue()).samples[:, 0].tolist() == [
        *(1, 1, 0, 0),
        *((1 << 23) - 1, -(1 << 23)),
    ]


def test_8_bit_wav_is_signed_around_silence():
    out = io.BytesIO()
    soundfile.write(out, np.array([0, 1 << 8, -128 << 8], np.int16), 8000, "PCM_U8", format="WAV")
    signal = load_audio(out.getvalue())
    assert (signal.samples.dtype, signal.bit_depth) == (np.int16, 8)
    assert signal.samples[:, 0].tolist() == [0, 1, -128]


@pytest.mark.parametrize("extension", [".wav", ".flac", ".ogg", ".mp3"])
def test_segments_are_parts_of_the_whole_wherever_they_begin(tmp_path, extension):
    path = tmp_path / f"sound{extension}"
    path.write_bytes(save_audio(tone(40_000), extension))
    whole = load_audio(path)
    for n_frames in (7_001, 16_384, 100_000):
        with open_audio(path) as reader:
            assert reader.info.frames == whole.frames
            parts = list(reader.segments(n_frames))
        assert [part.frames for part in parts[:-1]] == [n_frames] * (len(parts) - 1)
        assert np.array_equal(np.concatenate([p.samples for p in parts]), whole.samples)
    for start in (0, 1, 17_000, 39_999):
        part = read_audio(path, start, 500)
        assert np.array_equal(part.samples, whole.samples[start : start + 500])
    with pytest.raises(BadOption, match="ends before frame 40000: it has 40000"):
        read_audio(path, 40_000, 1)


def test_a_sound_written_in_segments_is_the_sound_written_at_once():
    whole = noise(10_000)
    parts = [whole.part(begin, min(begin + 3000, 10_000)) for begin in range(0, 10_000, 3000)]
    for extension in (".wav", ".flac"):
        out = io.BytesIO()
        write_audio(out, extension, parts)
        assert np.array_equal(load_audio(out.getvalue()).samples, whole.samples)


@pytest.mark.parametrize(
    ("signal", "extension", "match"),
    [
        (noise(10), ".xyz", "not a sound format that is written; choose one of .wav"),
        (noise(10, 1, 16, 44100), ".opus", "8000, 12000, 16000, 24000, 48000 Hz only"),
        (noise(10, 3), ".mp3", "holds 2 channels, the sound has 3"),
        (noise(10, 9), ".flac", "holds 8 channels, the sound has 9"),
        (noise(10, 1, 16, 250_000), ".ogg", "up to 192000 Hz"),
        (noise(10, 1, 16, 200_001), ".flac", "cannot hold"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_with_another_choice(signal, extension, match):
    with pytest.raises(BadOption, match=match):
        save_audio(signal, extension)


def test_segments_that_differ_are_refused():
    with pytest.raises(BadOption, match="segments differ"):
        write_audio(io.BytesIO(), ".wav", [noise(5, 1), noise(5, 2)])
    with pytest.raises(BadOption, match="no segments"):
        write_audio(io.BytesIO(), ".wav", [])


def test_every_extension_is_written_and_read_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for extension in EXTENSIONS_OUT:
            assert load_audio(save_audio(tone(5000), extension.upper())).frames == 5000
