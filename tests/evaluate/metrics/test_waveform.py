import math

import numpy as np
import pytest
import torch

from inrcodec.errors import BadInput
from inrcodec.evaluate.metrics.waveform import (
    log_spectral_distance,
    segmental_snr_db,
    si_snr_db,
    snr_db,
)

RATE_HZ = 16000


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)


def test_snr_of_a_tone_a_tenth_as_loud_is_20_db():
    signal = tone(400)
    assert snr_db(signal, signal + 0.1 * tone(1000)) == pytest.approx(20)
    assert snr_db(np.stack([signal] * 2, 1), np.stack([signal + 0.1 * tone(1000)] * 2, 1)) == (
        pytest.approx(20)
    )


def test_snr_of_integers_does_not_wrap():
    assert snr_db(np.array([-32768], np.int16), np.array([32767], np.int16)) < 0


def test_nothing_lost_is_infinite_and_everything_from_silence_minus_infinite():
    signal = tone(400)
    assert snr_db(signal, signal) == math.inf
    assert snr_db(0 * signal, signal) == -math.inf


def test_si_snr_does_not_see_gain_and_offset():
    signal = tone(400)
    noisy = signal + 0.1 * tone(1000)
    assert si_snr_db(signal, 0.3 * noisy + 2) == pytest.approx(20)
    assert si_snr_db(signal, 0.3 * noisy + 2) == pytest.approx(si_snr_db(5 * signal, noisy))
    assert snr_db(signal, 0.3 * noisy) < 4
    assert math.isnan(si_snr_db(np.ones(100), tone(400)[:100]))
    assert si_snr_db(signal, 0 * signal) == -math.inf


def test_si_snr_is_the_mean_over_channels():
    signal, noise = tone(400), tone(1000)
    pair = np.stack([signal, signal], 1), np.stack([signal + 0.1 * noise, signal + noise], 1)
    assert si_snr_db(*pair) == pytest.approx(10)


def test_segmental_snr_of_an_even_error_is_the_snr():
    rng = np.random.default_rng(0)
    signal, noise = rng.choice([-1.0, 1.0], (2, RATE_HZ))
    found = segmental_snr_db(signal, signal + 0.1 * noise, RATE_HZ)
    assert found == pytest.approx(20, abs=1e-9)


def test_segments_are_clamped_and_silent_ones_left_out():
    signal = tone(400)
    assert segmental_snr_db(signal, signal, RATE_HZ) == 35
    assert segmental_snr_db(signal, -99 * signal, RATE_HZ) == -10
    padded = np.concatenate([signal, np.zeros(RATE_HZ)])
    assert segmental_snr_db(padded, padded, RATE_HZ) == 35
    assert math.isnan(segmental_snr_db(0 * signal, signal, RATE_HZ))
    assert math.isnan(segmental_snr_db(signal[:100], signal[:100], RATE_HZ))


def test_segmental_snr_hears_an_error_in_a_quiet_place():
    quiet_then_loud = np.concatenate([0.01 * tone(400), tone(400)])
    hiss = 0.003 * np.random.default_rng(0).choice([-1.0, 1.0], 2 * RATE_HZ)
    noisy = quiet_then_loud + hiss
    gap = snr_db(quiet_then_loud, noisy) - segmental_snr_db(quiet_then_loud, noisy, RATE_HZ)
    assert gap > 15


def test_log_spectral_distance_of_a_gain_is_that_gain():
    noise = np.random.default_rng(0).normal(size=RATE_HZ)
    assert log_spectral_distance(noise, noise) == 0
    assert log_spectral_distance(noise, 10 * noise) == pytest.approx(2)
    assert log_spectral_distance(10 * noise, noise) == pytest.approx(2)


def test_log_spectral_distance_is_that_of_torch():
    rng = np.random.default_rng(0)
    signal = rng.normal(size=20000)
    noisy = signal + 0.3 * rng.normal(size=20000)

    def power(x: np.ndarray) -> torch.Tensor:
        window = torch.hann_window(2048, dtype=torch.float64)
        spectrum = torch.stft(
            torch.from_numpy(x), 2048, 512, window=window, center=False, return_complex=True
        )
        return spectrum.abs().square().clamp(1e-8).log10()

    expected = (power(signal) - power(noisy)).square().mean(0).sqrt().mean().item()
    assert log_spectral_distance(signal, noisy) == pytest.approx(expected, abs=1e-12)


def test_digital_silence_is_near_its_dither():
    silence = np.zeros(RATE_HZ)
    dither = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], RATE_HZ) / 32768
    assert log_spectral_distance(silence, dither) < 2
    assert math.isfinite(log_spectral_distance(silence[:100], dither[:100]))


def test_long_sounds_are_measured_in_blocks_alike():
    rng = np.random.default_rng(0)
    signal = rng.normal(size=600_000)
    noisy = signal + 0.1 * rng.normal(size=600_000)
    distance = log_spectral_distance(signal, noisy)
    assert distance == pytest.approx(log_spectral_distance(signal[:60_000], noisy[:60_000]), 0.02)
    assert segmental_snr_db(signal, noisy, RATE_HZ) == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize("metric", [snr_db, si_snr_db, log_spectral_distance])
def test_other_shapes_are_refused(metric):
    with pytest.raises(BadInput, match=r"\(9,\).*\(8,\).*same"):
        metric(np.zeros(9), np.zeros(8))
    with pytest.raises(BadInput, match="samples, channels"):
        metric(np.zeros((2, 2, 2)), np.zeros((2, 2, 2)))
    with pytest.raises(BadInput, match="1 NaN"):
        metric(np.zeros(2), np.array([0, np.nan]))


def test_a_rate_that_cannot_be_is_refused():
    for rate_hz in (0, math.nan, math.inf, 100):
        with pytest.raises(BadInput, match="sample rate"):
            segmental_snr_db(np.zeros(9), np.zeros(9), rate_hz)
