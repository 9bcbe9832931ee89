"""The GPU engine: what `kernels.Engine` asks for, by launches of Triton kernels."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from inrcodec.errors import OutOfDeviceMemory
from inrcodec.kernels import AdamState, GridProblem, Loss, Optimisation
from inrcodec.kernels.gpu import update
from inrcodec.kernels.gpu.launches import Launches, Tuning
from inrcodec.kernels.gpu.memory import is_shortage
from inrcodec.kernels.gpu.training import GpuTraining

# The first launch of a kernel compiles it: threads that begin together would each do so.
_LAUNCHING = threading.RLock()


class GpuEngine:
    """Loss, gradients and updates of one GridProblem by Triton kernels; vectors are tensors.

    Args:
        problem: what to fit.
        device: cuda[:n], or cpu under Triton's interpreter.
        tuning: sizes of launches, by default those that suit the device.

    Raises:
        OutOfDeviceMemory: the device's memory is too small for the problem.
    """

    name = "gpu"

    def __init__(
        self, problem: GridProblem, device: str = "cuda", tuning: Tuning | None = None
    ) -> None:
        self.problem = problem
        self.device = torch.device(device)
        with self.active(), self.memory():
            self.launches = Launches(problem, self.device, tuning or Tuning.of(self.device))
            self._losses = torch.zeros(1, 2, dtype=torch.float64, device=self.device)
            self._first = torch.zeros(1, dtype=torch.int32, device=self.device)

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Makes the engine's device the current one, on which kernels are launched."""
        if self.device.type == "cpu":
            yield
        else:
            with torch.cuda.device(self.device):
                yield

    @contextlib.contextmanager
    def launching(self) -> Iterator[None]:
        """The same for launches outside of recordings, by one thread at a time.

        Raises:
            OutOfDeviceMemory: the device's memory is too small.
        """
        with _LAUNCHING, self.active(), self.memory():
            yield

    @contextlib.contextmanager
    def memory(self) -> Iterator[None]:
        """Says what to reduce where the device's memory is too small.

        Raises:
            OutOfDeviceMemory: it is.
        """
        try:
            yield
        except RuntimeError as error:
            if not is_shortage(error):
                raise
            _, height, width = self.problem.target.shape
            total = torch.cuda.get_device_properties(self.device).total_memory / 1e9
            raise OutOfDeviceMemory(
                f"{width}x{height} pixels do not fit into the {total:.1f} GB of {self.device}; "
                "encode on the CPU (device cpu), cut the picture into parts, or scale it down"
            ) from error

    def vector(self, values: np.ndarray) -> Tensor:
        return torch.tensor(np.asarray(values, np.float32), device=self.device)

    def array(self, vector: Tensor) -> np.ndarray:
        return vector.detach().to("cpu", copy=True).numpy()

    def loss(self, latents: Tensor, theta: Tensor, lmbda: float) -> Loss:
        gradient = torch.empty_like(latents)
        sums = torch.empty_like(theta)
        with self.launching():
            self.launches.loss(latents, theta, lmbda, gradient, sums, self._losses, self._first)
        return Loss(*self._losses[0].tolist(), gradient, sums)

    def evaluate(self, latents: Tensor, theta: Tensor) -> Loss:
        sums = torch.empty_like(theta)
        with self.launching():
            self.launches.evaluate(latents, theta, sums, self._losses, self._first)
        return Loss(*self._losses[0].tolist())

    def maps(self, latents: Tensor, theta: Tensor) -> tuple[np.ndarray, np.ndarray]:
        self.evaluate(latents, theta)
        squares, bits = self.launches.maps
        return self.array(squares), self.array(bits)

    def perturb(
        self, latents: Tensor, temperature: float, sigma: float, seed: int
    ) -> tuple[Tensor, Tensor]:
        z, slope = torch.empty_like(latents), torch.empty_like(latents)
        constants = update.constants_row(update.rounding_constants(temperature, sigma))
        seeds = torch.tensor([seed], dtype=torch.int64, device=self.device)
        with self.launching():
            self.launches.perturb(latents, z, slope, self.vector(constants), seeds, self._first)
        return z, slope

    def adam(self, state: AdamState, gradient: Tensor, rate: float, step: int) -> None:
        moments = update.moment_constants(rate, state.beta1, state.beta2, step)
        constants = update.constants_row(adam=moments)
        with self.launching():
            self.launches.adam(state, gradient, None, self.vector(constants), self._first)

    def training(self, theta: np.ndarray, settings: Optimisation) -> GpuTraining:
        """Latents at zero and networks at theta, ready for steps on the device.

        Raises:
            OutOfDeviceMemory: its memory is too small.
        """
        with self.active(), self.memory():
            if not self.launches.atomic:
                with contextlib.suppress(torch.cuda.OutOfMemoryError):
                    return GpuTraining(self, theta, settings)
                # Only now is nothing left that holds what the failed one had.
                self.launches.give_up_rows()
            return GpuTraining(self, theta, settings)
