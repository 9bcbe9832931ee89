"""Signals as what a coordinate network is fitted to: coordinates and values on [-1, 1]."""

from __future__ import annotations

import math

import numpy as np

from inrcodec.kernels.network import Samples
from inrcodec.signal import AnySignal, AudioSignal, VideoSignal


def samples_of(signal: AnySignal) -> tuple[tuple[Samples, ...], tuple[int, int]]:
    """(samples, (in_features, out_features)) of a signal.

    Black and white of a picture, and the full code range of every plane of a video, are -1 and 1;
    sound is in units of full scale. Chroma is asked for at the centres of its own samples.
    """
    if isinstance(signal, AudioSignal):
        values = signal.samples.T.astype(np.float32) / np.float32(signal.full_scale)
        return (_samples(signal.samples.shape[:1], values),), (1, signal.channels)
    if isinstance(signal, VideoSignal):
        parts = [
            _samples(plane.shape, _centred(plane.reshape(1, -1), signal.peak), first=i)
            for i, plane in enumerate(signal.planes)
        ]
        return tuple(parts), (3, len(parts))
    values = _centred(signal.samples.reshape(-1, signal.channels).T, signal.peak)
    return (_samples(signal.samples.shape[:2], values),), (2, signal.channels)


def shape_of(signal: AnySignal) -> tuple[tuple[int, ...], int]:
    """(samples along each axis, slowest first; channels) of a signal."""
    if isinstance(signal, VideoSignal):
        return signal.planes[0].shape, len(signal.planes)
    return signal.samples.shape[:-1], signal.channels


def positions_of(signal: AnySignal) -> int:
    """How often a network is evaluated for a whole signal: every plane has a grid of its own."""
    if isinstance(signal, VideoSignal):
        return sum(plane.size for plane in signal.planes)
    return math.prod(shape_of(signal)[0])


def _samples(shape: tuple[int, ...], values: np.ndarray, first: int = 0) -> Samples:
    return Samples(
        native_coordinates(shape),
        np.ascontiguousarray(values, np.float32),
        slice(first, first + len(values)),
        shape,
    )


def native_coordinates(shape: tuple[int, ...]) -> np.ndarray:
    """[axes, samples] float32 centres on [-1, 1], the fastest axis first."""
    axes = [((2 * np.arange(n) + 1) / n - 1).astype(np.float32) for n in shape]
    mesh = np.meshgrid(*axes, indexing="ij")
    return np.stack([plane.ravel() for plane in reversed(mesh)])


def _centred(samples: np.ndarray, peak: int) -> np.ndarray:
    return samples.astype(np.float32) * np.float32(2 / peak) - 1
