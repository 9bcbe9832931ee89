"""Batch normalisation, folded into plain weights after training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from functools import partial
from typing import Any

import numpy as np
import torch

from inrcodec.activations import LAST
from inrcodec.activations.sine import SineLike
from inrcodec.encodings.identity import Identity
from inrcodec.kernels.network import split
from inrcodec.kernels.reference_network import TORCH, ReferenceNetworkEngine
from inrcodec.registry import register
from inrcodec.remedies import PARAMETERS, RESIDUAL, Fitting, Remedy, Trained, refusal_of_grid

EPSILON = 1e-5  # of torch's BatchNorm1d
MOST_STATISTICS = 1 << 18  # samples that the final mean and variance are taken over


@register("remedies", "bn")
@dataclass(frozen=True)
class BatchNormalised(Remedy):
    """Features normalised over the samples of a step while training, folded afterwards: BN.

    Statistics of training are those of chunks of up to 32,768 samples, the folded ones those of the
    signal (of 2**18 even samples of it where it has more). The last phase trains plain weights.

    Args:
        after: 1 normalises behind the activation, 0 before it; -1 chooses as in IGA's experiments:
            behind it on bare coordinates, as for ReLU, before it behind an encoding.
    """

    source = "BN for INRs, Cai et al., arXiv 2407.17834; IGA's models.py"
    cost = "8.3 times: it runs in torch"
    takes = frozenset({PARAMETERS, RESIDUAL})

    after: int = attribute(default=-1, metadata={"range": (-1, 1)})

    def refusal(self, kind: str, config: Any) -> str | None:
        activation = getattr(config, "activation", None)
        if activation is None:
            return refusal_of_grid(config) or "it is for multilayer perceptrons"
        if isinstance(activation, SineLike):
            return "it takes from sines the range their start gives them; try --field relu, pe, ffn"
        if activation.parts > 1:
            return "its features are real, and those of the activation are complex"
        return None

    def trained(self, plain: Trained, fitting: Fitting) -> Trained:
        bare = isinstance(fitting.start.config.encoding, Identity)
        return Normalised(plain, fitting, bare if self.after < 0 else bool(self.after))


class Normalised(Trained):
    """A network with normalised features, and the plain one it stands for.

    Args:
        plain: the network's own parameters.
        fitting: the phase.
        after: whether features are normalised behind the activation.
    """

    def __init__(self, plain: Trained, fitting: Fitting, after: bool) -> None:
        config = fitting.start.config
        self._config, self._after, self._plain = config, after, plain
        self._coords = fitting.problem.samples[0].coords
        own = split(plain.speeds, plain.shapes)
        extra, begin, rates = {}, [plain.values], [plain.speeds]
        for i in range(len(config.layers) - 1):
            for name, value in ((f"gain{i}", 1.0), (f"shift{i}", 0.0)):
                extra[name] = (config.hidden_features,)
                begin.append(np.full(config.hidden_features, value))
                rates.append(np.full(config.hidden_features, own[f"bias{i}"].flat[0]))
        shapes = dict(plain.shapes) | extra
        super().__init__(shapes, np.concatenate(begin), np.concatenate(rates), plain.engine)
        problem = replace(
            fitting.problem, function=partial(_normalised, config, after), layout=shapes
        )
        self._reference = ReferenceNetworkEngine(problem, fitting.device)

    def loss(
        self,
        values: np.ndarray,
        columns: list[np.ndarray] | None,
        targets: list[np.ndarray] | None,
    ) -> tuple[float, np.ndarray]:
        return self._reference.loss(values, columns, targets)

    def theta(self, values: np.ndarray) -> np.ndarray:
        """The plain network's parameters, with statistics of the signal."""
        step = -(-self._coords.shape[1] // MOST_STATISTICS)
        coords = torch.from_numpy(self._coords[:, ::step]).double()
        named = split(values.copy(), self.shapes)
        theta = {name: torch.from_numpy(array) for name, array in named.items()}
        layers = len(self._config.layers)
        h = self._config.encoding(TORCH, theta, coords)
        for i in range(layers - 1):
            h = TORCH.affine(theta[f"weight{i}"], theta[f"bias{i}"], h)
            h = self._config.activation(TORCH, h) if self._after else h
            mean, variance = _moments(h)
            scale = theta[f"gain{i}"] / torch.sqrt(variance + EPSILON)
            shift = theta[f"shift{i}"] - scale * mean
            if self._after:
                following = theta[f"weight{i + 1}"]
                theta[f"bias{i + 1}"] = theta[f"bias{i + 1}"] + following @ shift
                theta[f"weight{i + 1}"] = following * scale
            else:
                theta[f"weight{i}"] = theta[f"weight{i}"] * scale[:, None]
                theta[f"bias{i}"] = theta[f"bias{i}"] * scale + shift
                h = self._config.activation(TORCH, h * scale[:, None] + shift[:, None])
        return np.concatenate([theta[name].numpy().ravel() for name in self._plain.shapes])


def _normalised(config: Any, after: bool, a: Any, theta: Mapping[str, Any], coords: Any) -> Any:
    """The network as it is trained."""
    h = config.encoding(a, theta, coords)
    for i, layer in enumerate(config.layers):
        h = a.affine(theta[f"weight{i}"], theta[f"bias{i}"], h)
        if layer == LAST:
            return h
        h = config.activation(a, h) if after else h
        mean, variance = _moments(h)
        h = (h - mean[:, None]) / a.sqrt(variance + EPSILON)[:, None]
        h = h * theta[f"gain{i}"][:, None] + theta[f"shift{i}"][:, None]
        h = h if after else config.activation(a, h)
    raise AssertionError("unreachable")


def _moments(h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(mean, variance) over samples, [features] each."""
    mean = h.mean(1)
    return mean, (h - mean[:, None]).square().mean(1)
