"""The arithmetic of networks that are fitted on a GPU: products of wide layers on tensor cores."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from inrcodec.kernels.reference_network import TorchArithmetic

FLOAT32, TF32, BF16 = PRECISIONS = ("float32", "tf32", "bf16")
# Inputs of a layer from which on products are rounded. Narrower ones gain nothing, and the first
# layer's, the coordinates, need all their bits: they are multiplied by hundreds of radians.
WIDE = 256
_LEAST_CAPABILITY = (8, 0)  # the first GPUs whose tensor cores know both
# torch has one switch for all threads: two that turned it at once could leave it on.
_SWITCH = threading.Lock()


def supported(precision: str, device: torch.device) -> str | None:
    """Why a device cannot compute in a precision, or None if it can."""
    if precision == FLOAT32 or device.type == "cpu":
        return None
    capability = torch.cuda.get_device_capability(device)
    if capability < _LEAST_CAPABILITY:
        return f"capability {'.'.join(map(str, capability))} is below 8.0"
    if precision == BF16:
        tiny = torch.zeros(16, 16, dtype=torch.bfloat16, device=device)
        try:
            torch.mm(tiny, tiny, out_dtype=torch.float32)
        except (TypeError, RuntimeError):
            return f"torch {torch.__version__} rounds the sums of such products"
    return None


class GpuArithmetic(TorchArithmetic):
    """`reference_network.TORCH`, for recording: constants go to the device once.

    Args:
        precision: of the products of wide layers; sums are float32 in any case.
    """

    def __init__(self, precision: str = FLOAT32) -> None:
        self._precision = precision
        self._constants: dict[tuple[object, ...], Tensor] = {}

    def constant(self, array: np.ndarray, like: Tensor) -> Tensor:
        array = np.asarray(array)
        key = (array.tobytes(), array.shape, like.dtype, like.device)
        if key not in self._constants:
            self._constants[key] = super().constant(array, like)
        return self._constants[key]

    def affine(self, weight: Tensor, bias: Tensor, h: Tensor) -> Tensor:
        if self._precision == FLOAT32 or len(h) < WIDE:
            return super().affine(weight, bias, h)
        return _Product.apply(weight, h, self._precision) + bias[:, None]


class _Product(torch.autograd.Function):
    """A matrix product of rounded factors, and so its derivatives."""

    @staticmethod
    def forward(ctx, a: Tensor, b: Tensor, precision: str) -> Tensor:  # noqa: ANN001
        a, b = (_rounded(x, precision) for x in (a, b))
        ctx.save_for_backward(a, b)
        ctx.precision = precision
        return _product(a, b)

    @staticmethod
    def backward(ctx, slope: Tensor) -> tuple[Tensor, Tensor, None]:  # noqa: ANN001
        a, b = ctx.saved_tensors
        slope = _rounded(slope, ctx.precision)
        return _product(slope, b.T), _product(a.T, slope), None


def _rounded(x: Tensor, precision: str) -> Tensor:
    return x.to(torch.bfloat16) if precision == BF16 else x


def _product(a: Tensor, b: Tensor) -> Tensor:
    """[n, m] float32; of bfloat16 factors, or of float32 ones that tensor cores round to tf32."""
    if a.dtype == torch.float32:
        with _tf32_allowed():
            return a @ b
    if a.device.type == "cpu":  # which has no such product: the same numbers, slowly
        return a.float() @ b.float()
    return torch.mm(a, b, out_dtype=torch.float32)


@contextlib.contextmanager
def _tf32_allowed() -> Iterator[None]:
    """Lets torch round to tf32, in this thread and, for so long, in all others."""
    matmul = torch.backends.cuda.matmul
    with _SWITCH:
        before, matmul.allow_tf32 = matmul.allow_tf32, True
        try:
            yield
        finally:
            matmul.allow_tf32 = before
