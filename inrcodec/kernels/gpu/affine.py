"""The exact affine layer in one kernel: products and sums in registers, each rounded by itself."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

# Of a program: 16 sums for each of 128 threads. Not tuned: no GPU has run it yet.
_OUTPUTS, _SAMPLES, _WARPS = 32, 64, 4


@triton.jit
def affine_kernel(
    weight,
    bias,
    h,
    out,
    OUT,
    IN,
    COUNT,
    BOUND: tl.constexpr,
    OUTPUTS: tl.constexpr,
    SAMPLES: tl.constexpr,
):
    """Writes out [OUT, COUNT]; see `kernels.arithmetic.Arithmetic.affine`.

    Args:
        weight: [IN, OUT] float64, transposed; bias: [OUT]; h: [IN, COUNT].
    """
    o = tl.program_id(1) * OUTPUTS + tl.arange(0, OUTPUTS)
    n = tl.program_id(0) * SAMPLES + tl.arange(0, SAMPLES)
    total = tl.zeros([OUTPUTS, SAMPLES], tl.float64)
    total += tl.load(bias + o, mask=o < OUT, other=0.0)[:, None]
    for k in range(IN):
        w = tl.load(weight + k * OUT + o, mask=o < OUT, other=0.0)
        x = tl.load(h + k * COUNT + n, mask=n < COUNT, other=0.0)
        total = total + w[:, None] * x[None, :]
    total = tl.where(total > -BOUND, total, -BOUND)
    total = tl.where(total < BOUND, total, BOUND)
    valid = (o < OUT)[:, None] & (n < COUNT)[None, :]
    tl.store(out + o[:, None] * COUNT + n[None, :], total, mask=valid)


def affine(weight: Tensor, bias: Tensor, h: Tensor, bound: float) -> Tensor:
    """[out, n] float64: weight @ h + bias clamped to +-bound, the inputs one after the other."""
    outputs, inputs = weight.shape
    count = h.shape[1]
    out = torch.empty(outputs, count, dtype=torch.float64, device=h.device)
    grid = triton.cdiv(count, _SAMPLES), triton.cdiv(outputs, _OUTPUTS)
    # Fused, a product and a sum would be rounded as one.
    affine_kernel[grid](
        weight.T.contiguous(), bias.contiguous(), h.contiguous(), out, outputs, inputs, count,
        BOUND=bound, OUTPUTS=_OUTPUTS, SAMPLES=_SAMPLES, num_warps=_WARPS, enable_fp_fusion=False,
    )  # fmt: skip
    return out
