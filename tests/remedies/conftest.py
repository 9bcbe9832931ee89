"""Pictures, sounds and fits that are small enough to be checked number by number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from inrcodec.fields.network import flat
from inrcodec.fit import EncodeOptions
from inrcodec.fit.mlp import start_of
from inrcodec.fit.network import make_problem
from inrcodec.kernels.reference_network import ReferenceNetworkEngine
from inrcodec.remedies import Fitting, NetworkStart, Trained
from inrcodec.signal import AnySignal, Signal, image_signal


@pytest.fixture(scope="session")
def picture() -> Signal:
    y, x = np.mgrid[:24, :32] / 16
    planes = [np.sin(7 * x + 3 * y), np.cos(11 * y * x), np.sin(19 * x) * np.cos(13 * y)]
    return image_signal((127.5 + 120 * np.stack(planes, axis=-1)).astype(np.uint8))


class Case:
    """A fit of a small network that is about to begin.

    Args:
        signal: what is fitted.
        options: of the encode.
        steps: of the phase.
        batch: samples of a step.
    """

    def __init__(
        self, signal: AnySignal, options: EncodeOptions, steps: int = 100, batch: int | None = None
    ) -> None:
        self.start: NetworkStart = start_of(signal, options)
        self.layout, self.problem = make_problem(signal, self.start)
        self.engine = ReferenceNetworkEngine(self.problem)
        self.theta = flat(self.layout, self.start.theta)
        self.speeds = flat(self.layout, self.start.speeds)
        self.fitting = Fitting(
            self.problem, self.engine, self.start, self.layout, steps, batch, "cpu",
            np.random.default_rng(5),
        )  # fmt: skip
        self.plain = Trained(self.problem.layout, self.theta, self.speeds, self.engine)


MakeCase = Callable[..., Case]


@pytest.fixture
def case(picture: Signal) -> MakeCase:
    def make(
        field: str = "siren",
        width: int = 8,
        layers: int = 1,
        signal: AnySignal = picture,
        **rest: int,
    ) -> Case:
        network = {"hidden_features": width, "hidden_layers": layers}
        return Case(signal, EncodeOptions(field=field, network=network), **rest)

    return make
