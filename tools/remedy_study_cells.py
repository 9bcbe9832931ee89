"""Cells of the remedy study: which there are, what one measures, what all of them will cost."""

from __future__ import annotations

import importlib
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pictures import shrunk

from inrcodec import codec, registry
from inrcodec.encoded import Encoded
from inrcodec.errors import BadOption, Diverged
from inrcodec.evaluate.metrics import catalogue
from inrcodec.fields import family_of, fields_table
from inrcodec.fields.network import NetworkField
from inrcodec.fit import EncodeOptions
from inrcodec.fit.network import make_problem
from inrcodec.fit.presets import preset
from inrcodec.fit.sizes import BITS_PER_WEIGHT
from inrcodec.kernels.network import make_network_engine
from inrcodec.kernels.reference_network import ReferenceNetworkEngine
from inrcodec.media.audio import load_audio
from inrcodec.media.kind import AUDIO, kind_of
from inrcodec.runtime import resolve_device
from inrcodec.signal import AnySignal, AudioSignal, image_signal
from inrcodec.target_size import TRIAL_EFFORT, encode_to_size

# File sizes that are compared: bits per pixel of pictures, kilobits per second of sounds.
RATES = {"image": (0.1, 0.3, 0.8), "audio": (16.0, 32.0, 64.0)}
UNITS = {"image": "bpp", "audio": "kbps"}
PLAIN = "none"
REPEATED = {"soap", "auto"}  # what there is without a remedy; one of the others
METRICS = {
    "image": ("psnr_db", "ms_ssim", "rho_ag", "sec_reference", "sec_decoded"),
    "audio": ("snr_db", "rho_ag", "sec_reference", "sec_decoded", "visqol_mos"),
}
QUALITY = {"image": "psnr_db", "audio": "snr_db"}

# For the estimate: fits of a search, and seconds of the grid field per pixel and step, of 96 for
# 1,500 steps of 768x512 (results/efforts).
FITS = 5
GRID_SECONDS = 96 / (1500 * 768 * 512)
SAMPLES_OF_A_STEP = 1 << 16


@dataclass(frozen=True)
class StudyCell:
    """One file that is to be made.

    Args:
        signal: stem of its name.
        kind: image or audio.
        field, remedy: of the encode; a remedy of `PLAIN` is none.
        rate: bits per pixel, or kilobits per second.
        seed: of the encode.
    """

    signal: str
    kind: str
    field: str
    remedy: str
    rate: float
    seed: int

    @property
    def key(self) -> dict[str, str]:
        """What tells it from others, as its row has it."""
        return {
            "signal": self.signal,
            "kind": self.kind,
            "field": self.field,
            "remedy": self.remedy,
            "rate": f"{self.rate:g}",
            "seed": str(self.seed),
        }

    @property
    def remedies(self) -> tuple[str, ...]:
        return () if self.remedy == PLAIN else (self.remedy,)


