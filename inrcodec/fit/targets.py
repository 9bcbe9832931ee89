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
        values = np.array(signal.samples.T, np.float32, order="C")
        values /= np.float32(signal.full_scale)
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
    return Samples(native_coordinates(shape), values, slice(first, first + len(values)), shape)


def native_coordinates(shape: tuple[int, ...]) -> np.ndarray:
    """[axes, samples] float32 centres on [-1, 1], the fastest axis first."""
    coords = np.empty((len(shape), *shape), np.float32)
    for i, n in enumerate(reversed(shape)):
        centres = np.arange(1, 2 * n, 2, np.float64)
        centres /= n
        centres -= 1
        coords[i] = centres.reshape(-1, *[1] * i)
    return coords.reshape(len(shape), -1)


def _centred(samples: np.ndarray, peak: int) -> np.ndarray:
    values = np.array(samples, np.float32, order="C")
    values *= np.float32(2 / peak)
    values -= 1
    return values
