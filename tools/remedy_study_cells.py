"""Cells of the remedy study: which there are, at which lambdas, and what one file measures."""

from __future__ import annotations

import importlib
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from pictures import loudest, shrunk

from inrcodec import codec, registry
from inrcodec.errors import BadOption, Diverged
from inrcodec.evaluate.metrics import catalogue
from inrcodec.fields import family_of, fields_table
from inrcodec.files import write_atomic
from inrcodec.fit import EncodeOptions
from inrcodec.fit.descent import Schedule
from inrcodec.fit.network import LEAST_BATCHES, make_problem
from inrcodec.fit.sizes import sizes_of
from inrcodec.kernels.reference_network import ReferenceNetworkEngine
from inrcodec.media.audio import load_audio
from inrcodec.media.kind import AUDIO, kind_of
from inrcodec.remedies import RESIDUAL, Fitting, NetworkStart
from inrcodec.runtime import resolve_device
from inrcodec.signal import AnySignal, AudioSignal, image_signal
from inrcodec.target_size import KNOTS, LEAST_BYTES

# File sizes that are compared: bits per pixel of pictures, kilobits per second of sounds.
RATES = {"image": (0.1, 0.3, 0.8), "audio": (16.0, 32.0, 64.0)}
UNITS = {"image": "bpp", "audio": "kbps"}
# The first is what networks are measured by before they are rounded, too.
METRICS = {
    "image": ("psnr_db", "ms_ssim_db", "rho_ag", "sec_error"),
    "audio": ("snr_db", "visqol_mos", "rho_ag", "sec_error"),
}
BETWEEN = " | "  # reasons why metrics are missing
ANCHOR = "siren"  # that all fields are compared to
PLAIN = "none"
# No remedy either, but steps that see all samples, as those of remedies that shape residuals do:
# what is due to that, and to the fewer steps that take the same time.
WHOLE = "none-whole"
_SETTINGS = {
    PLAIN: {},
    WHOLE: {"remedies": ("sec-loss",), "network": {"sec-loss.weight": 0.0}},
}
_REPEATED = {"soap", "auto"}  # what there is without a remedy; one of the others

# Lambdas of a ladder, and the sizes that a transform coder's files would have at the first and the
# last: shares of the smallest and the largest rate that are compared. Ours are larger, small ones
# most. Where they do not enclose the rates, so many more, each aimed further than the nearest is
# off.
RUNGS, LOW, HIGH = 4, 0.5, 1.2
MORE, FURTHER = 2, 1.25


@dataclass(frozen=True)
class Cell:
    """A field with a remedy, for one signal: files at several lambdas.

    Args:
        signal: its name.
        kind: image or audio.
        field, remedy: of the encode; `PLAIN` is none.
        seed: of the encode.
    """

    signal: str
    kind: str
    field: str
    remedy: str
    seed: int


def load(path: Path, shrink: int, seconds: float) -> AnySignal:
    """A picture at 1/shrink of its sides, or the loudest piece of a sound."""
    if kind_of(str(path), path.name) != AUDIO:
        return shrunk(path, shrink).stripped()
    return loudest(load_audio(str(path)), seconds).stripped()


def rate_of(signal: AnySignal, file_bytes: float) -> float:
    """Bits per pixel, or kilobits per second, of a file of a signal."""
    if isinstance(signal, AudioSignal):
        return file_bytes * 8 / 1000 / float(signal.duration_seconds)
    return file_bytes * 8 / (signal.width * signal.height)


