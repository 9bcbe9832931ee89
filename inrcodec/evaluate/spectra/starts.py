"""Coordinate networks before any step: what their outputs and activations are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inrcodec.evaluate.metrics.spectral import RadialSpectrum, radial_power_spectrum
from inrcodec.evaluate.spectra.facts import rings_of
from inrcodec.evaluate.spectra.layers import Layer, layers_of
from inrcodec.evaluate.spectra.view import View
from inrcodec.fit import EncodeOptions
from inrcodec.fit.mlp import start_of
from inrcodec.fit.targets import native_coordinates
from inrcodec.kernels.arithmetic import FAST, evaluate
from inrcodec.remedies import NetworkStart
from inrcodec.signal.spectrum import amplitude_centroid


@dataclass(frozen=True, eq=False)
class StartSpectra:
    """An untrained network beside the signal that it will be fitted to.

    Args:
        psi: WINNER's amplitude centroid of its output at the signal's samples as one line, 0..1.
        spectrum: power of that output by radius, of a variance of 1.
        layers: its activations.
    """

    psi: float
    spectrum: RadialSpectrum
    layers: list[Layer]


def start_spectra(view: View, options: EncodeOptions) -> StartSpectra:
    """What a multilayer perceptron with remedies begins with.

    Args:
        view: the signal.
        options: field, remedies, options of the network and seed.

    Raises:
        BadOption: the remedies do not suit it.
    """
    start = begun(view, options)
    theta = {name: np.asarray(value, np.float64) for name, value in start.theta.items()}
    output = _rendered(view, start, theta)
    return StartSpectra(
        psi=amplitude_centroid(_line(output)),
        spectrum=radial_power_spectrum(output, view.dimensions, rings_of(view.grid)),
        layers=layers_of(start.family.network, start.config, theta, view.dimensions),
    )


def _line(output: np.ndarray) -> np.ndarray:
    """[samples, channels] as `waveform_of` has it: of sound the mean of the channels."""
    if output.ndim == 2:
        return output.mean(axis=1, keepdims=True)
    return output.reshape(-1, output.shape[-1])


def begun(view: View, options: EncodeOptions) -> NetworkStart:
    """The network that a fit with these options begins with."""
    remedies = options.combined()

    def starts(network: Mapping[str, Any], seed: int) -> NetworkStart:
        return start_of(view.signal, replace(options, network=network, seed=seed))

    start = starts(remedies.options(view.signal, starts, options.network), options.seed)
    remedies.check(view.signal.kind, start.config)
    return remedies.begin(start, view.signal, np.random.default_rng([options.seed, 1]))


def mean_frequency(layer: Layer) -> float:
    """Mean frequency of activations by amplitude, in cycles over the extent of the signal.

    Bands count by how many frequencies of a line lie in them, so it is of sounds.
    """
    weights = layer.amplitude * np.gradient(layer.frequency_cycles)
    return float((layer.frequency_cycles * weights).sum() / weights.sum())


def _rendered(view: View, start: NetworkStart, theta: Mapping[str, np.ndarray]) -> np.ndarray:
    """[*grid, channels] of the network at the signal's samples, with mean 0 and variance 1."""
    channels = view.samples.shape[-1]
    outputs = len(theta[f"bias{len(start.config.layers) - 1}"])
    values = evaluate(
        lambda tile: start.family.network(FAST, start.config, theta, tile),
        native_coordinates(view.grid).astype(np.float64),
        outputs,
        FAST,
        width=start.family.widest(start.config),
    )[:channels].astype(np.float64)
    values -= values.mean(axis=1, keepdims=True)
    values /= max(float(values.std()), np.finfo(float).tiny)
    return np.moveaxis(values, 0, -1).reshape(*view.grid, channels)


# SIREN with the boost of the first layer that WINNER sets out from, SIREN's own for sound, WINNER.
WINNER_CASES: Mapping[str, tuple[tuple[str, ...], Mapping[str, float]]] = {
    "siren, omega 30": ((), {"first_omega_0": 30.0}),
    "siren, omega 3000": ((), {"first_omega_0": 3000.0}),
    "winner": (("winner",), {}),
}


def winner_starts(view: View, size: Mapping[str, int], seed: int = 0) -> dict[str, StartSpectra]:
    """label -> what SIREN begins with on a signal, without WINNER and with it.

    Args:
        view: the signal.
        size: hidden_features and hidden_layers.
        seed: of the weights.
    """
    return {
        label: start_spectra(
            view,
            EncodeOptions(field="siren", remedies=names, network={**size, **own}, seed=seed),
        )
        for label, (names, own) in WINNER_CASES.items()
    }
