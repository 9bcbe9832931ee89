"""Spectra of signals as the remedies against spectral bias measure them."""

from __future__ import annotations

import math

import numpy as np

from inrcodec.signal.audio import AudioSignal
from inrcodec.signal.image import Signal
from inrcodec.signal.video import VideoSignal


def colours_of(signal: Signal | AudioSignal | VideoSignal) -> np.ndarray:
    """[*grid, channels] float64: what spectra are taken of.

    Of pictures the colours without alpha, of videos the luma, both on [0, 1]; sound on [-1, 1].
    """
    if isinstance(signal, AudioSignal):
        return signal.samples / signal.full_scale
    if isinstance(signal, VideoSignal):
        return signal.planes[0][..., None] / signal.peak
    return signal.samples[..., : signal.channels - signal.has_alpha] / signal.peak


def waveform_of(signal: Signal | AudioSignal | VideoSignal) -> np.ndarray:
    """[samples, channels] float64 on [-1, 1]: the colours of a signal as one line.

    Of pictures row after row, of videos frame after frame. Of sound it is the mean of the channels,
    which is what WINNER's authors load.
    """
    colours = colours_of(signal)
    if isinstance(signal, AudioSignal):
        return colours.mean(axis=1, keepdims=True)
    return 2 * colours.reshape(-1, colours.shape[-1]) - 1


def amplitude_centroid(waveform: np.ndarray) -> float:
    """WINNER's psi: twice the mean frequency by amplitude, over the number of channels; 0..1.

    c = sum(|S| f) / sum(|S|) with S = rfft and f in cycles per sample, and psi = 2 mean(c) / C of C
    channels (the authors' modules/networks.py divides by C).

    Args:
        waveform: [samples, channels].
    """
    amplitude = np.abs(np.fft.rfft(waveform, axis=0))
    frequency = np.fft.rfftfreq(len(waveform))[:, None]
    total = np.maximum(amplitude.sum(axis=0), np.finfo(float).tiny)
    return float(2 * ((amplitude * frequency).sum(axis=0) / total).mean() / waveform.shape[1])


def energy_centroid(values: np.ndarray) -> float:
    """SEC: the energy-weighted mean radius of the spectrum, in cycles per extent; NaN of constants.

    sum_r r E[r] / sum_r E[r], with E[r] the sum of |FFT|**2 over the integer frequency indices
    (u, v) with round(sqrt(u*u + v*v)) = r, over all channels, and E[0] = 0 (Dadela, Kania, Rut and
    Spurek, arXiv 2605.12709, and its code).

    Args:
        values: [*grid, channels], any scale and offset.
    """
    if not np.ptp(values, axis=tuple(range(values.ndim - 1))).any():
        return math.nan  # rather than the centroid of rounding errors
    radius = np.rint(radii(values.shape[:-1])).astype(np.intp).ravel()
    energy = np.zeros(int(radius.max()) + 1)
    for channel in np.moveaxis(values, -1, 0):
        energy += np.bincount(radius, (np.abs(np.fft.fftn(channel)) ** 2).ravel())
    energy[0] = 0
    return float((np.arange(len(energy)) * energy).sum() / energy.sum())


def radii(shape: tuple[int, ...]) -> np.ndarray:
    """[*shape] distance of each Fourier coefficient from frequency 0, in cycles per extent."""
    axes = [np.fft.fftfreq(n, 1 / n) ** 2 for n in shape]
    return np.sqrt(sum(np.meshgrid(*axes, indexing="ij", sparse=True)))


def diagonal_spectrum(grid: np.ndarray) -> np.ndarray:
    """[k] amplitudes over |u| + |v| + ... = 1, 2, ..., summed over channels: FreSh's spectrum.

    Args:
        grid: [*shape, channels]; frequencies u, v, ... are whole cycles over the extent.
    """
    shape = grid.shape[:-1]
    amplitude = np.abs(np.fft.fftn(grid, axes=range(len(shape)))).sum(axis=-1)
    axes = np.meshgrid(*(np.abs(np.fft.fftfreq(n, 1 / n)) for n in shape), indexing="ij")
    index = np.rint(sum(axes)).astype(np.intp)
    return np.bincount(index.ravel(), amplitude.ravel())[1:]
