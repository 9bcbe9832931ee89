"""Numbers of signals' spectra, against those of the codes of their papers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from inrcodec.errors import BadInput
from inrcodec.evaluate.metrics.spectral import radial_power_spectrum, spectral_slope
from inrcodec.evaluate.spectra.facts import compared, facts_of, gradient_magnitude
from inrcodec.evaluate.spectra.study import study_pair
from inrcodec.evaluate.spectra.view import View, read_view
from inrcodec.signal import AudioSignal, Signal, VideoSignal, image_signal

COFFEE = Path(__file__).parents[3] / "tools" / "demo_photo" / "coffee.png"
# SEC by compute_sec.py of gmum/SEC at fb64d98; psi, S0 and S1 by WINNER's modules/networks.py.
PICTURES = {
    "camera": (8.185, 0.3121, 39.496, 0.1248),
    "astronaut": (11.189, 0.0842, 6.544, 0.0112),
    "chelsea": (13.157, 0.0896, 6.939, 0.0120),
    "text": (21.320, 0.2453, 35.331, 0.0981),
    "brick": (36.045, 0.2532, 35.901, 0.1013),
    "grass": (76.562, 0.3353, 40.651, 0.1341),
    "gravel": (50.076, 0.2836, 37.891, 0.1134),
    "moon": (16.218, 0.2807, 37.711, 0.1123),
    "page": (24.320, 0.3357, 40.666, 0.1343),
    "coins": (16.254, 0.3099, 39.383, 0.1240),
}


def check(view: View, expected: tuple[float, float, float, float]) -> None:
    found = facts_of(view)
    for value, wanted, digits in zip(
        (found.sec, found.psi, found.s0, found.s1), expected, (3, 4, 3, 4), strict=True
    ):
        assert f"{value:.{digits}f}" == f"{wanted:.{digits}f}"


@pytest.mark.parametrize("name", PICTURES)
def test_facts_of_pictures_are_those_of_the_codes_of_their_papers(name):
    data = pytest.importorskip("skimage.data", reason="the pictures come with scikit-image")
    try:
        picture = getattr(data, name)()
    except (ImportError, OSError) as error:
        pytest.skip(f"this scikit-image does not bring the picture: {error}")
    check(View.of(image_signal(picture)), PICTURES[name])


def test_facts_of_the_demo_photo_are_those_of_the_codes_of_their_papers():
    check(read_view(str(COFFEE)), (13.276, 0.0974, 7.489, 0.0130))


def tone(cycles: int, frames: int = 4000, rate_hz: int = 8000) -> AudioSignal:
    wave = np.cos(2 * np.pi * cycles * np.arange(frames) / frames)
    return AudioSignal(np.rint(20000 * wave).astype(np.int16)[:, None], rate_hz)


def test_a_tone_has_its_frequency_as_centroid_and_winners_noise_by_the_formula():
    found = facts_of(View.of(tone(500)))
    assert found.sec == pytest.approx(500, abs=0.01)
    # Rounding to 16 bits is a floor of noise, which amplitudes feel more than energies do.
    assert found.psi == pytest.approx(2 * 500 / 4000, abs=0.02)
    assert found.s0 == pytest.approx(3500 * (1 - math.exp(-7 * found.psi)))
    assert found.s1 == pytest.approx(3 * found.psi)


def test_a_video_is_looked_at_along_three_axes():
    t, y, x = np.meshgrid(*(np.arange(n) / n for n in (12, 16, 20)), indexing="ij")
    luma = np.rint(128 + 100 * np.cos(2 * np.pi * (2 * t + 3 * y + 6 * x))).astype(np.uint8)
    view = View.of(VideoSignal((luma,), rate=25, subsampling="4:0:0"))
    assert (view.dimensions, view.taken) == (3, "luma of all 12 frames")
    assert facts_of(view).sec == pytest.approx(7, abs=0.01)


def test_the_slope_is_the_exponent_of_the_power():
    rng = np.random.default_rng(0)
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256), indexing="ij"))
    radius[0, 0] = 1
    noise = np.fft.fft2(rng.normal(size=(256, 256)))
    for exponent in (0.0, -1.0, -2.5):
        picture = np.fft.ifft2(noise * radius ** (exponent / 2)).real
        found = spectral_slope(radial_power_spectrum(picture))
        assert found == pytest.approx(exponent, abs=0.1)


def test_a_constant_has_neither_centroid_nor_slope():
    found = facts_of(View.of(image_signal(np.full((16, 20), 9, np.uint8))))
    assert math.isnan(found.sec)
    assert math.isnan(found.slope)


def test_a_comparison_shows_at_which_frequencies_something_was_lost():
    rng = np.random.default_rng(3)
    original = rng.integers(60, 200, (64, 96, 3), dtype=np.uint8)
    spectrum = np.fft.fft2(original, axes=(0, 1))
    radius = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.fftfreq(96))
    spectrum[radius > 0.25] = 0
    smooth = np.rint(np.fft.ifft2(spectrum, axes=(0, 1)).real).clip(0, 255).astype(np.uint8)
    views = View.of(Signal(original)), View.of(Signal(smooth))
    found = compared(*views)
    frequency = found.error.frequency_cycles_per_sample
    assert (found.error_ratio[frequency < 0.23] < 0.01).all()
    assert (abs(found.error_ratio[(frequency > 0.27) & (frequency < 0.6)] - 1) < 0.02).all()
    assert found.error.power.sum() == pytest.approx(10 ** (-found.quality_db / 10))
    assert found.rho_ag_no_dc < found.rho_ag < 1
    nothing = compared(views[0], views[0])
    assert nothing.quality_db == math.inf
    assert (nothing.error_ratio == 0).all()


def test_two_signals_of_different_kinds_or_sizes_are_refused():
    picture = View.of(image_signal(np.zeros((8, 9), np.uint8)))
    with pytest.raises(BadInput, match="of kind image.*of kind audio"):
        study_pair(picture, View.of(tone(3)))
    with pytest.raises(BadInput, match=r"\(8, 9, 1\).*\(8, 8, 1\)"):
        study_pair(picture, View.of(image_signal(np.zeros((8, 8), np.uint8))))


def test_the_gradient_of_a_ramp_is_its_slope():
    y, x = np.mgrid[0:20, 0:30]
    ramp = (3 * x + 4 * y).astype(np.uint8)
    found = gradient_magnitude(View.of(image_signal(np.stack([ramp] * 3, axis=-1))))
    assert found == pytest.approx(np.full((20, 30), 5 / 255))
    assert gradient_magnitude(View.of(tone(3))) is None
    assert gradient_magnitude(View.of(image_signal(ramp[:1]))) == pytest.approx(3 / 255)