def load(path: Path, shrink: int) -> AnySignal:
    """A picture at 1/shrink of its sides, or the first 1/shrink of a sound."""
    if kind_of(str(path), path.name) != AUDIO:
        return shrunk(path, shrink)
    signal = load_audio(str(path))
    return signal.part(0, max(1, signal.frames // shrink)).stripped()


def target_bytes(signal: AnySignal, rate: float) -> int:
    """Bytes of a file of a signal at a rate."""
    if isinstance(signal, AudioSignal):
        return round(rate * 1000 / 8 * float(signal.duration_seconds))
    return round(rate / 8 * signal.width * signal.height)


def study_fields(kind: str) -> list[str]:
    """Names of fields for a kind of signal, without names of whole families of networks."""
    return [
        row["name"]
        for row in fields_table()
        if kind in row["kinds"] and (row["name"] not in ("mlp", "mfn"))
    ]


def study_remedies() -> list[str]:
    """No remedy, then each."""
    return [PLAIN, *(e.name for e in registry.entries("remedies") if e.name not in REPEATED)]


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


def cells(
    signals: Mapping[str, AnySignal],
    fields: Sequence[str],
    remedies: Sequence[str],
    rates: Mapping[str, Sequence[float]],
    seeds: int,
) -> Iterator[StudyCell]:
    """Every cell; all fields and remedies of a signal and rate before the next."""
    kinds = {signal.kind for signal in signals.values()}
    pairs = {
        kind: [
            (field, remedy)
            for field in study_fields(kind)
            if not fields or field in fields
            for remedy in study_remedies()
            if (not remedies or remedy in remedies or remedy == PLAIN) and fits(field, remedy, kind)
        ]
        for kind in kinds
    }
    for seed in range(seeds):
        for name, signal in signals.items():
            for rate in rates[signal.kind]:
                for field, remedy in pairs[signal.kind]:
                    yield StudyCell(name, signal.kind, field, remedy, rate, seed)


class FloatQuality:
    """A `fit.Observer` that notes how good a network is before its weights are made cheap.

    That is the end of the first phase. The second goes on training while it makes weights cheap, so
    that a file may be better than what it was made of.

    Args:
        signal: what is fitted, in one segment.
        device: where to compute.
    """

    def __init__(self, signal: AnySignal, device: str) -> None:
        self._signal, self._device = signal, device
        self.quality_db = math.nan

    def steps(self, total: int) -> set[int]:
        return {total}

    def see(self, step: int, phase: Any, theta: np.ndarray) -> None:
        # As it is rendered, whatever is fitted on the way.
        rendered = replace(phase.start, function=None, targets=lambda samples: samples)
        _, problem = make_problem(self._signal, rendered)
        if problem.pixels != phase.problem.pixels:
            return  # a segment: its quality is not that of the whole
        (values,) = ReferenceNetworkEngine(problem, self._device).values(theta)
        target = problem.samples[0].target
        error = float(np.square(np.clip(values, -1, 1) - target, dtype=np.float64).mean())
        is_sound = isinstance(self._signal, AudioSignal)
        power = float(np.square(target, dtype=np.float64).mean()) if is_sound else 4.0
        self.quality_db = 10 * math.log10(power / max(error, 1e-30))


def measure(cell: StudyCell, signal: AnySignal, effort: int, device: str) -> dict[str, Any]:
    """What a cell's row says beside its key; `failed` says why there is nothing.

    Args:
        cell: the file to make.
        signal: of it.
        effort: 1..9.
        device: auto, cpu or cuda[:n].
    """
    target = target_bytes(signal, cell.rate)
    seen: dict[tuple[float, float | None], tuple[float, float, float]] = {}

    def encode(options: EncodeOptions) -> Encoded:
        watch = FloatQuality(signal, resolve_device(device))
        clocks = time.perf_counter(), time.process_time()
        encoded = codec.encode(signal, replace(options, observer=watch))
        spent = time.perf_counter() - clocks[0], time.process_time() - clocks[1]
        if options.effort == effort:
            seen[options.lmbda, options.shape_lmbda] = (watch.quality_db, *spent)
        return encoded

    options = EncodeOptions(
        field=cell.field, effort=effort, device=device, seed=cell.seed, remedies=cell.remedies
    )
    begun = time.perf_counter()
    try:
        sized = encode_to_size(target, options, encode, [signal])
    except (BadOption, Diverged) as error:
        return {"target_bytes": target, "failed": " ".join(str(error).split())}
    search_seconds = time.perf_counter() - begun
    float_db, seconds, cpu_seconds = seen[sized.options.lmbda, sized.options.shape_lmbda]
    data = sized.encoded.data
    found = quality(signal, codec.decode(data))
    return found | {
        "target_bytes": target,
        "file_bytes": len(data),
        "lmbda": sized.options.lmbda,
        "attempts": len(sized.attempts),
        "float_db": float_db,
        "file_db": found[QUALITY[cell.kind]],
        "encode_seconds": seconds,
        "encode_cpu_seconds": cpu_seconds,
        "search_seconds": search_seconds,
    }


def quality(signal: AnySignal, decoded: AnySignal) -> dict[str, float]:
    """The metrics of a decode; `sec_error` is how far its centroid is off, as a share."""
    available = catalogue.available(signal.kind)
    names = [name for name in METRICS[signal.kind] if available[name] is None]
    values = catalogue.measure(catalogue.pair_of(signal, decoded), names).values
    reference = values.pop("sec_reference")
    return values | {"sec_error": values.pop("sec_decoded") / reference - 1}


def estimate_seconds(cell: StudyCell, signal: AnySignal, effort: int, speed: float) -> float:
    """About how long the search for a cell's file takes.

    Args:
        cell, signal, effort: see `measure`.
        speed: multiply-adds of a network's step per second, from `network_speed`.
    """
    steps = preset(effort).steps + 0.5 * preset(TRIAL_EFFORT).steps
    samples = signal.frames if cell.kind == "audio" else signal.width * signal.height
    if not issubclass(family_of(cell.field).part, NetworkField):
        return FITS * steps * samples * GRID_SECONDS
    weights = target_bytes(signal, cell.rate) * 8 / BITS_PER_WEIGHT
    factor = 1.0
    if cell.remedies:
        told = re.match(r"[\d.]+(?= times)", registry.get("remedies", cell.remedy).part.cost)
        factor = float(told[0]) if told else 1.0
    return FITS * steps * min(samples, SAMPLES_OF_A_STEP) * weights * factor / speed


def network_speed(device: str) -> float:
    """Multiply-adds of one sample's network, times samples, per second of a step, here and now."""
    noise = np.random.default_rng(0).integers(0, 256, (128, 128), dtype=np.uint8)
    signal = image_signal(noise)
    module = importlib.import_module(family_of("siren").part.fit_module)
    sizes = {"hidden_features": 28, "hidden_layers": 6}
    start = module.start_of(signal, EncodeOptions(field="siren", network=sizes))
    _, problem = make_problem(signal, start)
    engine = make_network_engine(problem, device)
    theta = np.concatenate([np.ravel(start.theta[name]) for name in problem.layout])
    engine.loss(theta)  # compiles
    begun, count = time.perf_counter(), 5
    for _ in range(count):
        engine.loss(theta)
    seconds = (time.perf_counter() - begun) / count
    return problem.pixels * problem.parameter_count / seconds
