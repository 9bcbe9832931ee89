"""The numbers of papers, of a network's values on the whole signal."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from inrcodec.evaluate.metrics.spectral import amplitude_correlation
from inrcodec.evaluate.metrics.structure import ssim as ssim_of
from inrcodec.remedies.laplacian import grey_of
from inrcodec.signal.spectrum import energy_centroid

SPAN = 2.0  # of values on [-1, 1]


@dataclass(frozen=True)
class Seen:
    """A network on its way.

    Args:
        values, target: [channels, samples] on [-1, 1], the target that of the signal itself.
        shape: samples along each axis, slowest first.
        fitted: [samples] which of them were fitted; None for all.
        halved: the values with weights of 16 bits; None where nobody asked.
        slopes: [axes, samples] of the grey picture along its axes; None where nobody asked.
        least: the smallest mean squared error of any step so far; infinite where steps were not of
            the whole target.
    """

    values: np.ndarray
    target: np.ndarray
    shape: tuple[int, ...]
    fitted: np.ndarray | None = None
    halved: np.ndarray | None = None
    slopes: np.ndarray | None = None
    least: float = math.inf

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


def every_2nd_loss(seen: Seen) -> float:
    """Mean squared error over every second sample, the first of them included."""
    return seen.error(slice(None, None, 2))


def every_4th_loss(seen: Seen) -> float:
    """The same over every fourth."""
    return seen.error(slice(None, None, 4))


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


def clipped_psnr_db(seen: Seen) -> float:
    """PSNR of values clipped to [-1, 1]: EVOS's."""
    return decibels(replace(seen, values=np.clip(seen.values, -1, 1)).error(), SPAN**2)


def half_psnr_db(seen: Seen) -> float:
    """PSNR of a picture of 8 bits, of weights of 16: COIN's files."""
    levels = (np.rint(np.clip((seen.halved + 1) / 2, 0, 1) * 255), (seen.target + 1) / 2 * 255)
    difference = np.subtract(*levels, dtype=np.float64)
    return decibels(float(np.square(difference).mean()), 255**2)


def gradient_psnr_db(seen: Seen) -> float:
    """TUNER's PSNR of how steep the grey picture is, each of the two maps on [0, 1].

    That of the network is by its derivatives, from its least to its largest value, that of the
    picture by Sobel's filter, from 0 (the authors' log_grad_psnr).
    """
    wanted = np.hypot(*sobel(grey_of(seen.target).reshape(seen.shape)))
    found = np.hypot(*seen.slopes).reshape(seen.shape)
    found = np.rint(255 * (found - found.min()) / max(float(np.ptp(found)), 1e-30)) / 255
    error = np.square(found - wanted / max(float(wanted.max()), 1e-30)).mean()
    return decibels(float(error), 1.0)


def sobel(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of [height, width] along both axes, in samples; borders are mirrored."""
    padded = np.pad(picture.astype(np.float64), 1, mode="symmetric")

    def along(a: np.ndarray) -> np.ndarray:
        smooth = (a[:, :-2] + 2 * a[:, 1:-1] + a[:, 2:]) / 4
        return (smooth[2:] - smooth[:-2]) / 2

    return along(padded), along(padded.T).T


def target_centroid(seen: Seen) -> float:
    """SEC of the target, in cycles per extent."""
    return energy_centroid(seen.grids()[0])


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
        loss, every_2nd_loss, every_4th_loss, psnr_db, psnr_of_one_db, clipped_psnr_db,
        fitted_psnr_db, held_out_psnr_db, rescaled_psnr_db, half_psnr_db, gradient_psnr_db, snr_db,
        rho_ag, rho_ag_without_dc, ssim, target_centroid,
    )
}  # fmt: skip
SMALLER_IS_BETTER = {"loss"}
# What follows from the mean squared error alone, which every step of all samples tells.
OF_ERROR: dict[str, Callable[[float], float]] = {
    "loss": lambda error: error,
    "psnr_db": lambda error: decibels(error, SPAN**2),
    "psnr_of_one_db": lambda error: decibels(error, 1.0),
}
BEST = "best_"


def plain(metric: str) -> str:
    """The name without `best_`."""
    return metric.removeprefix(BEST)


def measured(metrics: tuple[str, ...], seen: Seen, before: dict[str, float]) -> dict[str, float]:
    """metric -> number of a look.

    Args:
        metrics: names; with `best_` in front the best so far, of steps where these tell.
        seen: the network now.
        before: what the look before gave.
    """
    found = {}
    for name in metrics:
        value = MEASURES[plain(name)](seen)
        if name.startswith(BEST):
            others = [before[name]] if name in before else []
            if plain(name) in OF_ERROR and math.isfinite(seen.least):
                others.append(OF_ERROR[plain(name)](seen.least))
            better = min if plain(name) in SMALLER_IS_BETTER else max
            value = better(value, *others) if others else value
        found[name] = value
    return found
