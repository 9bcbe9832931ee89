"""The updates of a step: soft rounding with noise, and Adam for the latents.

What changes from step to step lies in a table on the device, one row of CONSTANTS per step, and a
counter says which row is current; so a captured graph of a step serves all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import triton
import triton.language as tl

# Columns: 1 / temperature, gain of soft rounding, sigma; rates of Adam and of SOAP divided by the
# bias corrections of their first moments; reciprocals of those of their second moments; whether
# SOAP refreshes its bases.
CONSTANTS = 8
_CONSTANTS = tl.constexpr(CONSTANTS)


def rounding_constants(temperature: float, sigma: float) -> Sequence[float]:
    """The columns of `perturb`."""
    return 1 / temperature, 0.5 / math.tanh(0.5 / temperature), sigma


def moment_constants(rate: float, beta1: float, beta2: float, step: int) -> Sequence[float]:
    """(rate divided by the first, reciprocal of the second moment's correction)."""
    return rate / (1 - beta1**step), 1 / (1 - beta2**step)


def constants_row(
    rounding: Sequence[float] = (0, 0, 0),
    adam: Sequence[float] = (0, 0),
    soap: Sequence[float] = (0, 0),
    refresh: bool = False,
) -> np.ndarray:
    """[CONSTANTS] float32."""
    return np.array([*rounding, adam[0], soap[0], adam[1], soap[1], float(refresh)], np.float32)


@triton.jit
def _soft_tanh(x):
    """(tanh x, its derivative)."""
    e = tl.exp(-2.0 * tl.abs(x))
    reciprocal = 1.0 / (1.0 + e)
    t = (1.0 - e) * reciprocal
    return tl.where(x < 0.0, -t, t), 4.0 * e * reciprocal * reciprocal


@triton.jit
def perturb(y, z, slope, constants, seeds, counter, COUNT, BLOCK: tl.constexpr):
    """Writes z = s(s(y) + sigma n) and dz/dy; s is soft rounding (see `reference._soft_round`).

    Args:
        y, z, slope: [COUNT] float32.
        constants: [steps, CONSTANTS]; seeds: [steps] int64; counter: [1] int32, the row.
    """
    step = tl.load(counter)
    row = constants + step * _CONSTANTS
    inverse, gain, sigma = tl.load(row), tl.load(row + 1), tl.load(row + 2)
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    valid = i < COUNT
    value = tl.load(y + i, mask=valid, other=0.0)
    low = tl.floor(value)
    t, change = _soft_tanh((value - low - 0.5) * inverse)
    value = low + 0.5 + gain * t + sigma * tl.randn(tl.load(seeds + step), i)
    low = tl.floor(value)
    t, second_change = _soft_tanh((value - low - 0.5) * inverse)
    tl.store(z + i, low + 0.5 + gain * t, mask=valid)
    scale = gain * inverse
    tl.store(slope + i, change * second_change * scale * scale, mask=valid)


@triton.jit
def adam(
    values,
    first,
    second,
    gradient,
    slope,
    constants,
    counter,
    COUNT,
    beta1,
    beta2,
    epsilon,
    BLOCK: tl.constexpr,
    SLOPED: tl.constexpr,
):
    """Updates values and moments in place.

    Args:
        values, first, second, gradient: [COUNT] float32.
        slope: [COUNT], factor of the gradient if SLOPED.
        constants, counter: as above.
        beta1, beta2, epsilon: see `AdamState`.
    """
    row = constants + tl.load(counter) * _CONSTANTS
    rate, scale = tl.load(row + 3), tl.load(row + 5)
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    valid = i < COUNT
    g = tl.load(gradient + i, mask=valid, other=0.0)
    if SLOPED:
        g *= tl.load(slope + i, mask=valid, other=0.0)
    m = tl.load(first + i, mask=valid, other=0.0)
    m += (1.0 - beta1) * (g - m)
    v = tl.load(second + i, mask=valid, other=0.0)
    v = beta2 * v + (1.0 - beta2) * (g * g)
    tl.store(first + i, m, mask=valid)
    tl.store(second + i, v, mask=valid)
    value = tl.load(values + i, mask=valid, other=0.0)
    value -= rate * m / (tl.sqrt(v * scale) + epsilon)
    tl.store(values + i, value, mask=valid)
