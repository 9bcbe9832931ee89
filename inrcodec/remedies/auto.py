"""`--remedy auto`: what served such signals better than nothing, where that was measured."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from inrcodec.registry import register
from inrcodec.remedies import (
    BOUNDS,
    FREQUENCY,
    INITIALISATION,
    OPTIMIZER,
    PARAMETERS,
    RESIDUAL,
    SAMPLING,
    SCHEDULE,
    TARGET,
    Remedy,
)
from inrcodec.signal import AnySignal, AudioSignal, Signal
from inrcodec.signal.spectrum import (
    amplitude_centroid,
    colours_of,
    energy_centroid,
    waveform_of,
)

NAME = "auto"
TABLE = "auto.tsv"  # made by tools/calibrate_sec
# What may be given beside it: sizes of networks.
SIZES = frozenset({"hidden_features", "hidden_layers"})
_CALLED = {"image": "an image", "audio": "a sound", "video": "a video"}


@register("remedies", NAME)
@dataclass(frozen=True)
class Automatic(Remedy):
    """Picks a remedy by the field and the signal's kind, size and centroid, or none; says why.

    It picks what was measured to be better than nothing on every signal of a calibration set, and
    to hold on others, within the sizes, centroids, lambdas and numbers of steps of those fits;
    elsewhere it picks nothing. Measured was the cost of the finished file at equal steps.
    """

    source = "ours; measured: results/remedies/auto.tsv, auto_sound.tsv"
    cost = "that of what it picks"
    takes = frozenset(
        {BOUNDS, FREQUENCY, INITIALISATION, OPTIMIZER, PARAMETERS, RESIDUAL, SAMPLING, SCHEDULE,
         TARGET}
    )  # fmt: skip

    @classmethod
    def note(cls) -> str:
        picked = [f"{rule.remedy} for {rule.field} on {_CALLED[rule.kind]}" for rule in table()]
        return f"it can pick: {', '.join(picked) or 'none, as none was better on every signal'}"

    def refusal(self, kind: str, config: Any) -> str | None:
        return None


@dataclass(frozen=True)
class Choice:
    """What was picked for a signal.

    Args:
        remedies: names.
        reason: why, in one line.
    """

    remedies: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        return f"remedy auto: {','.join(self.remedies) or 'none'}; {self.reason}"


@dataclass(frozen=True)
class Rule:
    """A remedy that is better than none, and where that was measured.

    Args:
        kind, field: of signal and network.
        remedy: its name.
        least_samples, most_samples: pixels, or frames of sound.
        least_centroid, most_centroid: see `centroid_of`.
        least_lmbda, most_lmbda, least_steps, most_steps: of the fits.
        signals, fits: how many there were.
        cost: MSE / lambda + bits per sample over that without it, mean of the logarithms.
        worst: the largest of all fits.
    """

    kind: str
    field: str
    remedy: str
    least_samples: int
    most_samples: int
    least_centroid: float
    most_centroid: float
    least_lmbda: float
    most_lmbda: float
    least_steps: int
    most_steps: int
    signals: int
    fits: int
    cost: float
    worst: float

    def refusal(self, numbers: Mapping[str, float]) -> str | None:
        """Why it was not measured for such a fit, or None.

        Args:
            numbers: samples, centroid, lmbda and steps.
        """
        for name, value in numbers.items():
            least, most = getattr(self, f"least_{name}"), getattr(self, f"most_{name}")
            if not least <= value <= most:
                return f"{name} {value:g}; {self.remedy} was measured for {least:g} to {most:g}"
        return None


def choose(
    signal: AnySignal, field: str, given: Collection[str], lmbda: float, steps: int
) -> Choice:
    """What `--remedy auto` is for a signal.

    Args:
        signal: what is fitted.
        field: a user's name of a network.
        given: names of options of the network that were given, but for its sizes.
        lmbda: weight of the rate.
        steps: of the fit.
    """
    what = f"{field} on {_CALLED[signal.kind]}"
    rule = next((r for r in table() if (r.kind, r.field) == (signal.kind, field)), None)
    if rule is None:
        return Choice((), f"{what}: nothing was measured to be better than no remedy")
    if given:
        return Choice((), f"{what}: {rule.remedy} was measured without the option {min(given)}")
    numbers = {"samples": samples_of(signal), "lmbda": lmbda, "steps": steps}
    why = rule.refusal(numbers) or rule.refusal({"centroid": centroid_of(signal)})
    if why is not None:
        return Choice((), f"{what}: {why}")
    return Choice(
        (rule.remedy,),
        f"{what}: a cost of {rule.cost:.2f} of that without it, mean of {rule.fits} fits of "
        f"{rule.signals} signals, at most {rule.worst:.2f}, at "
        f"{rule.least_steps} to {rule.most_steps} steps",
    )


@cache
def table() -> tuple[Rule, ...]:
    """What was measured to be better than nothing."""
    text = (resources.files("inrcodec.remedies") / TABLE).read_text()
    kinds = {f.name: {"str": str, "int": int, "float": float}[f.type] for f in fields(Rule)}
    lines = csv.DictReader(text.splitlines(), delimiter="\t")
    return tuple(Rule(**{name: kinds[name](row[name]) for name in kinds}) for row in lines)


def samples_of(signal: AnySignal) -> int:
    """Pixels of an image, frames of a sound."""
    if isinstance(signal, AudioSignal):
        return signal.frames
    return signal.width * signal.height


def centroid_of(signal: Signal | AudioSignal) -> float:
    """Of an image SEC, in cycles per extent, of a sound WINNER's psi, 0..1; 0 of a constant."""
    if isinstance(signal, AudioSignal):
        return amplitude_centroid(waveform_of(signal))
    return float(np.nan_to_num(energy_centroid(colours_of(signal))))
