"""WINNER: noise on the first two layers, as strong as the signal's spectrum is high."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from typing import Any

import numpy as np

from inrcodec.registry import register
from inrcodec.remedies import (
    FREQUENCY,
    INITIALISATION,
    NetworkStart,
    Remedy,
    Starts,
    is_of_sines,
)
from inrcodec.signal import AnySignal, AudioSignal
from inrcodec.signal.spectrum import amplitude_centroid, waveform_of

# (S0 at most, its rate, S1 per psi) of signals along one and along more axes: the authors' code,
# where the paper's text has 5 for the rate of sound.
SOUND, PICTURE = (3500.0, 7.0, 3.0), (50.0, 5.0, 0.4)
# Such noise turns phases of sound by thousands of radians, and a hundredth of one changes it.
PHASE_BITS = 20
FIRST_BOOST = 30.0  # also of sound, where SIREN itself has 3000


@register("remedies", "winner")
@dataclass(frozen=True)
class Winner(Remedy):
    """Normal noise on the first two layers' starting weights, from the signal's centroid: SIREN^2.

    In units of the folded weights the noise has standard deviation S0 on the first matrix and S1 on
    the second, S0 = a (1 - exp(-b z)), S1 = c z, z the signal's amplitude centroid over its
    channels; those of sound are one, their mean. Videos take the formula of pictures (ours: the
    source gives their S0 and S1 by hand). At any lambda the largest weight of a sound's first layer
    keeps 20 bits in the file.

    Args:
        s0, s1: instead of the formula; below 0 the formula.
    """

    source = "WINNER, Chandravamsi et al., arXiv 2509.09719, and the authors' modules/networks.py"
    cost = "1.0 times"
    takes = frozenset({INITIALISATION, FREQUENCY})

    s0: float = attribute(default=-1.0, metadata={"range": (-1, 1e5)})
    s1: float = attribute(default=-1.0, metadata={"range": (-1, 1e3)})

    def refusal(self, kind: str, config: Any) -> str | None:
        if not is_of_sines(config):
            return "it widens the spectrum of sines, and the network has none; try --field siren"
        if type(config.encoding).__name__ != "Identity":
            return "its noise is for bare coordinates, and the network has an encoding before them"
        if not config.hidden_layers:
            return "S1 is of a hidden layer, and the network has none; add --hidden-layers"
        return None

    def options(
        self, signal: AnySignal, starts: Starts, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {"first_omega_0": FIRST_BOOST} if is_of_sines(starts(given, 0).config) else {}

    def begin(
        self, start: NetworkStart, signal: AnySignal, rng: np.random.Generator
    ) -> NetworkStart:
        chosen = strengths(signal)
        s0, s1 = (
            given if given >= 0 else s for given, s in zip((self.s0, self.s1), chosen, strict=True)
        )
        theta = dict(start.theta)
        for name, strength in (("weight0", s0), ("weight1", s1)):
            theta[name] = theta[name] + strength * rng.standard_normal(theta[name].shape)
        return replace(start, theta=theta)

    def least_bits(self, kind: str) -> Mapping[str, int]:
        return {"weight0": PHASE_BITS} if kind == "audio" else {}


def strengths(signal: AnySignal) -> tuple[float, float]:
    """(S0, S1) of the formula for a signal."""
    waveform = waveform_of(signal)
    z = amplitude_centroid(waveform) / waveform.shape[1]
    most, rate, slope = SOUND if isinstance(signal, AudioSignal) else PICTURE
    return most * (1 - math.exp(-rate * z)), slope * z
