"""Sample rates: what both rates hold comes through, and its ends do not ring."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from inrcodec.evaluate.rates import resampled


@pytest.mark.parametrize("rates", [(48_000, 16_000), (44_100, 48_000)])
def test_inside_it_is_the_fourier_series_that_scipy_cuts(rates):
    noise = np.random.default_rng(0).normal(size=(44_100, 2))
    faded = noise * scipy.signal.windows.hann(len(noise))[:, None] ** 2
    expected = scipy.signal.resample(faded, round(len(noise) * rates[1] / rates[0]))
    found = resampled(faded, *rates)
    assert found.shape == expected.shape
    assert np.abs(found - expected)[500:-500].max() < 0.003 * np.abs(expected).max()


@pytest.mark.parametrize("wanted_hz", [4000, 16_000, 11_025])
def test_centred_samples_are_those_at_the_middles_of_the_new_cells(wanted_hz):
    def tone(rate_hz: int) -> np.ndarray:
        return np.sin(2 * np.pi * 331 * (np.arange(rate_hz) + 0.5) / rate_hz)[:, None]

    found = resampled(tone(8000), 8000, wanted_hz, centred=True)
    assert np.abs(found - tone(wanted_hz))[300:-300].max() < 1e-3


def test_a_line_stays_one_to_its_very_ends():
    line = np.linspace(-0.5, 0.9, 4410)[:, None]
    found = resampled(line, 44_100, 48_000)[:, 0]
    step = (line[1, 0] - line[0, 0]) * 44_100 / 48_000
    assert np.abs(found - (-0.5 + step * np.arange(4800)))[:-1].max() < 1e-3


def test_resampling_there_and_back_gives_the_same_sound():
    rate_hz, wanted_hz = 44_100, 48_000
    times = np.arange(9000) / rate_hz
    sound = np.stack([np.sin(2 * np.pi * 997 * times + 1), np.cos(2 * np.pi * 4000 * times)], 1)
    there = resampled(sound, rate_hz, wanted_hz)
    assert there.shape == (-(-9000 * wanted_hz // rate_hz), 2)
    exact = np.sin(2 * np.pi * 997 * np.arange(len(there)) / wanted_hz + 1)
    assert np.abs(there[500:-500, 0] - exact[500:-500]).max() < 1e-3
    back = resampled(there, wanted_hz, rate_hz)[:9000]
    assert np.abs(back - sound)[500:-500].max() < 1e-3
