"""The element-wise parts of a step: soft rounding with noise, and Adam."""

from __future__ import annotations

import numpy as np

from inrcodec.kernels.cpu.compiling import compiled
from inrcodec.kernels.cpu.dense import part
from inrcodec.kernels.cpu.functions import floor, normal, sqrt, tanh

Array = np.ndarray

_ONE = np.float32(1)
_HALF = np.float32(0.5)


@compiled
def perturb(
    y: Array,
    z: Array,
    slope: Array,
    start: int,
    end: int,
    inverse: float,
    gain: float,
    sigma: float,
    key: int,
    second_key: int,
) -> None:
    """Writes z = s(s(y) + sigma n) and dz/dy for elements start .. end.

    s is soft rounding (Agustsson and Theis, arXiv 2006.09952, eq. 11).

    Args:
        y, z, slope: [count] float32.
        inverse: 1 / temperature.
        gain: 1 / (2 tanh(inverse / 2)).
        sigma: standard deviation of the noise.
        key, second_key: uint32, the seed.
    """
    count = end - start
    y, z, slope = part(y, start, count), part(z, start, count), part(slope, start, count)
    change = gain * inverse
    for i in range(count):
        low = floor(y[i])
        t = tanh((y[i] - low - _HALF) * inverse)
        once = low + _HALF + gain * t + sigma * normal(start + i, key, second_key)
        low = floor(once)
        u = tanh((once - low - _HALF) * inverse)
        z[i] = low + _HALF + gain * u
        slope[i] = (_ONE - t * t) * (_ONE - u * u) * (change * change)


@compiled
def adam(
    values: Array,
    first: Array,
    second: Array,
    gradient: Array,
    start: int,
    end: int,
    keep_first: float,
    keep_second: float,
    rate: float,
    scale: float,
    epsilon: float,
) -> None:
    """Updates elements start .. end of values and both moments in place.

    Args:
        values, first, second, gradient: [count] float32.
        keep_first, keep_second: beta1, beta2.
        rate: step size, divided by the first moment's bias correction.
        scale: reciprocal of the second moment's bias correction.
        epsilon: added to the root.
    """
    count = end - start
    values, gradient = part(values, start, count), part(gradient, start, count)
    first, second = part(first, start, count), part(second, start, count)
    for i in range(count):
        g = gradient[i]
        m = first[i] + (_ONE - keep_first) * (g - first[i])
        v = keep_second * second[i] + (_ONE - keep_second) * (g * g)
        first[i] = m
        second[i] = v
        values[i] -= rate * m / (sqrt(v * scale) + epsilon)
