"""The exact arithmetic of `kernels.arithmetic` by torch on a GPU (promise D1): float64.

torch runs every operation as a kernel of its own, so that no product and sum can be rounded as one,
and the formulas are those of `kernels.elementary`. Affine layers are a kernel of Triton's, which is
told not to fuse them, or operations of torch too. Two things that torch does on CUDA are no single
operation of IEEE 754: a division by a number, which is a product with its reciprocal there, and
matrix products; tests see to it that no network asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from inrcodec.kernels import elementary
from inrcodec.kernels.gpu.memory import in_parts
from inrcodec.kernels.gpu.usable import unusable

BOUND = elementary.BOUND
# Doubles of the widest tile: a quarter of a gigabyte, of which a few exist at once.
_PLANE = 1 << 25


@elementary.clamped.register
def _(x: Tensor, low: float, high: float) -> Tensor:
    x = torch.where(x > low, x, low)
    return torch.where(x < high, x, high)


@elementary.selected.register
def _(mask: Tensor, a: Tensor | float, b: Tensor | float) -> Tensor:
    if not isinstance(a, Tensor) and not isinstance(b, Tensor):  # torch would make float32 of them
        b = torch.full((), b, dtype=torch.float64, device=mask.device)
    return torch.where(mask, a, b)


@elementary.bits_of.register
def _(x: Tensor) -> Tensor:
    return x.view(torch.int64)


@elementary.number_of.register
def _(bits: Tensor) -> Tensor:
    return bits.view(torch.float64)


class ExactArithmetic:
    """See `kernels.arithmetic.Arithmetic`; tiles are tensors on a device.

    Args:
        device: cuda[:n], or cpu, which computes the same, slowly.
        fused: whether affine layers are one kernel; default where Triton works.
    """

    name = "torch"
    dtype = np.dtype(np.float64)

    sin = staticmethod(elementary.sin)
    cos = staticmethod(elementary.cos)
    exp = staticmethod(elementary.exp)
    log = staticmethod(elementary.log)
    arctan = staticmethod(elementary.arctan)
    abs = staticmethod(torch.abs)
    floor = staticmethod(torch.floor)
    where = staticmethod(elementary.selected)

    def __init__(self, device: str, fused: bool | None = None) -> None:
        self._device = torch.device(device)
        self.fused = device != "cpu" and unusable(device) is None if fused is None else fused

    def sqrt(self, x: Tensor) -> Tensor:
        if x.device.type == "cpu":  # where torch asks a library that does not round correctly
            return torch.from_numpy(np.sqrt(x.numpy()))
        return torch.sqrt(x)

    def maximum(self, x: Tensor, number: float) -> Tensor:
        return torch.where(x > number, x, number)

    def minimum(self, x: Tensor, number: float) -> Tensor:
        return torch.where(x < number, x, number)

    def concatenate(self, parts: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(parts))

    def beside(self, parts: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(parts), dim=-1)

    def affine(self, weight: Tensor, bias: Tensor, h: Tensor) -> Tensor:
        if self.fused:
            from inrcodec.kernels.gpu.affine import affine  # loads Triton

            return affine(weight, bias, h, BOUND)
        out = bias[:, None].repeat(1, h.shape[1])
        product = torch.empty_like(out)
        for column, row in zip(weight.T, h, strict=True):
            out += torch.mul(column[:, None], row, out=product)
        return elementary.clamped(out, -BOUND, BOUND)

    def integers(self, x: Tensor) -> Tensor:
        return x.to(torch.int64)

    def take(self, table: Tensor, index: Tensor) -> Tensor:
        return table.index_select(0, index).T.contiguous()

    def constant(self, array: np.ndarray, like: Tensor | None = None) -> Tensor:
        return torch.tensor(array, dtype=torch.float64, device=self._device)

    def detached(self, x: Tensor) -> Tensor:
        return x

    def array(self, x: Tensor) -> np.ndarray:
        return x.cpu().numpy()

    def evaluate(
        self,
        function: Callable[[Tensor], Tensor],
        coords: np.ndarray,
        features_out: int,
        width: int,
    ) -> np.ndarray:
        """[features_out, n] float64: a function of every sample, see `arithmetic.evaluate`."""
        out = np.empty((features_out, coords.shape[1]))

        def tile(begin: int, end: int) -> None:
            out[:, begin:end] = self.array(function(self.constant(coords[:, begin:end])))

        most = max(1, _PLANE // max(width, 1))
        in_parts(coords.shape[1], most, tile, self._device, "samples")
        return out
