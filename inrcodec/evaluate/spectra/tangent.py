"""The empirical tangent kernel of a network: which errors gradient descent takes away first."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inrcodec.kernels.network import NetworkProblem
from inrcodec.kernels.reference_network import jacobian
from inrcodec.remedies.iga import side_of

MOST_SAMPLES = 256
MOST_DERIVATIVES = 1 << 26  # float64 of all outputs by all parameters, 0.5 GB


@dataclass(frozen=True, eq=False)
class Tangent:
    """The empirical neural tangent kernel on some samples, K = J J^T, by its eigenvectors.

    J are the derivatives of all outputs by all parameters times their learning rates, relative to
    the slowest one. Of most networks these are the omega_0 of the layers, which papers have outside
    of weights; tables and phases of encodings have rates of their own. Under plain gradient descent
    at such rates on squared errors the residual along eigenvector k falls as
    exp(-rate eigenvalue_k t) (Jacot, Gabriel and Hongler, NeurIPS 2018).

    Args:
        samples: positions that it is taken at, times channels are the rows of K.
        eigenvalues: [rows] falling.
        residual_share: [rows] of the residual's energy along each eigenvector; all together 1, NaN
            where there is no residual.
    """

    samples: int
    eigenvalues: np.ndarray
    residual_share: np.ndarray


def tangent_of(
    problem: NetworkProblem,
    theta: np.ndarray,
    speeds: np.ndarray,
    values: np.ndarray,
    device: str = "cpu",
) -> Tangent:
    """The tangent kernel on at most 256 evenly spread samples of the problem's first grid.

    Args:
        problem: whose network and samples.
        theta: [parameters].
        speeds: [parameters] how fast they are learned; 0 where they are not.
        values: [channels, n] of the network on that grid.
        device: where to compute.
    """
    part = problem.samples[0]
    most = MOST_DERIVATIVES // (problem.parameter_count * len(part.target))
    columns = spread(part.shape, max(1, min(MOST_SAMPLES, most)))
    eigenvalues, vectors = np.linalg.eigh(tangent_kernel(problem, theta, speeds, columns, device))
    residual = (values[:, columns] - part.target[:, columns]).astype(np.float64).ravel()
    energy = np.square(vectors.T @ residual)
    with np.errstate(invalid="ignore"):
        share = energy / np.square(residual).sum()
    # Rounding leaves eigenvalues that are 0 a little below it.
    return Tangent(len(columns), np.maximum(eigenvalues[::-1], 0), share[::-1])


def tangent_kernel(
    problem: NetworkProblem,
    theta: np.ndarray,
    speeds: np.ndarray,
    columns: np.ndarray,
    device: str = "cpu",
) -> np.ndarray:
    """[channels * n, channels * n] float64 of the columns [n] of the first grid, by channels."""
    relative = speeds / speeds[speeds > 0].min()
    part, derivatives = problem.samples[0], []
    for c in range(len(part.target)):
        channel = slice(part.channels.start + c, part.channels.start + c + 1)
        one = replace(part, target=part.target[c : c + 1], channels=channel)
        alone = replace(problem, samples=(one,))
        derivatives.append(jacobian(alone, theta, 0, columns[:, None], device))
    every = np.concatenate(derivatives) * relative
    return every @ every.T


def spread(shape: tuple[int, ...], most: int) -> np.ndarray:
    """[n] positions in a flat grid, the middles of at most so many equal blocks."""
    side = side_of(shape, most)
    axes = [np.minimum(np.arange(0, n, side) + side // 2, n - 1) for n in shape]
    return np.ravel_multi_index(np.meshgrid(*axes, indexing="ij"), shape).ravel()
