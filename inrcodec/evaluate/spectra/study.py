"""Everything that is measured of a file, of a pair of files, or of a fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inrcodec import codec
from inrcodec.errors import BadInput
from inrcodec.evaluate.spectra.facts import (
    Comparison,
    Facts,
    compared,
    facts_of,
    gradient_magnitude,
)
from inrcodec.evaluate.spectra.training import TrainingRecord, fitted_part
from inrcodec.evaluate.spectra.view import View
from inrcodec.fit import EncodeOptions


@dataclass(frozen=True, eq=False)
class Study:
    """What was measured.

    Args:
        original, original_facts: of a signal.
        reconstruction, reconstruction_facts, comparison: of what stands for it, if there is that.
        training: of the network that was fitted to it, if one was.
        file_bytes: of the file of that network.
    """

    original: View
    original_facts: Facts
    reconstruction: View | None = None
    reconstruction_facts: Facts | None = None
    comparison: Comparison | None = None
    training: TrainingRecord | None = None
    file_bytes: int | None = None

    def gradients(self) -> dict[str, np.ndarray]:
        """title -> magnitude of the gradient of every picture; empty for sound."""
        maps = {"Original": gradient_magnitude(self.original)}
        if self.training is not None:
            for each in self.training.inspections:
                maps[f"Network, step {each.step}"] = each.gradient
        elif self.reconstruction is not None:
            maps["Reconstruction"] = gradient_magnitude(self.reconstruction)
        return {title: gradient for title, gradient in maps.items() if gradient is not None}


def study_signal(view: View) -> Study:
    """A signal by itself."""
    return Study(view, facts_of(view))


def study_pair(original: View, reconstruction: View) -> Study:
    """A signal and its original.

    Raises:
        BadInput: they are not of one kind and size.
    """
    kinds = original.signal.kind, reconstruction.signal.kind
    if kinds[0] != kinds[1]:
        raise BadInput(
            f"the original is of kind {kinds[0]}, what is looked at of kind {kinds[1]}; name two "
            "of one kind"
        )
    comparison = compared(original, reconstruction)
    facts = facts_of(original), facts_of(reconstruction)
    return Study(original, facts[0], reconstruction, facts[1], comparison)


def study_fit(view: View, options: EncodeOptions) -> Study:
    """A signal, and a coordinate network that is fitted to it, on its way and decoded.

    Raises:
        BadOption: the field is no coordinate network, or an option does not suit it.
        Diverged: the optimisation left the finite numbers.
    """
    original = fitted_part(view, options)
    training = TrainingRecord(original)
    encoded = codec.encode(original.signal.stripped(), replace(options, observer=training))
    decoded = View.of(codec.decode(encoded.data))
    pair = study_pair(original, decoded)
    return replace(pair, training=training, file_bytes=len(encoded.data))
