import math
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from inrcodec.errors import BadInput
from inrcodec.evaluate.metrics.spectral import (
    amplitude_correlation,
    radial_error_spectrum,
    radial_power_spectrum,
    spectral_energy_centroid,
)

COFFEE = Path(__file__).parents[3] / "tools" / "demo_photo" / "coffee.png"


def wave(shape: tuple[int, ...], *cycles: int) -> np.ndarray:
    axes = np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij")
    return np.cos(2 * np.pi * sum(c * x for c, x in zip(cycles, axes, strict=True)))


# Made with compute_sec.py of gmum/SEC at fb64d98, on pictures that scikit-image brings along.
@pytest.mark.parametrize(
    ("name", "expected"),
    [("camera", 8.185), ("chelsea", 13.157), ("text", 21.320), ("page", 24.320), ("coins", 16.254)],
)
def test_the_centroid_is_that_of_the_code_of_its_paper(name, expected):
    picture = getattr(skimage.data, name)()
    assert spectral_energy_centroid(picture) == pytest.approx(expected, abs=5e-4)


def test_the_centroid_of_the_demo_photo_is_frozen():
    assert spectral_energy_centroid(np.asarray(Image.open(COFFEE))) == pytest.approx(
        13.276, abs=5e-4
    )


@pytest.mark.parametrize(
    ("shape", "cycles", "expected"),
    [
        ((64,), (5,), 5),
        ((48,), (24,), 24),
        ((32, 48), (3, 4), 5),
        ((33, 20), (0, 7), 7),
        ((32, 32), (2, 3), 4),  # sqrt(13) = 3.6 lies in ring 4
        ((12, 16, 20), (2, 3, 6), 7),
    ],
)
def test_the_centroid_of_a_wave_is_its_frequency(shape, cycles, expected):
    for scale, offset in ((1, 0), (0.01, 5), (100, -3)):
        found = spectral_energy_centroid(scale * wave(shape, *cycles) + offset, len(shape))
        assert found == pytest.approx(expected, abs=1e-9)


def test_the_centroid_weighs_waves_by_their_energy():
    two = wave((64,), 2) + 3 * wave((64,), 10)
    assert spectral_energy_centroid(two, 1) == pytest.approx((1 * 2 + 9 * 10) / 10)
    channels = np.stack([wave((64,), 2), 3 * wave((64,), 10)], axis=-1)
    assert spectral_energy_centroid(channels, 1) == pytest.approx((1 * 2 + 9 * 10) / 10)


def test_a_constant_signal_has_no_centroid():
    assert math.isnan(spectral_energy_centroid(np.full((9, 7, 3), 0.1)))
    assert math.isnan(spectral_energy_centroid(np.full(50, 0.1), 1))


def test_white_noise_fills_the_spectrum_evenly():
    noise = np.random.default_rng(0).normal(size=(128, 128, 3))
    indices = np.fft.fftfreq(128, 1 / 128)
    expected = np.rint(np.hypot(indices[:, None], indices[None])).mean()
    assert spectral_energy_centroid(noise) == pytest.approx(expected, rel=0.01)


def test_rho_ag_is_a_cosine_of_amplitudes():
    a = wave((16, 16), 1, 0) + wave((16, 16), 0, 3)
    b = wave((16, 16), 1, 0)
    assert amplitude_correlation(a, b) == pytest.approx(math.sqrt(0.5))
    assert amplitude_correlation(a, wave((16, 16), 5, 5)) == pytest.approx(0, abs=1e-12)
    assert amplitude_correlation(a, -3 * np.roll(a, 5, axis=1)) == pytest.approx(1)


def test_rho_ag_is_between_0_and_1_and_symmetric():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 15, 12, 3))
    for with_dc in (True, False):
        found = amplitude_correlation(a, b, with_dc=with_dc)
        assert 0 < found < 1
        assert found == pytest.approx(amplitude_correlation(b, a, with_dc=with_dc))


def test_rho_ag_is_cheap_with_dc_only():
    a = 10 + wave((16, 16), 4, 4)
    b = 10 + wave((16, 16), 1, 0)
    assert amplitude_correlation(a, b) > 0.99
    assert amplitude_correlation(a, b, with_dc=False) == pytest.approx(0, abs=1e-12)
    assert math.isnan(amplitude_correlation(np.zeros((4, 4)), b[:4, :4]))


@pytest.mark.parametrize(("shape", "dimensions"), [((40, 31, 3), 2), ((101,), 1), ((8, 9, 10), 3)])
def test_the_rings_hold_all_power_and_all_coefficients(shape, dimensions):
    samples = np.random.default_rng(1).normal(size=shape)
    spectrum = radial_power_spectrum(samples, dimensions)
    assert spectrum.power.sum() == pytest.approx((samples**2).mean())
    assert spectrum.coefficients.sum() == math.prod(shape[:dimensions])
    assert spectrum.frequency_cycles_per_sample[-1] < 0.5 * math.sqrt(dimensions)


def test_a_wave_lies_in_the_ring_of_its_frequency():
    spectrum = radial_power_spectrum(wave((64, 128), 0, 32), rings=40)
    (ring,) = np.flatnonzero(spectrum.power > 1e-12)
    width = spectrum.frequency_cycles_per_sample[1] - spectrum.frequency_cycles_per_sample[0]
    assert abs(spectrum.frequency_cycles_per_sample[ring] - 32 / 128) <= width / 2
    assert spectrum.power[ring] == pytest.approx(0.5)


def test_the_error_spectrum_shows_what_a_blur_took():
    original = np.random.default_rng(2).normal(size=(64, 64))
    blurred = (original + np.roll(original, 1, 0) + np.roll(original, -1, 0)) / 3
    error = radial_error_spectrum(original, blurred)
    share = error.power / radial_power_spectrum(original).power
    assert error.power.sum() == pytest.approx(((original - blurred) ** 2).mean())
    assert share[0] < 0.05 < 0.5 < share[-3]


def test_shapes_that_do_not_fit_are_refused():
    a = np.zeros((4, 4, 3))
    with pytest.raises(BadInput, match=r"\(4, 4, 3\), expected 1 axes"):
        spectral_energy_centroid(a, 1)
    with pytest.raises(BadInput, match="dimensions is 4"):
        radial_power_spectrum(a, 4)
    with pytest.raises(BadInput, match="0 rings"):
        radial_power_spectrum(a, 2, rings=0)
    with pytest.raises(BadInput, match="NaN"):
        spectral_energy_centroid(np.full((4, 4), np.nan))
    for function in (amplitude_correlation, radial_error_spectrum):
        with pytest.raises(BadInput, match=r"\(4, 4, 3\).*\(4, 5, 3\)"):
            function(a, np.zeros((4, 5, 3)))
