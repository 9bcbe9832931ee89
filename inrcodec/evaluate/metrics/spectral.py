"""Where in the spectrum the energy of a signal, or of its error, lies.

Frequencies come in two units: cycles per sample (pixels: cycles per pixel, at most 0.5 along an
axis), which do not depend on size, and whole cycles per picture, as the Spectral Energy Centroid
counts them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from inrcodec.errors import BadInput
from inrcodec.evaluate.metrics.pairs import real_pair
from inrcodec.signal.spectrum import energy_centroid


@dataclass(frozen=True, eq=False)
class RadialSpectrum:
    """Power of a signal over rings of equal width in frequency.

    Args:
        frequency_cycles_per_sample: [rings] centres of the rings, the first around 0.
        power: [rings] sum over the ring, mean over channels. All rings together are the mean
            square of the samples (Parseval).
        coefficients: [rings] Fourier coefficients in the ring: power / coefficients is a density.
    """

    frequency_cycles_per_sample: np.ndarray
    power: np.ndarray
    coefficients: np.ndarray

    @property
    def density(self) -> np.ndarray:
        """[rings] power per coefficient; 0 where a ring has none."""
        return self.power / np.maximum(self.coefficients, 1)


def amplitude_correlation(
    reference: np.ndarray, decoded: np.ndarray, *, dimensions: int = 2, with_dc: bool = True
) -> float:
    """SPDER's rho_AG: the cosine between two amplitude spectra, 0..1; NaN where one is all 0.

    <|FFT(reference)|, |FFT(decoded)|> over the product of their norms, no mean subtracted (Shah and
    Sitawarin, "SPDER: Semiperiodic Damping-Enabled Object Representation", arXiv 2306.15242).
    The term at frequency 0 is part of SPDER's definition; in pictures it outweighs all others and
    brings any blur near 1, so `with_dc=False` (ours) leaves it out. It also makes the number
    depend on what value is 0: SPDER's is the middle of the range.

    Args:
        reference, decoded: [*grid] or [*grid, channels] of one shape; SPDER's have one channel, of
            several all amplitudes make one vector (ours).
        dimensions: number of axes of the grid, 1..3.
        with_dc: whether frequency 0 counts.

    Raises:
        BadInput: shapes differ, or do not fit `dimensions`.
    """
    first, second = (
        np.abs(_spectrum(array, dimensions)) for array in real_pair(reference, decoded)
    )
    if not with_dc:
        first[(0,) * dimensions] = second[(0,) * dimensions] = 0
    norms = math.sqrt(float((first * first).sum())) * math.sqrt(float((second * second).sum()))
    return min(1.0, float((first * second).sum()) / norms) if norms else math.nan


def spectral_energy_centroid(samples: np.ndarray, dimensions: int = 2) -> float:
    """SEC: the energy-weighted mean radius of the spectrum, in cycles per picture.

    See `signal.spectrum.energy_centroid`; the tool of its authors rounds the result. A picture of
    another aspect or a crop of it has another SEC; another resolution of the same picture has
    nearly the same. 1 and 3 dimensions are our extension, with the radius in as many indices.

    Args:
        samples: [*grid] or [*grid, channels], any scale and offset.
        dimensions: number of axes of the grid, 1..3.

    Returns:
        The centroid, from 1 to half the diagonal of the grid; NaN for a constant signal.

    Raises:
        BadInput: the shape does not fit `dimensions`.
    """
    values, _ = real_pair(samples, samples)
    return energy_centroid(_with_channels(values, dimensions))


def radial_power_spectrum(
    samples: np.ndarray, dimensions: int = 2, rings: int | None = None
) -> RadialSpectrum:
    """The power of a signal over its distance from frequency 0.

    Args:
        samples: [*grid] or [*grid, channels].
        dimensions: number of axes of the grid, 1..3.
        rings: how many, from 0 to the corner at 0.5 sqrt(dimensions) cycles per sample; default
            half the shortest side, at least 1.

    Raises:
        BadInput: the shape does not fit `dimensions`, or no ring.
    """
    values, _ = real_pair(samples, samples)
    spectrum = _spectrum(values, dimensions)
    grid = spectrum.shape[:dimensions]
    rings = max(1, min(grid) // 2) if rings is None else rings
    if not isinstance(rings, Integral) or rings < 1:
        raise BadInput(f"{rings!r} rings were asked for, expected a whole number from 1 on")
    power = (np.abs(spectrum) ** 2).mean(axis=-1) / math.prod(grid) ** 2
    width = 0.5 * math.sqrt(dimensions) / rings
    radius = _radius([np.fft.fftfreq(n) for n in grid])
    ring = np.minimum((radius / width).astype(np.intp), rings - 1).ravel()
    return RadialSpectrum(
        frequency_cycles_per_sample=(np.arange(rings) + 0.5) * width,
        power=np.bincount(ring, power.ravel(), rings),
        coefficients=np.bincount(ring, minlength=rings),
    )


def radial_error_spectrum(
    reference: np.ndarray, decoded: np.ndarray, dimensions: int = 2, rings: int | None = None
) -> RadialSpectrum:
    """The power of decoded - reference over its distance from frequency 0.

    All rings together are the mean squared error; divided by the power of
    `radial_power_spectrum(reference)`, ring by ring, they show where detail is lost (near 1: none
    of it is left). Args and errors as there.
    """
    first, second = real_pair(reference, decoded)
    return radial_power_spectrum(second - first, dimensions, rings)


def spectral_slope(spectrum: RadialSpectrum) -> float:
    """The exponent of the power law in frequency that is nearest to the power per coefficient.

    Least squares in logarithms where every octave counts the same (weights 1 / frequency), from the
    second ring, which is free of the mean, to 0.5 cycles per sample, behind which rings have
    corners only. About -2 for photographs (Field, J. Opt. Soc. Am. A 4(12), 1987), 0 for white
    noise; NaN where fewer than two rings have power.
    """
    frequency, density = spectrum.frequency_cycles_per_sample, spectrum.density
    used = (np.arange(len(frequency)) > 0) & (frequency <= 0.5) & (density > 0)
    if used.sum() < 2:
        return math.nan
    x, y, weight = np.log(frequency[used]), np.log(density[used]), 1 / frequency[used]
    x -= np.average(x, weights=weight)
    return float((weight * x * y).sum() / (weight * x * x).sum())


def _spectrum(values: np.ndarray, dimensions: int) -> np.ndarray:
    """The Fourier transform over the grid, [*grid, channels]."""
    return np.fft.fftn(_with_channels(values, dimensions), axes=range(dimensions))


def _with_channels(values: np.ndarray, dimensions: int) -> np.ndarray:
    """[*grid, channels]."""
    if dimensions not in (1, 2, 3):
        raise BadInput(f"dimensions is {dimensions!r}, expected 1, 2 or 3")
    if values.ndim not in (dimensions, dimensions + 1):
        raise BadInput(
            f"the signal has shape {values.shape}, expected {dimensions} axes, or "
            f"{dimensions + 1} with channels as the last one"
        )
    return values[..., None] if values.ndim == dimensions else values


def _radius(axes: list[np.ndarray]) -> np.ndarray:
    squares = np.meshgrid(*(axis * axis for axis in axes), indexing="ij", sparse=True)
    return np.sqrt(sum(squares))
