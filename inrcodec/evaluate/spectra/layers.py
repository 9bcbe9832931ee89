"""Activations of a network, layer by layer: their values and their spectra."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from inrcodec.kernels.arithmetic import FAST
from inrcodec.signal.spectrum import radii

GRID_SIDE, LINE_SAMPLES = 128, 1 << 14
BINS, BANDS = 64, 64


@dataclass(frozen=True, eq=False)
class Layer:
    """Activations of one layer over a grid of positions.

    Args:
        name: "encoding", or the number of the layer of activations, from 1.
        features: real numbers for every position.
        mean, deviation: of all of them.
        edges: [bins + 1] of the histogram; the outermost hold the 0.1% on either side that would
            stretch it.
        density: [bins] share of the activations over the width of a bin.
        frequency_cycles: [bands] cycles over the extent of the signal, the middles of bands.
        amplitude: [bands] mean over the features, and over the Fourier coefficients of a band, of
            the amplitude of waves; without mean, under a Hann window.
    """

    name: str
    features: int
    mean: float
    deviation: float
    edges: np.ndarray
    density: np.ndarray
    frequency_cycles: np.ndarray
    amplitude: np.ndarray


def layers_of(
    network: Callable[..., Any], config: Any, theta: Mapping[str, np.ndarray], axes: int
) -> list[Layer]:
    """Every layer of activations of a network, as SPDER's Fig. 8 and WINNER look at them.

    They are what affine layers are given: so of all networks that are written in the arithmetic of
    `kernels`, those that multiply layers too.

    Args:
        network: of (arithmetic, config, theta, coordinates).
        config: its shape.
        theta: name -> parameter.
        axes: of the signal: a sound is looked at on 16,384 positions over its extent, pictures on
            128x128, videos at the middle of their time. Waves finer than those fold back.
    """
    grid = (LINE_SAMPLES,) if axes == 1 else (GRID_SIDE, GRID_SIDE)
    centres = [(2 * np.arange(n) + 1) / n - 1 for n in grid]
    coords = np.stack([plane.ravel() for plane in np.meshgrid(*centres)])
    if axes == 3:
        coords = np.concatenate([coords, np.zeros_like(coords[:1])])
    encoding = getattr(config, "encoding", None)
    encoded = encoding is not None and type(encoding).__name__ != "Identity"
    found: list[Layer] = []

    def heard(h: np.ndarray) -> None:
        name = "encoding" if encoded and not found else str(len(found) + 1 - encoded)
        found.append(_layer(name, h.reshape(len(h), *grid)))

    network(_Listening(coords, heard), config, theta, coords)
    return found


class _Listening:
    """The arithmetic of previews, which tells what affine layers are given, each array once.

    Args:
        coords: what is not told.
        heard: told of every array [features, samples].
    """

    def __init__(self, coords: np.ndarray, heard: Callable[[np.ndarray], None]) -> None:
        self._last, self._coords, self._heard = coords, coords, heard

    def __getattr__(self, name: str) -> Any:
        return getattr(FAST, name)

    def affine(self, weight: np.ndarray, bias: np.ndarray, h: np.ndarray) -> np.ndarray:
        if h is not self._coords and h is not self._last:
            self._last = h
            self._heard(h)
        return FAST.affine(weight, bias, h)


def _layer(name: str, maps: np.ndarray) -> Layer:
    """Facts of activations [features, *grid]."""
    low, high = (float(q) for q in np.quantile(maps, (0.001, 0.999)))
    edges = np.linspace(low, high, BINS + 1) if high > low else np.linspace(low, low + 1, BINS + 1)
    counts, _ = np.histogram(np.clip(maps, edges[0], edges[-1]), edges)
    frequency, amplitude = _amplitudes(maps)
    return Layer(
        name,
        len(maps),
        float(maps.mean(dtype=np.float64)),
        float(maps.std(dtype=np.float64)),
        edges,
        counts / counts.sum() / np.diff(edges),
        frequency,
        amplitude,
    )


def _amplitudes(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(bands from 1 cycle to the grid's highest frequency, mean amplitude in each)."""
    grid = maps.shape[1:]
    window = np.ones(grid)
    for axis, n in enumerate(grid):
        hann = np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2
        window *= hann.reshape([-1 if a == axis else 1 for a in range(len(grid))])
    radius = np.rint(radii(grid)).astype(np.intp).ravel()
    total = np.zeros(radius.size)
    for one in maps:
        # A wave of amplitude 1 has two coefficients of half the window's sum.
        total += np.abs(np.fft.fftn((one - one.mean(dtype=np.float64)) * window)).ravel()
    total *= 2 / (window.sum() * len(maps))
    # Bands of equal ratios, as far as radii are whole: a line has thousands of them.
    edges = np.unique(np.rint(np.geomspace(1, min(grid) // 2 + 1, BANDS + 1)).astype(np.intp))
    sums, counts = np.bincount(radius, total), np.bincount(radius)
    amplitude = np.add.reduceat(sums[: edges[-1]], edges[:-1])
    amplitude /= np.add.reduceat(counts[: edges[-1]], edges[:-1])
    return np.sqrt(edges[:-1] * (edges[1:] - 1.0)), amplitude
