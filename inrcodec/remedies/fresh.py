"""FreSh: the first layer's frequencies whose untrained network has the signal's spectrum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

import numpy as np

from inrcodec.activations.sine import Sine
from inrcodec.encodings.fourier import Fourier
from inrcodec.encodings.identity import Identity
from inrcodec.kernels.arithmetic import FAST, evaluate
from inrcodec.registry import register
from inrcodec.remedies import FREQUENCY, NetworkStart, Remedy, Starts, is_of_sines, refusal_of_grid
from inrcodec.signal import AnySignal
from inrcodec.signal.spectrum import colours_of, diagonal_spectrum

# Boosts of the first layer; sigma of Fourier features for coordinates on [0, 1].
BOOSTS, SIGMAS = tuple(range(10, 201, 10)), tuple(range(1, 21))


@dataclass(frozen=True)
class _Dial:
    """What is chosen: an option of the network, its candidates, and by how many frequencies."""

    option: str
    values: tuple[float, ...]
    lowest: int


@register("remedies", "fresh")
@dataclass(frozen=True)
class FrequencyShift(Remedy):
    """Chooses omega_0 of the first layer, or sigma of Fourier features, by spectra: FreSh.

    For each candidate networks are drawn and rendered untrained; chosen is the one whose spectra
    lie nearest to the picture's, by the mean Wasserstein distance over the lowest frequencies.
    Spectra are sums of amplitudes over |u| + |v| = k, the mean left out, in cycles over the width
    and the height: pictures need not be made square for them, as they are in the source. Networks
    are rendered no finer than these frequencies need, the source has the picture's own pixels.

    Args:
        draws: networks of each candidate; the source has 10.
        lowest: frequencies that count. 0 chooses as the source: 64 for SIREN, 128 for others.
    """

    source = "FreSh, Kania et al., ICLR 2025, arXiv 2410.05050, section 4"
    cost = "1.0 times, and some seconds before the fit"
    takes = frozenset({FREQUENCY})

    draws: int = attribute(default=10, metadata={"range": (1, 100)})
    lowest: int = attribute(default=0, metadata={"range": (0, 4096)})

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
        config = starts(given, 0).config
        dial = _dial(config)
        if signal.kind != "image" or dial is None or dial.option in given:
            return {}
        picture, lowest = colours_of(signal), self.lowest or dial.lowest
        if not np.ptp(picture, axis=(0, 1)).any():
            return {}  # it has no spectrum
        # Two samples per cycle, and the same corners of the spectrum where the picture is smaller.
        height, width = (min(n, 2 * lowest) for n in picture.shape[:2])
        wanted = spectral_shares(picture, lowest)
        # Chosen once: it takes longer than a network does.
        size = {"hidden_features": config.hidden_features, "hidden_layers": config.hidden_layers}
        distances = {}
        for value in dial.values:
            own = {**given, **size, dial.option: value}
            shown = (rendered(starts(own, seed), height, width) for seed in range(self.draws))
            spectra = [spectral_shares(values[..., : picture.shape[2]], lowest) for values in shown]
            distances[value] = np.mean([wasserstein(wanted, s) for s in spectra])
        return {dial.option: min(distances, key=distances.get)}


def spectral_shares(picture: np.ndarray, lowest: int) -> np.ndarray:
    """[at most lowest] of the spectrum of [height, width, channels], summing to 1."""
    spectrum = diagonal_spectrum(picture)[:lowest]
    return spectrum / max(spectrum.sum(), np.finfo(float).tiny)


def wasserstein(first: np.ndarray, second: np.ndarray) -> float:
    """Distance between two distributions over 0, 1, 2, ...: area between their sums."""
    return float(np.abs(np.cumsum(first - second)).sum())


def rendered(start: NetworkStart, height: int, width: int) -> np.ndarray:
    """[height, width, channels] that an untrained network shows."""
    lines = ((2 * np.arange(n) + 1) / n - 1 for n in (width, height))
    coords = np.stack([plane.ravel() for plane in np.meshgrid(*lines)])
    outputs = len(start.theta[f"bias{len(start.config.layers) - 1}"])
    theta = {name: np.asarray(value, np.float64) for name, value in start.theta.items()}
    values = evaluate(
        lambda tile: start.family.network(FAST, start.config, theta, tile),
        coords,
        outputs,
        FAST,
        width=start.family.widest(start.config),
    )
    return values.T.reshape(height, width, outputs)


def _dial(config: Any) -> _Dial | None:
    """What there is to choose of a network."""
    encoding = getattr(config, "encoding", None)
    if isinstance(encoding, Fourier):
        return _Dial("sigma_8ths", tuple(4 * sigma for sigma in SIGMAS), 128)
    if isinstance(encoding, Identity) and is_of_sines(config):
        lowest = 64 if isinstance(config.activation, Sine) else 128
        return _Dial("first_omega_0", tuple(map(float, BOOSTS)), lowest)
    return None
