"""Steps of a main phase for engines that do not do them themselves: SOAP on the host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from inrcodec.kernels import (
    AdamState,
    Engine,
    Loss,
    Optimisation,
    Step,
    Training,
    TrainingEngine,
)
from inrcodec.remedies.soap import Soap


def make_training(engine: Engine, theta: np.ndarray, settings: Optimisation) -> Training:
    """The engine's own training where it has one.

    Args:
        theta: [parameters], where the networks begin.
    """
    if isinstance(engine, TrainingEngine):
        return engine.training(theta, settings)
    return HostTraining(engine, theta, settings)


class HostTraining:
    """See `kernels.Training`: the engine computes losses, the host updates the networks."""

    def __init__(self, engine: Engine, theta: np.ndarray, settings: Optimisation) -> None:
        self._engine, self._settings = engine, settings
        zeros = np.zeros(engine.problem.latent_count)
        vectors = (engine.vector(zeros) for _ in ("values", "first", "second"))
        self._state = AdamState(*vectors, beta1=settings.latent_momentum)
        self._theta = theta.astype(np.float64)
        self._optimizer = Soap(settings.tensors)
        self._steps_done = 0

    @property
    def latents(self) -> object:
        return self._state.values

    @property
    def theta(self) -> np.ndarray:
        return self._theta

    def run(self, steps: Sequence[Step]) -> Iterator[Loss]:
        engine, lmbda = self._engine, self._settings.lmbda
        for step in steps:
            z, slope = engine.perturb(self.latents, step.temperature, step.sigma, step.seed)
            loss = engine.loss(z, engine.vector(self._theta), lmbda)
            yield Loss(loss.mse, loss.bits)
            self._steps_done += 1
            engine.adam(self._state, loss.grad_latents * slope, step.latent_rate, self._steps_done)
            gradient = self._clipped(engine.array(loss.grad_theta).astype(np.float64))
            self._optimizer.update(self._theta, gradient, step.network_rate)

    def _clipped(self, gradient: np.ndarray) -> np.ndarray:
        norm = float(np.linalg.norm(gradient))
        return gradient * min(1.0, self._settings.gradient_norm / (norm + 1e-12))