class Ladder:
    """The lambdas at which every cell of a signal is encoded.

    They are where a transform coder's files would have sizes in equal ratios: the same for all
    fields and remedies.

    Args:
        signal: what is encoded.
        rates: that are compared.
    """

    def __init__(self, signal: AnySignal, rates: Sequence[float]) -> None:
        sizes = LEAST_BYTES + np.array(sizes_of(signal, KNOTS))
        self._expected = [rate_of(signal, size) for size in sizes]
        self._ends = min(rates), max(rates)
        wanted = np.geomspace(LOW * self._ends[0], HIGH * self._ends[1], RUNGS)
        self.rungs = list(dict.fromkeys(self._lmbda(rate) for rate in wanted))

    def next(self, tried: Mapping[float, float]) -> float | None:
        """The lambda to encode at next; None where there are files enough.

        Args:
            tried: lambda -> rate of its file; NaN where there is none.
        """
        for lmbda in self.rungs:
            if lmbda not in tried:
                return lmbda
        made = {lmbda: rate for lmbda, rate in tried.items() if rate > 0}
        if not made or len(tried) >= len(self.rungs) + MORE:
            return None
        smallest, largest = min(made, key=made.get), max(made, key=made.get)
        for lmbda, end, further in (
            (smallest, min(self._ends[0], made[smallest]), 1 / FURTHER),
            (largest, max(self._ends[1], made[largest]), FURTHER),
        ):
            if end != made[lmbda]:
                expected = np.interp(math.log(lmbda), np.log(KNOTS), self._expected)
                beyond = self._lmbda(expected * end / made[lmbda] * further)
                if beyond not in tried:
                    return beyond
        return None

    def _lmbda(self, rate: float) -> float:
        """Where a transform coder's file would have that rate, to three digits."""
        found = np.interp(math.log(rate), np.log(self._expected[::-1]), np.log(KNOTS[::-1]))
        return float(f"{math.exp(found):.3g}")


def study_fields(kind: str) -> list[str]:
    """Names of fields for a kind of signal, without names of whole families of networks."""
    return [
        row["name"]
        for row in fields_table()
        if kind in row["kinds"] and (row["name"] not in ("mlp", "mfn"))
    ]


def study_remedies() -> list[str]:
    """No remedy, then each."""
    return [PLAIN, *(e.name for e in registry.entries("remedies") if e.name not in _REPEATED)]


def fits(field: str, remedy: str, kind: str) -> bool:
    """Whether a remedy can apply to a field, for a kind of signal."""
    if remedy == PLAIN:
        return True
    noise = np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)
    small = image_signal(noise)
    if kind == "audio":
        small = AudioSignal(noise.reshape(-1, 1).astype(np.int16), 8000)
    sizes = {"hidden_features": 8}
    options = EncodeOptions(field=field, remedies=(remedy,), network=sizes)
    module = importlib.import_module(family_of(field, kind).part.fit_module)
    remedies = options.combined()
    if not hasattr(module, "start_of"):
        return remedies.parts[remedy].refusal(kind, None) is None

    def starts(network: Mapping[str, Any], seed: int) -> Any:
        return module.start_of(small, replace(options, network=network, seed=seed))

    for chosen in (dict, lambda: remedies.options(small, starts, sizes)):  # the second is slow
        config = starts(sizes | chosen(), 0).config
        if remedies.parts[remedy].refusal(kind, config) is None:
            return True
    return False


def pairs(kind: str, fields: Sequence[str], remedies: Sequence[str]) -> list[tuple[str, str]]:
    """(field, remedy) of all that are wanted and fit; every field, and siren, without a remedy.

    Args:
        kind: image or audio.
        fields, remedies: names of those that are wanted; of none, all.
    """
    found = [(ANCHOR, PLAIN)]
    for field in study_fields(kind):
        if fields and field not in fields:
            continue
        mine = [r for r in study_remedies() if (not remedies or r in remedies)]
        mine = [PLAIN, *(r for r in mine if r != PLAIN and fits(field, r, kind))]
        if any(RESIDUAL in registry.get("remedies", r).part.takes for r in mine[1:]):
            mine.insert(1, WHOLE)
        found += [(field, remedy) for remedy in mine]
    return list(dict.fromkeys(found))


def cells(
    signals: Mapping[str, AnySignal], fields: Sequence[str], remedies: Sequence[str], seeds: int
) -> Iterator[Cell]:
    """Every cell; all of a signal before the next."""
    kinds = {signal.kind for signal in signals.values()}
    wanted = {kind: pairs(kind, fields, remedies) for kind in kinds}
    for seed in range(seeds):
        for name, signal in signals.items():
            samples = signal.frames if signal.kind == "audio" else signal.width * signal.height
            is_drawn = samples >= LEAST_BATCHES * Schedule().batch
            for field, remedy in wanted[signal.kind]:
                if remedy != WHOLE or is_drawn:
                    yield Cell(name, signal.kind, field, remedy, seed)


