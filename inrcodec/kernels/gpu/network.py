"""The GPU engine of coordinate networks: loss and gradient of a run of samples as one CUDA graph.

```
 theta ──────────────┐
 columns, weights ─gather─► network ─► squared errors, gradient of the parameters ─add─► sums
```

Samples stay on the device. A graph is recorded for each length of a run that occurs, a power of two
up to that of a whole run; what is missing to it counts nothing. So any number of samples takes a
few launches, and one wait for the sums.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from inrcodec.kernels.gpu.capture import recorded, warmed_up
from inrcodec.kernels.gpu.memory import in_parts, is_shortage
from inrcodec.kernels.gpu.products import FLOAT32, GpuArithmetic, supported
from inrcodec.kernels.network import NetworkProblem, checked_columns
from inrcodec.kernels.reference_network import ReferenceNetworkEngine

# Samples of the longest run: four layers of 256 features then take some 2 gigabytes.
RUN = 1 << 17
_SHORTEST_RUN = 1 << 10

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tuning:
    """How the network is computed.

    Args:
        precision: of products of wide layers, see `products`; float32 where the device lacks it, or
            where a loss is not finite with it.
        compiled: whether torch compiles the network, which takes it a minute and fuses functions
            of the elements with what comes before.
    """

    precision: str = FLOAT32
    compiled: bool = False


TUNINGS = {
    "gpu": Tuning(),
    "gpu-tf32": Tuning("tf32"),
    "gpu-bf16": Tuning("bf16"),
    "gpu-compiled": Tuning(compiled=True),
}


class GpuNetworkEngine(ReferenceNetworkEngine):
    """Loss and gradient by CUDA graphs; errors and values as the reference has them, in float32.

    Args:
        problem: what to fit.
        device: cuda[:n], or cpu, which records nothing.
        tuning: how the network is computed.
        run: samples at once.
    """

    name = "gpu"

    def __init__(
        self,
        problem: NetworkProblem,
        device: str = "cuda",
        tuning: Tuning = TUNINGS["gpu"],
        run: int = RUN,
    ) -> None:
        super().__init__(problem, device)
        self._run, self._tuning = run, tuning
        self._samples = [tuple(t.to(self._device) for t in part) for part in self._samples]
        self._own_targets = [target for _, target in self._samples]
        reason = supported(tuning.precision, self._device)
        if reason is not None:
            _log.warning("float32 instead of %s: %s", tuning.precision, reason)
        self._theta = torch.zeros(problem.parameter_count, device=self._device, requires_grad=True)
        self._sums = torch.zeros(
            1 + problem.parameter_count, dtype=torch.float64, device=self._device
        )
        self._compute_in(FLOAT32 if reason is not None else tuning.precision)

    def _compute_in(self, precision: str) -> None:
        self._precision = precision
        arithmetic = GpuArithmetic(precision)

        def network(theta: Tensor, coords: Tensor) -> Tensor:
            return self._problem.function(arithmetic, self._named(theta), coords)

        self._network = torch.compile(network, dynamic=False) if self._tuning.compiled else network
        self._runs: dict[tuple[int, int], _Run] = {}
        self._pool = torch.cuda.graph_pool_handle() if self._device.type == "cuda" else None

    def loss(
        self,
        theta: np.ndarray,
        chosen: list[np.ndarray] | None = None,
        targets: list[np.ndarray] | None = None,
    ) -> tuple[float, np.ndarray]:
        self._fit_to(targets)
        counts = [part.coords.shape[1] for part in self._problem.samples]
        columns = [
            torch.arange(n, device=self._device)
            if chosen is None
            else torch.from_numpy(checked_columns(chosen[i], n)).to(self._device)
            for i, n in enumerate(counts)
        ]
        values = sum(
            len(c) * len(part.target)
            for c, part in zip(columns, self._problem.samples, strict=True)
        )
        sums = self._summed(theta, columns)
        if self._precision != FLOAT32 and not math.isfinite(sums[0]):
            _log.warning("the loss is not finite in %s; float32 from here on", self._precision)
            self._compute_in(FLOAT32)
            sums = self._summed(theta, columns)
        return float(sums[0] / values), sums[1:] / values

    def error(self, theta: np.ndarray, chosen: list[np.ndarray] | None = None) -> float:
        self._fit_to(None)
        return super().error(theta, chosen)

    def _fit_to(self, targets: list[np.ndarray] | None) -> None:
        """Puts other targets, or again the signal, where the recorded runs look."""
        for i, (coords, target) in enumerate(self._samples):
            own = self._own_targets[i]
            if targets is not None:
                if target is own:
                    target = own.clone()
                    self._samples[i] = (coords, target)
                    self._runs.clear()  # they were recorded with the signal's own
                target.copy_(torch.from_numpy(targets[i]))
            elif target is not own:
                target.copy_(own)

    def _summed(self, theta: np.ndarray, columns: list[Tensor]) -> np.ndarray:
        """[1 + parameters]: squared errors of columns of each part, summed, and their gradient."""
        with self._active():
            with torch.no_grad():
                self._theta.copy_(torch.from_numpy(np.asarray(theta, np.float32)))
            self._sums.zero_()
            for i, chosen in enumerate(columns):

                def work(begin: int, end: int, i: int = i, chosen: Tensor = chosen) -> None:
                    self._run_of(i, end - begin)(chosen[begin:end])

                self._run = in_parts(len(chosen), self._run, work, self._device, "samples")
            return self._sums.cpu().numpy()

    def _active(self) -> contextlib.AbstractContextManager[object]:
        """Makes the engine's device the current one, of which streams and graphs are."""
        if self._device.type == "cpu":
            return contextlib.nullcontext()
        return torch.cuda.device(self._device)

    def _run_of(self, part: int, count: int) -> _Run:
        size = min(self._run, max(_SHORTEST_RUN, 1 << (count - 1).bit_length()))
        size = max(size, count)
        if (part, size) not in self._runs:
            run = _Run(size, self._device, lambda c, w: self._add(part, c, w))
            if self._device.type == "cuda":
                kept = self._sums.clone()
                try:
                    run.record(self._pool)
                finally:
                    self._sums.copy_(kept)  # without what trying it out has added
            self._runs[part, size] = run
        return self._runs[part, size]

    def _add(self, part: int, columns: Tensor, weights: Tensor) -> None:
        """Adds squared errors of weighted columns, and their gradient, to the sums."""
        coords, target = self._samples[part]
        channels = self._problem.samples[part].channels
        values = self._network(self._theta, coords[:, columns])[channels]
        squared = ((values - target[:, columns]).square() * weights).sum()
        (gradient,) = torch.autograd.grad(squared, self._theta)
        self._sums[0] += squared.detach()
        self._sums[1:] += gradient


class _Run:
    """So many columns, their weights, and what is done with them.

    Args:
        size: columns.
        device: where they are.
        work: of (columns [size] int64, weights [size]).
    """

    def __init__(
        self, size: int, device: torch.device, work: Callable[[Tensor, Tensor], None]
    ) -> None:
        self._columns = torch.zeros(size, dtype=torch.int64, device=device)
        self._weights = torch.zeros(size, device=device)
        self._replay: Callable[[], object] = lambda: work(self._columns, self._weights)

    def record(self, pool: object) -> None:
        """Records the work; where that is impossible it is launched piece by piece, as on a CPU."""
        warmed_up(self._replay)
        graph = torch.cuda.CUDAGraph()
        try:
            with recorded(graph, pool):
                self._replay()
        except RuntimeError as error:
            if is_shortage(error):
                raise
            _log.warning("the network cannot be recorded, steps will be slow: %s", error)
            return
        self._replay = graph.replay

    def __call__(self, columns: Tensor) -> None:
        """Does the work for at most `size` columns."""
        self._columns[: len(columns)] = columns
        self._weights[: len(columns)] = 1.0
        self._weights[len(columns) :] = 0.0
        self._replay()
