"""What the optimiser SOAP needs of linear algebra, on a GPU."""

from __future__ import annotations

import numpy as np
import torch


class DeviceAlgebra:
    """See `remedies.soap`; vectors and stacks of matrices are float64 tensors.

    Args:
        device: cuda[:n], or cpu.
    """

    sqrt = staticmethod(torch.sqrt)

    def __init__(self, device: str) -> None:
        self._where = {"dtype": torch.float64, "device": torch.device(device)}

    def zeros(self, shape: tuple[int, ...]) -> torch.Tensor:
        return torch.zeros(shape, **self._where)

    def eye(self, side: int) -> torch.Tensor:
        return torch.eye(side, **self._where)

    def vector(self, values: np.ndarray) -> torch.Tensor:
        return torch.tensor(values, **self._where)

    def arrays(self, moves: list[torch.Tensor]) -> list[np.ndarray]:
        """One copy to the host, and one wait for the device."""
        ends = np.cumsum([len(move) for move in moves])
        return np.split(torch.cat(moves).cpu().numpy(), ends[:-1]) if moves else []

    def eigenvectors(self, moments: torch.Tensor) -> torch.Tensor:
        return torch.linalg.eigh(moments)[1]

    def orthogonal(self, matrices: torch.Tensor) -> torch.Tensor:
        return torch.linalg.qr(matrices)[0]

    def falling(self, values: torch.Tensor) -> torch.Tensor:
        return torch.argsort(-values, dim=-1, stable=True)

    def taken(self, values: torch.Tensor, order: torch.Tensor, axis: int) -> torch.Tensor:
        return torch.take_along_dim(values, order, axis)
