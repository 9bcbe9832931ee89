"""FreSh: the first layer's frequencies whose untrained network has the signal's spectrum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

import numpy as np

from inrcodec.encodings.fourier import Fourier
from inrcodec.encodings.identity import Identity
from inrcodec.kernels.arithmetic import FAST, evaluate
from inrcodec.registry import register
from inrcodec.remedies import FREQUENCY, NetworkStart, Remedy, Starts, is_of_sines, refusal_of_grid
from inrcodec.signal import AnySignal
from inrcodec.signal.spectrum import diagonal_spectrum

# Boosts of the first layer; sigma of Fourier features for coordinates on [0, 1].
BOOSTS, SIGMAS = tuple(range(10, 201, 10)), tuple(range(1, 21))
SIDE = 128  # pixels along each side of what untrained networks render


@dataclass(frozen=True)
class _Dial:
    """What is chosen: an option of the network, and its candidates."""

    option: str
    values: tuple[float, ...]


@register("remedies", "fresh")
@dataclass(frozen=True)
class FrequencyShift(Remedy):
    """Chooses omega_0 of the first layer, or sigma of Fourier features, by spectra: FreSh.

    For each candidate networks are drawn and rendered untrained; chosen is the one whose spectra
    lie nearest to the picture's, by the mean Wasserstein distance over the lowest frequencies.
    Spectra are sums of amplitudes over |u| + |v| = k, the mean left out.

    Args:
        draws: networks of each candidate; the source has 10.
        lowest: frequencies that count; the source has 64 for SIREN, 128 for others.
    """

    source = "FreSh, Kania et al., ICLR 2025, arXiv 2410.05050, section 4"
    cost = "1.0 times, and some seconds before the fit"
    takes = frozenset({FREQUENCY})

    draws: int = attribute(default=10, metadata={"range": (1, 100)})
    lowest: int = attribute(default=64, metadata={"range": (2, 4096)})

    def refusal(self, kind: str, config: Any) -> str | None:
        if kind != "image":
            return "it compares spectra of pictures"
        if _dial(config) is not None:
            return None
        return refusal_of_grid(config) or (
            "it sets the first layer of sines on bare coordinates, or Fourier features, and the "
            "network has neither"
        )

    def options(
        self, signal: AnySignal, starts: Starts, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        dial = _dial(starts(given, 0).config)
        if signal.kind != "image" or dial is None or dial.option in given:
            return {}
        wanted = self._shares(signal.samples)
        distances = {}
        for value in dial.values:
            made = (starts({**given, dial.option: value}, seed) for seed in range(self.draws))
            spectra = [self._shares(rendered(start)) for start in made]
            distances[value] = np.mean([wasserstein(wanted, s) for s in spectra])
        return {dial.option: min(distances, key=distances.get)}

    def _shares(self, picture: np.ndarray) -> np.ndarray:
        """[lowest] of the spectrum of [height, width, channels], summing to 1."""
        spectrum = diagonal_spectrum(picture)[: self.lowest]
        return spectrum / max(spectrum.sum(), np.finfo(float).tiny)


def wasserstein(first: np.ndarray, second: np.ndarray) -> float:
    """Distance between two distributions over 0, 1, 2, ...: area between their sums."""
    n = min(len(first), len(second))
    return float(np.abs(np.cumsum(first[:n] - second[:n])).sum())


def rendered(start: NetworkStart) -> np.ndarray:
    """[SIDE, SIDE, channels] that an untrained network shows."""
    line = (2 * np.arange(SIDE) + 1) / SIDE - 1
    coords = np.stack([plane.ravel() for plane in np.meshgrid(line, line)])
    outputs = len(start.theta[f"bias{len(start.config.layers) - 1}"])
    theta = {name: np.asarray(value, np.float64) for name, value in start.theta.items()}
    values = evaluate(
        lambda tile: start.family.network(FAST, start.config, theta, tile),
        coords,
        outputs,
        FAST,
        width=start.family.widest(start.config),
    )
    return values.T.reshape(SIDE, SIDE, outputs)


def _dial(config: Any) -> _Dial | None:
    """What there is to choose of a network."""
    encoding = getattr(config, "encoding", None)
    if isinstance(encoding, Fourier):
        return _Dial("sigma_8ths", tuple(4 * sigma for sigma in SIGMAS))
    if isinstance(encoding, Identity) and is_of_sines(config):
        return _Dial("first_omega_0", tuple(map(float, BOOSTS)))
    return None
