"""Whole steps on the device: one CUDA graph, replayed without a word from the host in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from inrcodec.kernels import AdamState, Loss, Optimisation, Step
from inrcodec.kernels.gpu import soap, update
from inrcodec.kernels.gpu.capture import forked, recorded

if TYPE_CHECKING:
    from inrcodec.kernels.gpu.engine import GpuEngine

# Losses are fetched in groups of so many steps, one group behind, so that the device never waits.
GROUP_STEPS = 50
SOAP_BETA = 0.95  # of both moments, as `remedies.soap` has it
SOAP_EPSILON = 1e-8
REFRESH_STEPS = 10


class GpuTraining:
    """Latents and networks under optimisation on a GPU; see `kernels.Training`.

    The first step runs outside of the graph: it compiles the kernels, and the host makes SOAP's
    first bases of its gradient.
    """

    def __init__(self, engine: GpuEngine, theta: np.ndarray, settings: Optimisation) -> None:
        count = engine.problem.latent_count
        self._engine, self._settings = engine, settings
        self._state = AdamState(
            *(torch.zeros(count, device=engine.device) for _ in range(3)),
            beta1=settings.latent_momentum,
        )
        self._z, self._slope, self._gradient = (engine.vector(np.zeros(count)) for _ in range(3))
        self._theta = engine.vector(theta)
        self._sums = torch.zeros_like(self._theta)
        self._parts = soap.Parts.of(settings.tensors)
        tile = (len(self._parts.table), self._parts.side, self._parts.side)
        self._table = torch.from_numpy(self._parts.table).to(engine.device)
        self._first, self._second = (torch.zeros(tile, device=engine.device) for _ in range(2))
        self._moments: Tensor | None = None
        self._bases: Tensor | None = None
        self._steps_done = 0

    @property
    def latents(self) -> Tensor:
        return self._state.values

    @property
    def theta(self) -> np.ndarray:
        """[parameters] float64: the networks as they are now."""
        return self._engine.array(self._theta).astype(np.float64)

    def run(self, steps: Sequence[Step]) -> Iterator[Loss]:
        """Does the steps; yields the losses that they began with, in order and late."""
        with self._engine.active():
            self._prepare(steps)
        waiting: _Fetched | None = None
        for begin in range(0, len(steps), GROUP_STEPS):
            fetched = self._group(begin, min(begin + GROUP_STEPS, len(steps)))
            if waiting is not None:
                yield from waiting.losses()
            waiting = fetched
        if waiting is not None:
            yield from waiting.losses()

    def _prepare(self, steps: Sequence[Step]) -> None:
        device = self._engine.device
        self._constants, self._seeds = self._tables(steps)
        self._counter = torch.zeros(1, dtype=torch.int32, device=device)
        self._losses = torch.zeros(len(steps), 2, dtype=torch.float64, device=device)
        self._replay: Callable[[], object] | None = None

    def _group(self, begin: int, end: int) -> _Fetched:
        """The losses of steps begin .. end, which are under way."""
        with self._engine.active(), self._engine.memory():
            for _ in range(begin, end):
                if self._replay is None:
                    with self._engine.launching():
                        self._step()
                    on_gpu = self._engine.device.type == "cuda"
                    self._replay = self._captured() if on_gpu else self._step
                else:
                    self._replay()
            self._steps_done += end - begin
            return _Fetched(self._losses[begin:end])

    def _tables(self, steps: Sequence[Step]) -> tuple[Tensor, Tensor]:
        """Constants and seeds of all steps, on the device."""
        state = self._state
        rows = []
        for number, step in enumerate(steps, self._steps_done + 1):
            rounding = update.rounding_constants(step.temperature, step.sigma)
            adam = update.moment_constants(step.latent_rate, state.beta1, state.beta2, number)
            networks = update.moment_constants(step.network_rate, SOAP_BETA, SOAP_BETA, number)
            refresh = number % REFRESH_STEPS == 0
            rows.append(update.constants_row(rounding, adam, networks, refresh))
        seeds = torch.tensor([step.seed for step in steps], dtype=torch.int64)
        constants = np.reshape(rows, (len(steps), update.CONSTANTS))
        return self._engine.vector(constants), seeds.to(self._engine.device)

    def _captured(self) -> Callable[[], object]:
        """One step, recorded: what replays it."""
        graph = torch.cuda.CUDAGraph()
        with recorded(graph):
            self._step()
        return graph.replay

    def _step(self) -> None:
        engine, settings = self._engine, self._settings
        engine.launches.perturb(
            self._state.values, self._z, self._slope, self._constants, self._seeds, self._counter
        )
        engine.launches.terms(self._z, self._theta, settings.lmbda)
        # SOAP is a few slow programs, and nothing of the latents waits for it.
        with forked(engine.device) as joined:
            engine.launches.add_programs(self._sums, self._losses, self._counter)
            self._move_networks()
        engine.launches.latent_gradient(self._gradient)
        engine.launches.adam(
            self._state, self._gradient, self._slope, self._constants, self._counter
        )
        joined()
        self._counter.add_(1)

    def _move_networks(self) -> None:
        if self._bases is None:
            self._begin()
        parameters = len(self._theta)
        soap.soap[(len(self._table),)](
            self._theta, self._sums, self._table, self._first, self._second, self._moments,
            self._bases, self._constants, self._counter, self._settings.gradient_norm, SOAP_BETA,
            SOAP_BETA, SOAP_EPSILON, PARAMETERS=parameters,
            ALL=1 << (parameters - 1).bit_length(), SIDE=self._parts.side,
        )  # fmt: skip

    def _begin(self) -> None:
        """SOAP's moments and bases from the first gradient."""
        gradient = self._engine.array(self._sums).astype(np.float64)
        norm = np.linalg.norm(gradient)
        gradient *= min(1.0, self._settings.gradient_norm / (norm + 1e-12))
        if not np.isfinite(gradient).all():
            gradient = np.zeros_like(gradient)  # the loss tells of it
        begun = self._parts.begin(gradient, 1 - SOAP_BETA)
        self._moments, self._bases = map(self._engine.vector, begun)


class _Fetched:
    """Losses on their way to the host.

    Args:
        losses: [steps, 2] float64 on the device, mean squared errors and bits.
    """

    def __init__(self, losses: Tensor) -> None:
        self._event = None
        if losses.device.type == "cuda":
            self._values = torch.empty(losses.shape, dtype=losses.dtype, pin_memory=True)
            self._values.copy_(losses, non_blocking=True)
            self._event = torch.cuda.Event()
            self._event.record()
        else:
            self._values = losses.clone()

    def losses(self) -> Iterator[Loss]:
        """They, as soon as they are here."""
        if self._event is not None:
            self._event.synchronize()
        for mse, bits in self._values.tolist():
            yield Loss(mse, bits)
