"""The numbers of papers, of a network's values on the whole signal."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from inrcodec.evaluate.metrics.spectral import amplitude_correlation
from inrcodec.evaluate.metrics.structure import ssim as ssim_of

SPAN = 2.0  # of values on [-1, 1]


@dataclass(frozen=True)
class Seen:
    """A network on its way.

    Args:
        values, target: [channels, samples] on [-1, 1], the target that of the signal itself.
        shape: samples along each axis, slowest first.
        fitted: [samples] which of them were fitted; None for all.
        halved: the values with weights of 16 bits; None where nobody asked.
    """

    values: np.ndarray
    target: np.ndarray
    shape: tuple[int, ...]
    fitted: np.ndarray | None = None
    halved: np.ndarray | None = None

    def error(self, chosen: np.ndarray | slice = slice(None)) -> float:
        """Mean squared error over some samples."""
        difference = self.values[:, chosen] - self.target[:, chosen]
        return float(np.square(difference, dtype=np.float64).mean()) if difference.size else 0.0

    def grids(self) -> tuple[np.ndarray, np.ndarray]:
        """(target, values) as [*shape, channels]."""
        first, second = (
            np.moveaxis(a.reshape(-1, *self.shape), 0, -1) for a in (self.target, self.values)
        )
        return first, second


def decibels(error: float, power: float) -> float:
    """10 log10(power / error); no error counts as 1e-30."""
    return 10 * math.log10(power / max(error, 1e-30))


def loss(seen: Seen) -> float:
    """Mean squared error of values on [-1, 1]."""
    return seen.error()


def psnr_db(seen: Seen) -> float:
    """PSNR over the range 2 of [-1, 1], which is that over 1 of [0, 1]."""
    return decibels(seen.error(), SPAN**2)


def psnr_of_one_db(seen: Seen) -> float:
    """SIREN^2's PSNR: values on [-1, 1], a range of 1; 6.02 dB below the others'."""
    return decibels(seen.error(), 1.0)


def fitted_psnr_db(seen: Seen) -> float:
    """PSNR over the samples that were fitted."""
    return decibels(seen.error(slice(None) if seen.fitted is None else seen.fitted), SPAN**2)


def held_out_psnr_db(seen: Seen) -> float:
    """PSNR over the samples that were not; NaN where there are none."""
    if seen.fitted is None or seen.fitted.all():
        return math.nan
    return decibels(seen.error(~seen.fitted), SPAN**2)


def rescaled_psnr_db(seen: Seen) -> float:
    """PSNR of values and target that are each brought to [0, 1]: SPDER's, of super-resolution."""
    first, second = (
        (a - a.min()) / max(float(np.ptp(a)), 1e-30)
        for a in (seen.values.astype(np.float64), seen.target.astype(np.float64))
    )
    return decibels(float(np.square(first - second).mean()), 1.0)


def half_psnr_db(seen: Seen) -> float:
    """PSNR with weights of 16 bits, COIN's files."""
    difference = seen.halved - seen.target
    return decibels(float(np.square(difference, dtype=np.float64).mean()), SPAN**2)


def snr_db(seen: Seen) -> float:
    """Power of the target over that of the error."""
    return decibels(seen.error(), float(np.square(seen.target, dtype=np.float64).mean()))


def rho_ag(seen: Seen) -> float:
    """SPDER's correlation of amplitudes, frequency 0 included, over all axes of the grid."""
    return amplitude_correlation(*seen.grids(), dimensions=len(seen.shape))


def rho_ag_without_dc(seen: Seen) -> float:
    """The same without frequency 0 (ours), which is most of a picture's."""
    return amplitude_correlation(*seen.grids(), dimensions=len(seen.shape), with_dc=False)


def ssim(seen: Seen) -> float:
    """SSIM of pictures, rounded to 8 bits."""
    levels = [np.clip(np.rint((a + 1) * 127.5), 0, 255).astype(np.uint8) for a in seen.grids()]
    return ssim_of(*levels)


MEASURES: dict[str, Callable[[Seen], float]] = {
    f.__name__: f
    for f in (
        loss, psnr_db, psnr_of_one_db, fitted_psnr_db, held_out_psnr_db, rescaled_psnr_db,
        half_psnr_db, snr_db, rho_ag, rho_ag_without_dc, ssim,
    )
}  # fmt: skip
SMALLER_IS_BETTER = {"loss"}
BEST = "best_"


def plain(metric: str) -> str:
    """The name without `best_`."""
    return metric.removeprefix(BEST)


def measured(metrics: tuple[str, ...], seen: Seen, before: dict[str, float]) -> dict[str, float]:
    """metric -> number of a look.

    Args:
        metrics: names; with `best_` in front the best so far.
        seen: the network now.
        before: what the look before gave.
    """
    found = {}
    for name in metrics:
        value = MEASURES[plain(name)](seen)
        if name.startswith(BEST) and name in before:
            better = min if plain(name) in SMALLER_IS_BETTER else max
            value = better(value, before[name])
        found[name] = value
    return found
