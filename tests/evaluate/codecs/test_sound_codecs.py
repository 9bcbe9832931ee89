"""Sound through other codecs: what is judged starts and ends where the original does."""

from __future__ import annotations

import numpy as np
import pytest

from inrcodec.errors import BadInput
from inrcodec.evaluate.codecs import ffmpeg_audio, libsndfile
from inrcodec.evaluate.metrics.waveform import snr_db
from inrcodec.evaluate.rates import like_original
from inrcodec.signal import AudioSignal

CODECS = {codec.name: codec for codec in (*ffmpeg_audio.CODECS, *libsndfile.CODECS)}
INSTALLED = [name for name, codec in CODECS.items() if codec.probe().missing is None]


def clicks(rate_hz: int, channels: int, frames: int = 20_011) -> AudioSignal:
    """Noise that falls off above 800 Hz, with a click in it."""
    noise = np.random.default_rng(3).normal(size=(frames, channels))
    falling = 1 / (1 + (np.fft.rfftfreq(frames, 1 / rate_hz) / 800) ** 2)
    samples = np.fft.irfft(np.fft.rfft(noise, axis=0) * falling[:, None], frames, axis=0)
    samples *= 0.25 / np.abs(samples).max()
    samples[frames // 3] += 0.6
    return AudioSignal(np.rint(samples * 32767).astype(np.int16), rate_hz)


def lag_frames(a: AudioSignal, b: AudioSignal) -> int:
    """By how many frames `b` comes later than `a`: where their cross-correlation is largest."""
    x, y = (s.samples[:, 0].astype(float) for s in (a, b))
    spectrum = np.fft.rfft(y, 2 * len(x)) * np.conj(np.fft.rfft(x, 2 * len(x)))
    place = int(np.argmax(np.fft.irfft(spectrum)))
    return place if place < len(x) else place - 2 * len(x)


def test_the_codecs_of_these_libraries_can_run():
    assert {"aac", "mp3", "opus", "flac", "vorbis"} <= set(INSTALLED)


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.parametrize(("rate_hz", "channels"), [(48_000, 2), (44_100, 1), (16_000, 1)])
def test_decodes_are_aligned_to_the_sample_and_as_long(name, rate_hz, channels):
    original, codec = clicks(rate_hz, channels), CODECS[name]
    setting = codec.settings(original)[-1]
    file = codec.encode(original, setting)
    decoded = codec.decode(file, original)
    assert decoded.samples.shape == original.samples.shape
    assert (decoded.rate_hz, decoded.bit_depth) == (rate_hz, 16)
    assert lag_frames(original, decoded) == 0
    scale = original.full_scale
    assert snr_db(original.samples / scale, decoded.samples / scale) > 15
    assert 0 < codec.payload_bytes(file) < len(file)


@pytest.mark.parametrize("name", [name for name in INSTALLED if name != "flac"])
def test_more_bits_are_more_bytes(name):
    original, codec = clicks(48_000, 1), CODECS[name]
    settings = codec.settings(original)
    assert len(codec.encode(original, settings[0])) < len(codec.encode(original, settings[-1]))


@pytest.mark.parametrize("depth", [8, 16, 20, 24])
def test_flac_loses_nothing_at_any_depth(depth):
    top = 1 << (depth - 1)
    levels = np.random.default_rng(0).integers(-top, top, (500, 2))
    original = AudioSignal(levels.astype(np.int16 if depth <= 16 else np.int32), 44_100, depth)
    codec = CODECS["flac"]
    file = codec.encode(original, codec.settings(original)[0])
    np.testing.assert_array_equal(codec.decode(file, original).samples, original.samples)


def test_bit_rates_that_a_sample_rate_does_not_have_are_left_out():
    assert CODECS["mp3"].settings(clicks(16_000, 1))[-1].name == "128k"
    assert CODECS["mp3"].settings(clicks(8000, 1))[-1].name == "64k"
    assert CODECS["aac"].settings(clicks(16_000, 1))[-1].name == "96k"


def test_surround_is_refused_by_name():
    sound = AudioSignal(np.zeros((100, 6), np.int16), 48_000)
    with pytest.raises(BadInput, match="opus is compared on one or two channels, the sound has 6"):
        CODECS["opus"].encode(sound, CODECS["opus"].settings(sound)[0])


def test_an_unknown_encoder_says_how_to_get_it():
    assert "pip install" in ffmpeg_audio.probe("no_such_encoder").missing


def test_what_encoders_add_at_the_end_is_cut_and_what_they_lose_is_silence():
    original = clicks(16_000, 1, 300)
    floats = original.samples / original.full_scale
    longer = like_original(np.pad(floats, ((0, 212), (0, 0))), 16_000, original)
    np.testing.assert_array_equal(longer.samples, original.samples)
    shorter = like_original(floats[:200], 16_000, original)
    np.testing.assert_array_equal(shorter.samples[:200], original.samples[:200])
    assert not shorter.samples[200:].any()


def test_every_codec_says_which_sounds_it_takes_before_it_is_asked_to_code():
    surround = AudioSignal(np.zeros((100, 9), np.int16), 48_000)
    fast = AudioSignal(np.zeros((100, 1), np.int16), 384_000)
    assert all(codec.refusal(clicks(48_000, 2)) is None for codec in CODECS.values())
    assert "the sound has 9" in CODECS["aac"].refusal(surround)
    assert "flac holds up to 8 channels, the sound has 9" in CODECS["flac"].refusal(surround)
    assert CODECS["vorbis"].refusal(surround) is None
    assert "vorbis holds up to 192000 Hz, the sound has 384000" in CODECS["vorbis"].refusal(fast)
    with pytest.raises(BadInput, match="flac holds up to 8 channels"):
        CODECS["flac"].encode(surround, CODECS["flac"].settings(surround)[0])
