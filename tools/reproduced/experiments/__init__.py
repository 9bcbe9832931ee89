"""The experiments by name; one file per paper or question."""

from __future__ import annotations

from reproduced.description import Experiment
from reproduced.experiments import iga, sampling, sizes, spder, tuner, winner

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for module in (spder, iga, tuner, winner, sampling, sizes)
    for experiment in module.EXPERIMENTS
}
