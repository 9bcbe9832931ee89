"""Fitting coordinate networks: the problem, the interface of the engines, the choice of one."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from inrcodec.errors import BadOption
from inrcodec.runtime import device_name, resolve_device, threads

_log = logging.getLogger(__name__)

# A network: arithmetic, parameters by name, coordinates [in_features, n] -> values [out, n].
Function = Callable[[Any, Mapping[str, Any], Any], Any]


@dataclass(frozen=True)
class Samples:
    """Some channels of a signal on one grid; subsampled chroma has a grid of its own.

    Args:
        coords: [in_features, n] float32 on [-1, 1].
        target: [channels, n] float32 on [-1, 1].
        channels: which outputs of the network these are.
        shape: samples along each axis of the grid, slowest first.
    """

    coords: np.ndarray
    target: np.ndarray
    channels: slice
    shape: tuple[int, ...]


@dataclass(frozen=True)
class NetworkProblem:
    """What an engine must know to fit a coordinate network.

    Args:
        function: the network.
        config: its shape, for engines that build code of their own for it; see `fields.mlp`.
        layout: name -> shape of each parameter, in the order of the flat vector.
        samples: what to fit.
    """

    function: Function
    config: Any
    layout: Mapping[str, tuple[int, ...]]
    samples: tuple[Samples, ...]

    @property
    def parameter_count(self) -> int:
        return sum(int(np.prod(shape)) for shape in self.layout.values())

    @property
    def pixels(self) -> int:
        """Samples of the signal's first grid, which rates are counted by; of sound its frames."""
        return self.samples[0].coords.shape[1]

    @property
    def sample_count(self) -> int:
        """Places at which the network is compared with the signal."""
        return sum(part.coords.shape[1] for part in self.samples)

    @property
    def value_count(self) -> int:
        """Numbers in the signal."""
        return sum(part.target.size for part in self.samples)


class NetworkEngine(Protocol):
    """Loss and gradient of a network over samples."""

    name: str

    def loss(
        self,
        theta: np.ndarray,
        chosen: list[np.ndarray] | None = None,
        targets: list[np.ndarray] | None = None,
    ) -> tuple[float, np.ndarray]:
        """(mean squared error, its gradient [parameters] float64).

        Args:
            theta: [parameters] float64.
            chosen: for each of the problem's `samples` the columns to use; default all.
            targets: for each of the problem's `samples` [channels, n] float32 of all its columns,
                what to fit instead of its target.
        """

    def error(self, theta: np.ndarray, chosen: list[np.ndarray] | None = None) -> float:
        """Mean squared error over all samples, or over columns of them as in `loss`."""

    def values(self, theta: np.ndarray) -> list[np.ndarray]:
        """For each of the problem's `samples` the network's values [channels, n] float32."""


def make_network_engine(
    problem: NetworkProblem, device: str = "auto", engine: str = "auto"
) -> NetworkEngine:
    """The fastest engine that works here, or the one asked for by name.

    Raises:
        BadOption: an unknown engine or device, or one that is not usable here or for this network.
    """
    from inrcodec.kernels.engine import check_engine

    asked, device = device, resolve_device(device)
    check_engine(engine, asked, device)
    made = _make(problem, device, engine)
    _log.info("engine %s on %s", made.name, device_name("cpu" if engine == "cpu" else device))
    return made


def _make(problem: NetworkProblem, device: str, engine: str) -> NetworkEngine:
    from inrcodec.kernels.engine import numba_works

    if engine.startswith("gpu") and device == "cpu":
        raise BadOption(f"engine {engine} was asked for, but the device is the CPU")
    if engine == "cpu" or (engine == "auto" and device == "cpu" and numba_works()):
        from inrcodec.kernels.cpu.network import CpuNetworkEngine, unsupported

        reason = unsupported(problem)
        if reason is None:
            return CpuNetworkEngine(problem, threads())
        if engine == "cpu":
            raise BadOption(f"engine cpu cannot fit this network: {reason}; use engine reference")
    import torch

    if device != "cpu" and engine != "reference":
        from inrcodec.kernels.gpu.network import TUNINGS, GpuNetworkEngine

        return GpuNetworkEngine(problem, device, TUNINGS["gpu" if engine == "auto" else engine])
    from inrcodec.kernels.reference_network import ReferenceNetworkEngine

    torch.set_num_threads(threads())
    return ReferenceNetworkEngine(problem, device)


def checked_columns(columns: np.ndarray, count: int) -> np.ndarray:
    """Columns for code that does not look where it reads.

    Raises:
        IndexError: one is not below the count, or negative.
    """
    columns = np.ascontiguousarray(columns, np.int64)
    if len(columns) and not 0 <= columns.min() <= columns.max() < count:
        raise IndexError(f"columns {columns.min()} to {columns.max()} of {count} samples")
    return columns


def split(theta: np.ndarray, layout: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Views of a flat vector by name, for the shape of each name."""
    views, start = {}, 0
    for name, shape in layout.items():
        size = math.prod(shape)
        views[name] = theta[start : start + size].reshape(shape)
        start += size
    return views
