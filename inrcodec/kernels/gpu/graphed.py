"""The reference engine under a CUDA graph, for GPUs that Triton has no compiler for."""

from __future__ import annotations

import torch
from torch import Tensor

from inrcodec.errors import OutOfDeviceMemory
from inrcodec.kernels import GridProblem, Loss
from inrcodec.kernels.gpu.capture import recorded, warmed_up
from inrcodec.kernels.gpu.memory import is_shortage
from inrcodec.kernels.reference import ReferenceEngine


class GraphedReferenceEngine(ReferenceEngine):
    """`reference` whose loss and gradients are one launch, of the hundreds that autograd needs."""

    def __init__(self, problem: GridProblem, device: str = "cuda") -> None:
        super().__init__(problem, device)
        self._lmbda: float | None = None

    def loss(self, latents: Tensor, theta: Tensor, lmbda: float) -> Loss:
        with torch.cuda.device(self.device):
            if self._lmbda != lmbda:
                self._capture(latents, theta, lmbda)
            self._inputs[0].data.copy_(latents)
            self._inputs[1].data.copy_(theta)
            self._graph.replay()
            losses = self._losses.tolist()
        return Loss(*losses, *(gradient.clone() for gradient in self._gradients))

    def _capture(self, latents: Tensor, theta: Tensor, lmbda: float) -> None:
        """Records one evaluation.

        Raises:
            OutOfDeviceMemory: the device's memory is too small.
        """
        self._inputs = [part.detach().clone().requires_grad_() for part in (latents, theta)]
        try:
            warmed_up(lambda: self._evaluate(lmbda))
            self._graph = torch.cuda.CUDAGraph()
            with recorded(self._graph):
                self._losses, self._gradients = self._evaluate(lmbda)
        except RuntimeError as error:
            if not is_shortage(error):
                raise
            _, height, width = self.problem.target.shape
            raise OutOfDeviceMemory(
                f"{width}x{height} pixels do not fit into the memory of {self.device} with engine "
                "reference; encode on the CPU (device cpu), or cut the picture into parts"
            ) from error
        self._lmbda = lmbda

    def _evaluate(self, lmbda: float) -> tuple[Tensor, tuple[Tensor, ...]]:
        """(mean squared error and bits, gradients of latents and theta)."""
        mse, bits = self._forward(*self._inputs, clip=False)
        gradients = torch.autograd.grad(mse + lmbda / self.problem.pixels * bits, self._inputs)
        return torch.stack([mse, bits]).detach(), gradients
