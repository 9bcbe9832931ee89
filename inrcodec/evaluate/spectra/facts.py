"""Numbers and curves of a signal's spectrum, and of an error's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inrcodec.evaluate.metrics.spectral import (
    RadialSpectrum,
    amplitude_correlation,
    radial_error_spectrum,
    radial_power_spectrum,
    spectral_energy_centroid,
    spectral_slope,
)
from inrcodec.evaluate.spectra.view import View
from inrcodec.remedies.winner import strengths
from inrcodec.signal.spectrum import amplitude_centroid, waveform_of

MOST_RINGS = 128


@dataclass(frozen=True, eq=False)
class Facts:
    """What a signal's spectrum is like.

    Args:
        sec: Spectral Energy Centroid in cycles per picture; of sound and of videos, ours, per
            stretch that is looked at.
        psi: WINNER's amplitude centroid of the signal as one line, 0..1; of sound of the mean of
            its channels.
        s0, s1: the noise that WINNER puts on the first two layers for it; of videos ours.
        slope: exponent of frequency that power per coefficient follows best.
        spectrum: power by radius.
    """

    sec: float
    psi: float
    s0: float
    s1: float
    slope: float
    spectrum: RadialSpectrum


@dataclass(frozen=True, eq=False)
class Comparison:
    """How a signal's spectrum differs from its original's.

    Args:
        quality_db: SNR of sound, PSNR of others, of the samples that are looked at.
        rho_ag: SPDER's cosine of amplitude spectra.
        rho_ag_no_dc: the same without frequency 0; ours.
        error: power of the difference by radius.
        error_ratio: [rings] of it over the original's power: near 1 where nothing is left of it;
            NaN where the original has none.
    """

    quality_db: float
    rho_ag: float
    rho_ag_no_dc: float
    error: RadialSpectrum
    error_ratio: np.ndarray


def rings_of(grid: tuple[int, ...]) -> int:
    """Into how many rings a spectrum is cut: no more than the longest side has frequencies."""
    return min(MOST_RINGS, max(1, max(grid) // 2))


def facts_of(view: View) -> Facts:
    """The facts of a signal."""
    waveform = waveform_of(view.signal)
    s0, s1 = strengths(view.signal)
    spectrum = radial_power_spectrum(view.samples, view.dimensions, rings_of(view.grid))
    return Facts(
        sec=spectral_energy_centroid(view.samples, view.dimensions),
        psi=amplitude_centroid(waveform),
        s0=s0,
        s1=s1,
        slope=spectral_slope(spectrum),
        spectrum=spectrum,
    )


def compared(original: View, view: View) -> Comparison:
    """A signal beside its original.

    Raises:
        BadInput: they are not of one size.
    """
    rings, dimensions = rings_of(view.grid), view.dimensions
    error = radial_error_spectrum(original.samples, view.samples, dimensions, rings)
    power = radial_power_spectrum(original.samples, dimensions, rings).power
    # SPDER's range [-1, 1]: what value is 0 matters for the term at frequency 0.
    scaled = [v.samples if v.rate_hz else 2 * v.samples - 1 for v in (original, view)]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = error.power / power
    return Comparison(
        quality_db=original.quality_db(view.samples),
        rho_ag=amplitude_correlation(*scaled, dimensions=dimensions),
        rho_ag_no_dc=amplitude_correlation(*scaled, dimensions=dimensions, with_dc=False),
        error=error,
        error_ratio=np.where(power > 0, ratio, np.nan),
    )


def gradient_magnitude(view: View) -> np.ndarray | None:
    """[height, width] of the gradient by central differences, full scale per pixel; SPDER's Fig. 5.

    Of several channels the root of the mean square; of a video that of its middle frame. A sound
    has none.
    """
    if view.dimensions == 1:
        return None
    picture = view.samples if view.dimensions == 2 else view.samples[len(view.samples) // 2]
    slopes = [np.gradient(picture, axis=a) for a in (0, 1) if picture.shape[a] > 1]
    squares = sum((np.square(slope) for slope in slopes), np.zeros(picture.shape))
    return np.sqrt(squares.mean(axis=-1))
