"""All metrics by name and kind of signal: what can run here, and every number of a pair.

Adding a metric means adding an entry to `CATALOGUE`; the command line and its JSON follow.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from inrcodec.errors import BadInput, BadOption
from inrcodec.evaluate.metrics import perceptual, pixel, spectral, structure, video, waveform
from inrcodec.evaluate.metrics.pairs import integer_pair, sound_pair
from inrcodec.signal import AnySignal, AudioSignal, Signal

Value = float | list[float]


@dataclass(frozen=True, eq=False)
class ImagePair:
    """A picture and its reconstruction: [height, width, 1..4] integers in [0, peak]."""

    reference: np.ndarray
    decoded: np.ndarray
    peak: int = 255

    @property
    def colour_channels(self) -> int:
        """How many channels are left without alpha, the last one of 2 or 4."""
        return {2: 1, 4: 3}.get(self.reference.shape[2], self.reference.shape[2])

    def colours(self) -> tuple[np.ndarray, np.ndarray]:
        """Both without alpha."""
        colour = slice(self.colour_channels)
        return self.reference[..., colour], self.decoded[..., colour]


@dataclass(frozen=True, eq=False)
class SoundPair:
    """A sound and its reconstruction: [samples, channels] real, full scale 1."""

    reference: np.ndarray
    decoded: np.ndarray
    rate_hz: int


@dataclass(frozen=True, eq=False)
class VideoPair:
    """A video and its reconstruction: planes as `video.video_psnr` takes them."""

    reference: video.Planes
    decoded: video.Planes
    bit_depth: int = 8


@dataclass(frozen=True)
class Metric:
    """One computation and the numbers that come from it.

    Args:
        names: of the numbers, with their unit at the end.
        measure: the numbers of a pair, one per name; NaN where one is not defined.
        undefined: what it means that a number is NaN.
        missing: why it cannot run on this machine and what to do, None if it can.
        extra: whether comparisons of many files leave it out unless it is asked for, as it is slow
            or says little of quality.
    """

    names: tuple[str, ...]
    measure: Callable[[Any], Sequence[Value]]
    undefined: str = "not defined for these signals"
    missing: Callable[[], str | None] = lambda: None
    extra: bool = False


@dataclass
class Report:
    """What was measured.

    Args:
        values: by name; NaN where a number could not be had, infinity where there is no error.
        notes: why a number is NaN, by name.
    """

    values: dict[str, Value] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


def available(kind: str | None = None) -> dict[str, str | None]:
    """By name of each metric: None if it can run here, else what is missing and how to get it.

    Args:
        kind: "image", "audio" or "video"; by default all of them.

    Raises:
        BadInput: another kind.
    """
    kinds = list(CATALOGUE) if kind is None else [kind]
    return {
        name: metric.missing()
        for each in kinds
        for metric in _metrics(each)
        for name in metric.names
    }


def quick(kind: str) -> tuple[str, ...]:
    """The names of the metrics that comparisons of many files take unless told otherwise.

    Args:
        kind: "image", "audio" or "video".

    Raises:
        BadInput: another kind.
    """
    return tuple(name for metric in _metrics(kind) if not metric.extra for name in metric.names)


def measure(
    pair: ImagePair | SoundPair | VideoPair, names: Collection[str] | None = None
) -> Report:
    """Every number that can be had of a pair; what cannot is NaN, with a note.

    Args:
        pair: what to measure.
        names: the metrics that are wanted; by default all of them.

    Raises:
        BadInput: the signals cannot be compared at all, as their shapes differ, or are no pair.
        BadOption: an unknown metric.
    """
    kind = next((kind for kind, of in _PAIRS.items() if isinstance(pair, of)), None)
    if kind is None:
        raise BadInput(
            f"a {type(pair).__name__} cannot be measured, expected an ImagePair, SoundPair or "
            "VideoPair; pair_of makes one of two signals"
        )
    _check_names(kind, names)
    _check_comparable(pair)
    report = Report()
    for metric in _metrics(kind):
        wanted = [names is None or name in names for name in metric.names]
        if not any(wanted):
            continue
        reason = metric.missing()
        values: Sequence[Value] = [math.nan] * len(metric.names)
        if reason is None:
            try:
                values = metric.measure(pair)
            except BadInput as error:  # of this metric alone, as shapes have been checked
                reason = str(error)
        for name, value in itertools.compress(zip(metric.names, values, strict=True), wanted):
            report.values[name] = value
            if isinstance(value, float) and math.isnan(value):
                report.notes[name] = reason or metric.undefined
    return report


def pair_of(reference: AnySignal, decoded: AnySignal) -> ImagePair | SoundPair | VideoPair:
    """Two signals as a pair.

    Sounds may differ in bit depth, as they are compared at full scale 1.

    Raises:
        BadInput: they differ in kind, in the sample rate of sounds, or in the bit depth of images
            or videos; or one is no signal.
    """
    for name, given in (("reference", reference), ("reconstruction", decoded)):
        if not isinstance(given, AnySignal):
            raise BadInput(
                f"the {name} is a {type(given).__name__}, expected a Signal, AudioSignal or "
                "VideoSignal; image_signal of inrcodec.signal makes one of an array"
            )
    _check_same("kind", reference.kind, decoded.kind)
    if isinstance(reference, AudioSignal):
        _check_same("sample rate in Hz", reference.rate_hz, decoded.rate_hz)
        # Exact in float64, where the scale is a power of two.
        sounds = (x.samples / np.float64(x.full_scale) for x in (reference, decoded))
        return SoundPair(*sounds, reference.rate_hz)
    _check_same("bit depth", reference.bit_depth, decoded.bit_depth)
    if isinstance(reference, Signal):
        return ImagePair(reference.samples, decoded.samples, reference.peak)
    return VideoPair(reference.planes, decoded.planes, reference.bit_depth)


def _check_same(what: str, reference: str | int, decoded: str | int) -> None:
    if reference != decoded:
        raise BadInput(
            f"the {what} of the reference is {reference}, that of the reconstruction {decoded}; "
            "both must be the same: convert one of them first"
        )


def _check_names(kind: str, names: Collection[str] | None) -> None:
    if names is None:
        return
    if isinstance(names, str) or not isinstance(names, Collection):
        raise BadOption(f"the metrics are {names!r}, expected a list of names")
    known = tuple(available(kind))
    for name in names:
        if name not in known:
            raise BadOption(
                f"there is no metric {name!r} for {kind}; there are: {', '.join(known)}"
            )


def _check_comparable(pair: ImagePair | SoundPair | VideoPair) -> None:
    """Refuses what no metric of the kind could compare."""
    if isinstance(pair, ImagePair):
        integer_pair(pair.reference, pair.decoded, pair.peak)
    elif isinstance(pair, SoundPair):
        sound_pair(pair.reference, pair.decoded)
    else:
        video.plane_pair(pair.reference, pair.decoded)


def _metrics(kind: str) -> tuple[Metric, ...]:
    if not isinstance(kind, str) or kind not in CATALOGUE:
        raise BadInput(f"the kind is {kind!r}, expected one of {', '.join(CATALOGUE)}")
    return CATALOGUE[kind]


def _image_psnr(pair: ImagePair) -> Sequence[Value]:
    given = pair.reference, pair.decoded, pair.peak
    return pixel.psnr_db(*given), pixel.channel_psnr_db(*given)


def _image_yuv(pair: ImagePair) -> Sequence[Value]:
    if pair.colour_channels != 3:
        return [math.nan] * 4
    return pixel.yuv_psnr_db(*pair.colours(), pair.peak, "bt601")


def _image_ssim(pair: ImagePair) -> Sequence[Value]:
    return (structure.ssim(*pair.colours(), pair.peak),)


def _image_ms_ssim(pair: ImagePair) -> Sequence[Value]:
    value = structure.ms_ssim(*pair.colours(), pair.peak)
    return value, structure.ms_ssim_db(value)


def _image_spectrum(pair: ImagePair) -> Sequence[Value]:
    # SPDER's range [-1, 1]: what value is 0 matters for the term at frequency 0.
    scaled = [2 * (x.astype(np.float64) / pair.peak) - 1 for x in pair.colours()]
    return (
        spectral.amplitude_correlation(*scaled),
        spectral.amplitude_correlation(*scaled, with_dc=False),
    )


def _image_centroids(pair: ImagePair) -> Sequence[Value]:
    return [spectral.spectral_energy_centroid(x) for x in pair.colours()]


def _sound_ratios(pair: SoundPair) -> Sequence[Value]:
    given = pair.reference, pair.decoded
    return waveform.snr_db(*given), waveform.si_snr_db(*given)


def _sound_segments(pair: SoundPair) -> Sequence[Value]:
    return (waveform.segmental_snr_db(pair.reference, pair.decoded, pair.rate_hz),)


def _sound_distance(pair: SoundPair) -> Sequence[Value]:
    return (waveform.log_spectral_distance(pair.reference, pair.decoded),)


def _sound_centroids(pair: SoundPair) -> Sequence[Value]:
    return [spectral.spectral_energy_centroid(x, 1) for x in (pair.reference, pair.decoded)]


def _sound_spectrum(pair: SoundPair) -> Sequence[Value]:
    return (spectral.amplitude_correlation(pair.reference, pair.decoded, dimensions=1),)


def _heard(
    function: Callable[[np.ndarray, np.ndarray, int], float], module: str, extra: bool = True
) -> Metric:
    def measured(pair: SoundPair) -> Sequence[Value]:
        return (function(pair.reference, pair.decoded, pair.rate_hz),)

    missing = partial(perceptual.missing, module)
    return Metric((function.__name__,), measured, missing=missing, extra=extra)


def _video_psnr(pair: VideoPair) -> Sequence[Value]:
    found = video.video_psnr(pair.reference, pair.decoded, (1 << pair.bit_depth) - 1)
    return *found.mean_of_psnr_db().values(), found.psnr_of_mean_mse_db()["yuv"]


def _video_ssim(pair: VideoPair) -> Sequence[Value]:
    values = video.video_ssim(pair.reference, pair.decoded, (1 << pair.bit_depth) - 1)
    return (float(values.mean()),)


def _video_vmaf(pair: VideoPair) -> Sequence[Value]:
    return (float(video.vmaf(pair.reference, pair.decoded, pair.bit_depth).mean()),)


_PAIRS: dict[str, type] = {"image": ImagePair, "audio": SoundPair, "video": VideoPair}
_YUV = ("psnr_y_db", "psnr_u_db", "psnr_v_db", "psnr_yuv_db")
_FLAT = "a constant signal has no such spectrum"
_SMALL = "needs sides of at least {} pixels"
CATALOGUE: dict[str, tuple[Metric, ...]] = {
    "image": (
        Metric(("psnr_db", "psnr_channels_db"), _image_psnr),
        Metric(_YUV, _image_yuv, "needs red, green and blue"),
        Metric(("ssim",), _image_ssim, _SMALL.format(structure.WINDOW_PX), extra=True),
        Metric(
            ("ms_ssim", "ms_ssim_db"),
            _image_ms_ssim,
            _SMALL.format(structure.MS_SSIM_MIN_SIDE_PX),
        ),
        Metric(("rho_ag", "rho_ag_without_dc"), _image_spectrum, _FLAT, extra=True),
        Metric(("sec_reference", "sec_decoded"), _image_centroids, _FLAT, extra=True),
    ),
    "audio": (
        Metric(("snr_db", "si_snr_db"), _sound_ratios),
        Metric(("segmental_snr_db",), _sound_segments, "needs 30 ms that are not silent"),
        Metric(("log_spectral_distance",), _sound_distance),
        Metric(("rho_ag",), _sound_spectrum, _FLAT, extra=True),
        Metric(("sec_reference", "sec_decoded"), _sound_centroids, _FLAT, extra=True),
        _heard(perceptual.visqol_mos, "visqol"),
        _heard(perceptual.zimtohrli_mos, "zimtohrli", extra=False),
        _heard(perceptual.pesq_mos, "pesq"),
        _heard(perceptual.stoi, "pystoi"),
    ),
    "video": (
        Metric((*_YUV, "psnr_yuv_of_mean_mse_db"), _video_psnr, "grey video has no U and V"),
        Metric(("ssim",), _video_ssim, _SMALL.format(structure.WINDOW_PX), extra=True),
        Metric(("vmaf",), _video_vmaf, missing=video.vmaf_missing, extra=True),
    ),
}
