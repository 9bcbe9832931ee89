"""WINNER moves the spectra of untrained networks the way that its theory says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from inrcodec.evaluate.report.raster import png_file
from inrcodec.evaluate.report.spectral_starts import starts_figure
from inrcodec.evaluate.report.svg import svg_file
from inrcodec.evaluate.spectra.facts import facts_of
from inrcodec.evaluate.spectra.starts import mean_frequency, winner_starts
from inrcodec.evaluate.spectra.view import View
from inrcodec.signal import audio_signal

SIZE = {"hidden_features": 64, "hidden_layers": 3}


def sound(slope: float) -> View:
    """A second of noise whose amplitudes fall by that power of frequency."""
    noise = np.fft.rfft(np.random.default_rng(1).standard_normal(16_000))
    noise[1:] *= np.arange(1.0, len(noise)) ** slope
    noise[0] = 0
    wave = np.fft.irfft(noise)
    return View.of(audio_signal((0.9 * wave / np.abs(wave).max())[:, None], 16_000))


@pytest.fixture(scope="module")
def rows() -> dict:
    views = {"low": sound(-1.2), "high": sound(0.5)}
    return {name: (view, winner_starts(view, SIZE)) for name, view in views.items()}


def test_winner_moves_the_output_s_centroid_up_and_further_for_a_higher_sound(rows: dict) -> None:
    low, high = (starts for _, starts in rows.values())
    assert low["siren, omega 30"].psi < low["winner"].psi < high["winner"].psi
    assert high["winner"].psi > 3 * high["siren, omega 3000"].psi
    # Without it the start knows nothing of the sound.
    for label in ("siren, omega 30", "siren, omega 3000"):
        assert low[label].psi == pytest.approx(high[label].psi, rel=1e-6)


def test_the_first_layer_s_frequencies_are_those_of_the_noise(rows: dict) -> None:
    for view, starts in rows.values():
        # |w| of a normal w of deviation s has the mean s sqrt(2 / pi); the extent is 2 long, and
        # SIREN's own weights are uniform within 30.
        deviation = math.hypot(facts_of(view).s0, 30 / math.sqrt(3))
        expected = deviation * math.sqrt(2 / math.pi) / math.pi
        assert mean_frequency(starts["winner"].layers[0]) == pytest.approx(expected, rel=0.2)


def test_each_further_layer_has_higher_frequencies_than_the_one_before(rows: dict) -> None:
    view, starts = rows["low"]
    for start in starts.values():
        means = [mean_frequency(layer) for layer in start.layers]
        assert len(means) == 4
        assert means == sorted(means)


def test_the_figure_has_a_row_for_each_sound_and_names_its_axes(rows: dict) -> None:
    figure = starts_figure(rows)
    svg = svg_file(figure)
    for text in (
        "low and untrained outputs",
        "high and untrained outputs",
        "Activations of layer 4",
        "Frequency (kHz)",
        "Frequency (cycles per signal)",
        "Mean amplitude (dB, a wave of ±1 is 0)",
        "Power per coefficient (dB, variance is 0)",
    ):
        assert text in svg
    assert png_file(figure)[:4] == b"\x89PNG"
