"""The truth for coordinate networks: torch and its autograd, in chunks of samples."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch

from inrcodec.kernels.gpu.memory import in_parts
from inrcodec.kernels.network import NetworkProblem, Samples

CHUNK = 1 << 15  # samples at once: bounds memory whatever the size of the signal
JACOBIAN_ENTRIES = 1 << 23  # float32 at once
_TINY = 1e-30


class TorchArithmetic:
    """What networks are written in, with gradients; see `kernels.arithmetic`.

    Derivatives are finite everywhere: that of the square root is taken at 1e-30 or above, so that
    sin(x) sqrt|x| has its limit, 0, at 0 instead of 0 * inf.
    """

    name = "torch"

    sin = staticmethod(torch.sin)
    cos = staticmethod(torch.cos)
    exp = staticmethod(torch.exp)
    arctan = staticmethod(torch.arctan)
    abs = staticmethod(torch.abs)
    floor = staticmethod(torch.floor)
    where = staticmethod(torch.where)

    def sqrt(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sqrt(x.clamp_min(_TINY))

    def log(self, x: torch.Tensor) -> torch.Tensor:
        return torch.log(x.clamp_min(_TINY))

    def maximum(self, x: torch.Tensor, number: float) -> torch.Tensor:
        return x.clamp_min(number)

    def minimum(self, x: torch.Tensor, number: float) -> torch.Tensor:
        return x.clamp_max(number)

    def concatenate(self, parts: list[torch.Tensor]) -> torch.Tensor:
        return torch.cat(parts)

    def beside(self, parts: list[torch.Tensor]) -> torch.Tensor:
        return torch.cat(parts, dim=-1)

    def affine(self, weight: torch.Tensor, bias: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return torch.addmm(bias[:, None], weight, h)

    def detached(self, x: torch.Tensor) -> torch.Tensor:
        return x.detach()

    def integers(self, x: torch.Tensor) -> torch.Tensor:
        return x.to(torch.int64)

    def take(self, table: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.embedding(index, table).T

    def constant(self, array: np.ndarray, like: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(array, dtype=like.dtype, device=like.device)


TORCH = TorchArithmetic()


class ReferenceNetworkEngine:
    """Autograd over the network as the decoder has it, in float32."""

    name = "reference"

    def __init__(self, problem: NetworkProblem, device: str = "cpu") -> None:
        self._problem = problem
        self._device = torch.device(device)
        self._samples = [
            (torch.from_numpy(part.coords), torch.from_numpy(part.target))
            for part in problem.samples
        ]
        sizes = [math.prod(shape) for shape in problem.layout.values()]
        self._sizes = sizes

    def loss(
        self,
        theta: np.ndarray,
        chosen: list[np.ndarray] | None = None,
        targets: list[np.ndarray] | None = None,
    ) -> tuple[float, np.ndarray]:
        flat = torch.tensor(theta, dtype=torch.float32, device=self._device, requires_grad=True)
        gradient = torch.zeros(len(theta), dtype=torch.float64, device=self._device)
        total, count = 0.0, 0
        for values, target in self._chunks(flat, chosen, targets):
            squared = (values - target).square().sum()
            gradient += torch.autograd.grad(squared, flat)[0]
            total += float(squared.detach())
            count += target.numel()
        return total / count, gradient.cpu().numpy() / count

    def error(self, theta: np.ndarray, chosen: list[np.ndarray] | None = None) -> float:
        total, count = 0.0, 0
        with torch.no_grad():
            flat = torch.tensor(theta, dtype=torch.float32, device=self._device)
            for values, target in self._chunks(flat, chosen):
                total += float((values - target).double().square().sum())
                count += target.numel()
        return total / count

    def values(self, theta: np.ndarray) -> list[np.ndarray]:
        with torch.no_grad():
            flat = torch.tensor(theta, dtype=torch.float32, device=self._device)
            found = []
            for part, tensors in zip(self._problem.samples, self._samples, strict=True):
                pieces = [v for v, _ in self._part_chunks(flat, part, *tensors)]
                found.append(torch.cat(pieces, dim=1).cpu().numpy())
        return found

    def _chunks(
        self,
        flat: torch.Tensor,
        chosen: list[np.ndarray] | None,
        targets: list[np.ndarray] | None = None,
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """(values, target) of all chunks; parameters are shared, their graph is rebuilt."""
        for i, (part, (coords, target)) in enumerate(
            zip(self._problem.samples, self._samples, strict=True)
        ):
            if targets is not None:
                target = torch.from_numpy(targets[i])
            if chosen is not None:
                columns = torch.from_numpy(chosen[i])
                coords, target = coords[:, columns], target[:, columns]
            yield from self._part_chunks(flat, part, coords, target)

    def _part_chunks(
        self, flat: torch.Tensor, part: Samples, coords: torch.Tensor, target: torch.Tensor
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for begin in range(0, coords.shape[1], CHUNK):
            piece = coords[:, begin : begin + CHUNK].to(self._device)
            wanted = target[:, begin : begin + CHUNK].to(self._device)
            values = self._problem.function(TORCH, self._named(flat), piece)[part.channels]
            yield values, wanted

    def _named(self, flat: torch.Tensor) -> dict[str, torch.Tensor]:
        parts = torch.split(flat, self._sizes)
        shapes = self._problem.layout.items()
        return {name: p.reshape(shape) for (name, shape), p in zip(shapes, parts, strict=True)}


def jacobian(
    problem: NetworkProblem,
    theta: np.ndarray,
    part: int,
    columns: np.ndarray,
    device: str = "cpu",
) -> np.ndarray:
    """[rows, parameters] float64: derivatives of outputs, by all parameters.

    Args:
        problem: whose network, and whose samples.
        theta: [parameters].
        part: which of the problem's `samples`.
        columns: [rows, n] of that part; a row's outputs are those of its columns, summed, and over
            channels summed and divided by their number's root. Columns below 0 count nothing.
        device: where to compute.
    """
    samples, where = problem.samples[part], torch.device(device)
    sizes = [math.prod(shape) for shape in problem.layout.values()]
    channels = samples.target.shape[0]

    def output(flat: torch.Tensor, coords: torch.Tensor, used: torch.Tensor) -> torch.Tensor:
        parts = torch.split(flat, sizes)
        named = {n: p.reshape(s) for (n, s), p in zip(problem.layout.items(), parts, strict=True)}
        values = problem.function(TORCH, named, coords)[samples.channels]
        return (values * used).sum() / math.sqrt(channels)

    slopes = torch.func.vmap(torch.func.grad(output), in_dims=(None, 0, 0))
    flat = torch.tensor(theta, dtype=torch.float32, device=where)
    found = np.empty((len(columns), len(theta)))

    def rows(begin: int, end: int) -> None:
        chosen = columns[begin:end]
        coords = samples.coords[:, np.maximum(chosen, 0)].transpose(1, 0, 2)
        used = torch.from_numpy((chosen >= 0).astype(np.float32)).to(where)
        found[begin:end] = slopes(flat, torch.from_numpy(coords).to(where), used).cpu().numpy()

    in_parts(len(columns), max(1, JACOBIAN_ENTRIES // len(theta)), rows, where, "rows")
    return found