class FloatQuality:
    """Notes how good a network is before its weights are whole numbers.

    Args:
        signal: what is fitted, in one segment.
        device: where to compute.

    Attributes:
        float_db: a `fit.Observer`'s, at the end of the phase that does not know bits.
        unrounded_db: of the weights that the file has, after the phase that does.
    """

    def __init__(self, signal: AnySignal, device: str) -> None:
        self._signal, self._device = signal, device
        self.float_db = self.unrounded_db = math.nan

    def steps(self, total: int) -> set[int]:
        return {total}

    def see(self, step: int, phase: Fitting, theta: np.ndarray) -> None:
        self.float_db = self._quality_db(phase.start, theta)

    def unrounded(self, start: NetworkStart, theta: np.ndarray) -> None:
        self.unrounded_db = self._quality_db(start, theta)

    def _quality_db(self, start: NetworkStart, theta: np.ndarray) -> float:
        # As it is rendered, whatever is fitted on the way.
        rendered = replace(start, function=None, targets=lambda samples: samples)
        _, problem = make_problem(self._signal, rendered)
        (values,) = ReferenceNetworkEngine(problem, self._device).values(theta)
        target = problem.samples[0].target
        error = float(np.square(np.clip(values, -1, 1) - target, dtype=np.float64).mean())
        is_sound = isinstance(self._signal, AudioSignal)
        power = float(np.square(target, dtype=np.float64).mean()) if is_sound else 4.0
        return 10 * math.log10(power / max(error, 1e-30))


def measure(
    cell: Cell, signal: AnySignal, lmbda: float, path: Path, effort: int, device: str
) -> dict[str, Any]:
    """Makes one file; what its row says beside its key. `failed` says why there is none.

    Args:
        cell: what to make.
        signal: of it.
        lmbda: weight of the rate.
        path: of the file.
        effort: 1..9.
        device: auto, cpu or cuda[:n].
    """
    watch = FloatQuality(signal, resolve_device(device))
    options = EncodeOptions(
        field=cell.field, lmbda=lmbda, effort=effort, device=device, seed=cell.seed,
        **_SETTINGS.get(cell.remedy, {"remedies": (cell.remedy,)}),
        observer=watch, unrounded=watch.unrounded, segment_seconds=1e6,
    )  # fmt: skip
    clocks = time.perf_counter(), time.process_time()
    try:
        encoded = codec.encode(signal, options)
    except (BadOption, Diverged) as error:
        return {"failed": " ".join(str(error).split())}
    spent = time.perf_counter() - clocks[0], time.process_time() - clocks[1]
    write_atomic(path, encoded.data, force=True)
    data = path.read_bytes()
    return quality(signal, codec.decode(data)) | {
        "file_bytes": len(data),
        "rate": rate_of(signal, len(data)),
        "float_db": watch.float_db,
        "unrounded_db": watch.unrounded_db,
        "encode_seconds": spent[0],
        "encode_cpu_seconds": spent[1],
    }


def quality(signal: AnySignal, decoded: AnySignal) -> dict[str, Any]:
    """The metrics of a decode; `missing` says why one is NaN.

    `sec_error` is the share by which the centroid is off; below 0 it is too low.
    """
    names = {name for name in METRICS[signal.kind] if name != "sec_error"}
    pair = catalogue.pair_of(signal, decoded)
    report = catalogue.measure(pair, names | {"sec_reference", "sec_decoded"})
    reference, made = (report.values.pop(f"sec_{name}") for name in ("reference", "decoded"))
    missing = BETWEEN.join(f"{name}: {why}" for name, why in report.notes.items())
    return report.values | {
        "sec_error": made / reference - 1 if reference else math.nan,
        "missing": missing,
    }


def measurable_now(missing: str) -> bool:
    """Whether a metric that a row lacks has the package by now that was not installed."""
    packages = re.findall(r"the package (\S+) is not installed", missing)
    return any(next(metadata.distributions(name=name), None) for name in packages)
