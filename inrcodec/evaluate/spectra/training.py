"""What a coordinate network looks like from step to step of its fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from inrcodec.errors import BadOption
from inrcodec.evaluate.metrics.spectral import RadialSpectrum, radial_error_spectrum
from inrcodec.evaluate.spectra.facts import gradient_magnitude, rings_of
from inrcodec.evaluate.spectra.layers import Layer, layers_of
from inrcodec.evaluate.spectra.tangent import Tangent, tangent_of
from inrcodec.evaluate.spectra.view import View, first_part
from inrcodec.fields import family_of
from inrcodec.fields.network import NetworkField, flat
from inrcodec.fit import EncodeOptions
from inrcodec.fit.targets import samples_of
from inrcodec.kernels.network import NetworkEngine, NetworkProblem, make_network_engine, split
from inrcodec.remedies import Fitting
from inrcodec.segments import parts_of
from inrcodec.signal import Signal
from inrcodec.signal.spectrum import energy_centroid

MOMENTS = 12


@dataclass(frozen=True, eq=False)
class Moment:
    """A network's output after some steps, unrounded.

    Args:
        step: how many.
        sec: Spectral Energy Centroid of the output.
        quality_db: SNR of sound, PSNR of others, of the samples that are looked at.
        error: power of output - signal by radius.
    """

    step: int
    sec: float
    quality_db: float
    error: RadialSpectrum


@dataclass(frozen=True, eq=False)
class Inspection:
    """A network from inside.

    Args:
        step: after how many steps.
        tangent: its tangent kernel.
        layers: its activations.
        gradient: [height, width] of the output, or None; see `gradient_magnitude`.
    """

    step: int
    tangent: Tangent
    layers: list[Layer]
    gradient: np.ndarray | None


class TrainingRecord:
    """A `fit.Observer` that measures the network on its way.

    Args:
        view: of the signal that is fitted.

    Attributes:
        moments: at about 12 steps, evenly in logarithms.
        inspections: at the beginning and the end.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._problem: NetworkProblem | None = None
        self._engine: NetworkEngine | None = None
        self.moments: list[Moment] = []
        self.inspections: list[Inspection] = []

    def steps(self, total: int) -> set[int]:
        """0, and 1 to `total` in equal ratios as far as whole numbers go."""
        ratios = np.geomspace(1, max(1, total), MOMENTS - 1)
        return {0, *(int(step) for step in np.rint(ratios) if step <= total)}

    def see(self, step: int, phase: Fitting, theta: np.ndarray) -> None:
        """Measures the network after that many steps."""
        if step == 0:
            self.moments, self.inspections = [], []
            self._problem, self._engine = _as_rendered(phase, self._view)
        values = self._engine.values(theta)[0]
        output = self._output(values)
        error = radial_error_spectrum(
            self._view.samples, output, self._view.dimensions, rings_of(self._view.grid)
        )
        quality_db = self._view.quality_db(output)
        self.moments.append(Moment(step, energy_centroid(output), quality_db, error))
        if step in (0, phase.steps):
            named = split(theta, self._problem.layout)
            family, config = phase.start.family, phase.start.config
            axes, speeds = self._view.dimensions, flat(phase.layout, phase.start.speeds)
            self.inspections.append(
                Inspection(
                    step,
                    tangent_of(self._problem, theta, speeds, values, phase.device),
                    layers_of(family.network, config, named, axes),
                    gradient_magnitude(replace(self._view, samples=output)),
                )
            )

    def _output(self, values: np.ndarray) -> np.ndarray:
        """Values [channels, n] on [-1, 1] in the form of the view's samples."""
        grid, channels = self._view.grid, self._view.samples.shape[-1]
        output = np.moveaxis(values[:channels].astype(np.float64), 0, -1).reshape(*grid, channels)
        return output if self._view.rate_hz else (output + 1) / 2


def fitted_part(view: View, options: EncodeOptions) -> View:
    """The view of what a field is fitted to: of a sound or video its first segment.

    Raises:
        BadOption: the field is no coordinate network, or cannot represent such a signal.
    """
    check_network(options.field, view.signal.kind)
    if isinstance(view.signal, Signal):
        return view
    _, frames, count = parts_of(view.signal, options)
    return view if count == 1 else first_part(view, frames)


def check_network(field: str, kind: str | None = None) -> None:
    """Refuses fields that have no network of coordinates.

    Args:
        field: name of a field.
        kind: of signal that it shall represent; None for any.

    Raises:
        BadOption: it is such a field, there is none of that name, or none for such signals.
    """
    if not issubclass(family_of(field, kind).part, NetworkField):
        raise BadOption(
            f"the field {field!r} is no coordinate network whose training can be looked at; encode "
            "first, and look at the result: inrcodec spectrum OUT.inr --against ORIGINAL"
        )


def _as_rendered(phase: Fitting, view: View) -> tuple[NetworkProblem, NetworkEngine]:
    """The network as a decoder renders it, where it is fitted in another form."""
    start = phase.start
    if start.function is None:
        return phase.problem, phase.engine
    samples, _ = samples_of(view.signal)
    problem = replace(
        phase.problem,
        function=partial(_rendered, start.family.network, start.config),
        samples=samples,
    )
    # Compiled engines go by the config, and would build the form that is fitted.
    return problem, make_network_engine(problem, phase.device, "reference")


def _rendered(network: Any, config: Any, a: Any, theta: Any, coords: Any) -> Any:
    return network(a, config, theta, coords)
