"""The exact renderer of a `grid` field on a GPU: the operations of `kernels.render`, by torch.

Every operation is a kernel of its own, so nothing is fused; see `kernels.gpu.exact`.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from inrcodec.grid import Grid
from inrcodec.kernels.gpu.memory import in_parts
from inrcodec.kernels.kernel import Taps, axis_taps
from inrcodec.kernels.render import AxisPlan, Networks

# Positions at once: a plane of 8 megabytes, of which there are twice as many as hidden features.
TILE = 1 << 20


def render(
    device: str,
    networks: Networks,
    latents: list[np.ndarray],
    first_level: int,
    size: tuple[int, int, int],
    grid: Grid,
    dtype: type = np.float64,
) -> np.ndarray:
    """What `kernels.render.render` returns, the same bits.

    Args:
        device: cuda[:n], or cpu.
        networks, latents, first_level, size, grid, dtype: see there.

    Raises:
        OutOfDeviceMemory: a row of the grid does not fit into the device's memory.
    """
    out = np.empty((*grid.shape, size[2]), dtype)
    tile = _Tile(torch.device(device), out.dtype, networks, latents, first_level)
    height, width = grid.shape

    def rows(begin: int, end: int) -> None:
        values = tile.values(grid.part((begin, end), (0, width)))
        out[begin:end] = values.permute(1, 2, 0).cpu().numpy()

    in_parts(height, max(1, TILE // max(width, 1)), rows, tile.device, "rows")
    return out


class _Tile:
    """What all tiles of a render share."""

    def __init__(
        self,
        device: torch.device,
        dtype: np.dtype,
        networks: Networks,
        latents: list[np.ndarray],
        first_level: int,
    ) -> None:
        self.device, self._dtype = device, torch.from_numpy(np.empty(0, dtype)).dtype
        self._theta = {name: self._put(values) for name, values in networks.theta.items()}
        self._gain, self._taps = networks.feature_gain, networks.taps
        self._latents, self._first_level = latents, first_level

    def _put(self, values: np.ndarray) -> Tensor:
        return torch.tensor(values, dtype=self._dtype, device=self.device)

    def _indices(self, values: np.ndarray) -> Tensor:
        return torch.tensor(values, dtype=torch.int64, device=self.device)

    def values(self, grid: Grid) -> Tensor:
        """[channels, rows, columns] on a small grid."""
        y, x = AxisPlan.of(grid.y, self._taps), AxisPlan.of(grid.x, self._taps)
        theta = self._theta
        hidden = _planes(theta["syn.b1"], len(y.positions), len(x.positions))
        for i, level in enumerate(self._latents):
            index = self._first_level + i
            feature = self._interpolated(level, index, y.positions, x.positions) * self._gain
            hidden += feature * theta["syn.w1"][:, i, None, None]
        hidden.clamp_(min=0.0)
        values = _planes(theta["syn.b2"], *hidden.shape[1:])
        for unit, weight in zip(hidden, theta["syn.w2"].T, strict=True):
            values += unit * weight[:, None, None]
        for k in range(self._taps):
            values = self._tap_layer(values, k, y.neighbours[k], x.neighbours[k])
            if k + 1 < self._taps:
                values.clamp_(min=0.0)
        return values

    def _interpolated(self, level: np.ndarray, index: int, y: np.ndarray, x: np.ndarray) -> Tensor:
        """[len(y), len(x)]: one latent grid at positions y, x; first down, then across."""
        rows, columns = axis_taps(index, y, level.shape[0]), axis_taps(index, x, level.shape[1])
        (top, bottom), (left, right) = _reach(rows), _reach(columns)
        part = torch.tensor(level[top:bottom, left:right], device=self.device).to(self._dtype)
        return self._along(columns, self._along(rows, part, 0, top), 1, left)

    def _along(self, taps: Taps, source: Tensor, axis: int, first: int) -> Tensor:
        """`Taps.interpolate` of samples, of which those along the axis begin with number first."""
        limit = taps.limit is not None and taps.limit.any()
        used = [k for k, weight in enumerate(taps.weights) if limit or weight.any()]
        indices = self._indices(np.stack([taps.indices[k] - first for k in used]))
        weights = self._put(np.stack([taps.weights[k] for k in used])).unsqueeze(1 - axis + 1)
        taken = [source.index_select(axis, index) for index in indices]
        values = torch.zeros_like(taken[0])
        for samples, weight in zip(taken, weights, strict=True):
            values += samples * weight
        if not limit:
            return values
        return _limited(values, taken[1:5], self._put(taps.limit).unsqueeze(1 - axis))

    def _tap_layer(self, values: Tensor, k: int, y: np.ndarray, x: np.ndarray) -> Tensor:
        """A residual 3x3 layer, see `kernels.render`."""
        weights, bias = self._theta[f"syn.taps{k}"], self._theta[f"syn.tapbias{k}"]
        rows, columns = self._indices(y), self._indices(x)
        out = values.index_select(1, rows[1]).index_select(2, columns[1])
        out += bias[:, None, None]
        for source, plane in enumerate(values):
            for dy in range(3):
                tall = plane.index_select(0, rows[dy])
                for dx in range(3):
                    shifted = tall.index_select(1, columns[dx])
                    out += shifted * weights[:, source, dy, dx, None, None]
        return out


def _planes(values: Tensor, height: int, width: int) -> Tensor:
    """[n, height, width]: planes of one value each."""
    return values[:, None, None].repeat(1, height, width)


def _reach(taps: Taps) -> tuple[int, int]:
    """(first, last + 1) of the samples that some position needs."""
    return min(int(i.min()) for i in taps.indices), max(int(i.max()) for i in taps.indices) + 1


def _limited(values: Tensor, samples: list[Tensor], f: Tensor) -> Tensor:
    """`kernel.limited`, of tensors."""
    before, left, right, after = samples
    bend_left = before - left * 2.0 + right
    bend_right = left - right * 2.0 + after
    slack = f * 2.0 * (1.0 - f)
    trough = torch.minimum(bend_left, bend_right).clamp_(min=0.0)
    peak = torch.maximum(bend_left, bend_right).clamp_(max=0.0)
    low = torch.minimum(left, right) - slack * trough
    high = torch.maximum(left, right) - slack * peak
    return torch.minimum(torch.maximum(values, low), high)
