"""The loops of `render`, for numba.

Every output is one chain of products and sums, which stays as it is written (no fused
multiply-add); what runs side by side in a vector are neighbouring outputs.
"""

from __future__ import annotations

import numpy as np

from inrcodec.kernels.cpu.compiling import exact
from inrcodec.kernels.cpu.dense import part

Array = np.ndarray


@exact
def _limited(
    value: float, before: float, left: float, right: float, after: float, slack: float
) -> float:
    """One value of `kernels.kernel.limited`, where slack is 2 f (1 - f)."""
    bend_left = before - 2.0 * left + right
    bend_right = left - 2.0 * right + after
    trough = max(min(bend_left, bend_right), 0.0)
    peak = min(max(bend_left, bend_right), 0.0)
    low = min(left, right) - slack * trough
    high = max(left, right) - slack * peak
    return min(max(value, low), high)


@exact
def interpolate_plane(
    level: Array, rows: Array, row_weights: Array, row_slack: Array, columns: Array,
    column_weights: Array, column_slack: Array, gain: Array, left: int, room: Array, out: Array,
) -> None:  # fmt: skip
    """Writes out [n, m]: a level at n x m positions times gain [1]; first down, then across.

    Args:
        rows, row_weights: [taps, n]; columns, column_weights: [taps, m]; in order of summation.
        row_slack: [n] where the sums are limited, else [0]; column_slack: the same for [m].
        left, room: the first column of the level that is needed, and room for all that are.
    """
    width, m, scale = len(room), out.shape[1], gain[0]
    line = part(room, 0, width)
    for y in range(len(out)):
        for x in range(width):
            line[x] = 0.0
        for i in range(len(rows)):
            source, weight = level[rows[i, y]], row_weights[i, y]
            for x in range(width):
                line[x] += source[left + x] * weight
        if len(row_slack):
            p, q = level[rows[1, y]], level[rows[2, y]]
            r, s = level[rows[3, y]], level[rows[4, y]]
            for x in range(width):
                j = left + x
                line[x] = _limited(line[x], p[j], q[j], r[j], s[j], row_slack[y])
        target = part(out[y], 0, m)
        for x in range(m):
            target[x] = 0.0
        for i in range(len(columns)):
            index, weights = part(columns[i], 0, m), part(column_weights[i], 0, m)
            for x in range(m):
                target[x] += line[index[x] - left] * weights[x]
        if len(column_slack):
            a, b, c, d = columns[1], columns[2], columns[3], columns[4]
            for x in range(m):
                target[x] = _limited(
                    target[x], line[a[x] - left], line[b[x] - left], line[c[x] - left],
                    line[d[x] - left], column_slack[x],
                )  # fmt: skip
        for x in range(m):
            target[x] *= scale


@exact
def synthesize(
    features: Array, w1: Array, b1: Array, w2: Array, b2: Array, hidden: Array, out: Array
) -> None:
    """Writes out [channels, n, m]: the 1x1 layers of features [levels, n, m]; hidden: [m]."""
    for y in range(features.shape[1]):
        for c in range(len(out)):
            for x in range(features.shape[2]):
                out[c, y, x] = b2[c]
        for s in range(len(b1)):
            unit = part(hidden, 0, features.shape[2])
            for x in range(len(unit)):
                unit[x] = b1[s]
            for i in range(len(features)):
                feature, weight = features[i, y], w1[s, i]
                for x in range(len(unit)):
                    unit[x] += feature[x] * weight
            for x in range(len(unit)):
                unit[x] = max(unit[x], 0.0)
            for c in range(len(out)):
                target, weight = out[c, y], w2[c, s]
                for x in range(len(unit)):
                    target[x] += unit[x] * weight


@exact
def tap_layer(
    values: Array, weights: Array, bias: Array, rows: Array, columns: Array, shifted: Array,
    clip: bool, out: Array,
) -> None:  # fmt: skip
    """Writes out [channels, n, m]: a residual 3x3 layer, see `kernels.render`.

    Args:
        rows, columns: [3, n] and [3, m] int64, the positions at -1, 0 and +1 native pixel.
        shifted: room for m values.
        clip: whether to replace negative values by 0.
    """
    channels, width = len(out), out.shape[2]
    line = part(shifted, 0, width)
    for y in range(out.shape[1]):
        for c in range(channels):
            own, target, index = values[c, rows[1, y]], out[c, y], columns[1]
            for x in range(width):
                target[x] = own[index[x]] + bias[c]
        for source in range(channels):
            for dy in range(3):
                plane = values[source, rows[dy, y]]
                for dx in range(3):
                    index = columns[dx]
                    for x in range(width):
                        line[x] = plane[index[x]]
                    for c in range(channels):
                        target, weight = out[c, y], weights[c, source, dy, dx]
                        for x in range(width):
                            target[x] += line[x] * weight
        if clip:
            for c in range(channels):
                target = out[c, y]
                for x in range(width):
                    target[x] = max(target[x], 0.0)
