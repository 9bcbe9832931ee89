"""One codec at one setting on one signal: coded, decoded, judged, and all files kept.

Everything here is by value and runs in a process of its own where several run at a time.
"""

from __future__ import annotations

import contextlib
import math
import os
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from inrcodec import files
from inrcodec.errors import BadOption, InrError, OutputError
from inrcodec.evaluate import resolutions
from inrcodec.evaluate.codecs import Codec, InrCodec, Setting
from inrcodec.evaluate.folders import make_folder
from inrcodec.evaluate.metrics import catalogue
from inrcodec.evaluate.originals import Original
from inrcodec.evaluate.points import Point
from inrcodec.evaluate.timing import Spent, timed, warm_up
from inrcodec.media.audio import save_audio
from inrcodec.media.image import save_image
from inrcodec.media.video import save_video
from inrcodec.signal import AnySignal, AudioSignal, VideoSignal

FILES = "files"


@dataclass(frozen=True)
class View:
    """How a coded signal is looked at.

    Args:
        factor: output samples across for each one that was coded.
        method: how decodes are resampled for it, "" where the codec renders, or at factor 1.
    """

    factor: Fraction = Fraction(1)
    method: str = ""


@dataclass(frozen=True)
class Task:
    """A file to make and all views of it.

    Args:
        original: what is coded.
        codec, setting: how.
        reduction: the original is reduced so many times first.
        views: what becomes points.
        folder: of the run.
        metrics: names to measure.
        original_sha256, codec_version, commit: of the points.
        spent: what making the file took an earlier run, then it is not made anew; None if it is to
            be made.
    """

    original: Original
    codec: Codec
    setting: Setting
    reduction: int
    views: tuple[View, ...]
    folder: str
    metrics: tuple[str, ...]
    original_sha256: str
    codec_version: str
    commit: str
    spent: Spent | None = None

    @property
    def label(self) -> str:
        """What errors and progress call it."""
        mark = f" reduced {self.reduction} times" if self.reduction > 1 else ""
        return f"{self.original.name} {self.codec.name} {self.setting.name}{mark}"

    @property
    def file(self) -> str:
        """Path of the encoded file in the folder."""
        mark = f"_reduced{self.reduction}" if self.reduction > 1 else ""
        stem = f"{self.original.name}_{self.setting.name}{mark}"
        return f"{FILES}/{self.codec.name}/{stem}{self.codec.extension}"

    def codec_name(self, view: View) -> str:
        """What the points of a view call the codec: `jpeg+bicubic`."""
        return "+".join([self.codec.name, *([view.method] if view.method else [])])

    def decoded(self, view: View, extension: str) -> str:
        """Path of the decoded file in the folder."""
        mark = "" if view.factor == 1 else f"_x{float(view.factor):g}"
        stem = f"{self.original.name}_{self.setting.name}{mark}"
        return f"{FILES}/{self.codec_name(view)}/{stem}{extension}"


@dataclass
class Made:
    """What came of a task.

    Args:
        points: of the views that could be had, their files written.
        errors: of the others, by what errors and progress call them.
    """

    points: list[Point] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


def run(task: Task) -> Made:
    """The points of a task: one that fails does not cost the others.

    Raises:
        OutputError: a file cannot be written, which the next ones could not be either.
    """
    made = Made()
    try:
        _run(task, made)
    except OutputError:
        raise
    except Exception as problem:
        made.errors[task.label] = told(problem)
    return made


def told(problem: Exception) -> str:
    """An error in one line."""
    return str(problem) if isinstance(problem, InrError) else f"{type(problem).__name__}: {problem}"


def _run(task: Task, made: Made) -> None:
    coded = _coded(task.original, task.reduction)
    path = os.path.join(task.folder, task.file)
    is_first = warm_up(task.codec, coded, task.setting)
    spent = task.spent
    if spent is None:
        data, spent = timed(lambda: task.codec.encode(coded, task.setting))
        _write(path, data)
    else:
        with open(path, "rb") as file:
            data = file.read()
    if is_first:
        # Large files may be decoded by other code than the small one of the warm-up.
        with contextlib.suppress(Exception):
            task.codec.decode(data, coded)
    for view in task.views:
        try:
            made.points.append(_point(task, view, data, spent, coded))
        except OutputError:
            raise
        except Exception as problem:
            mark = "" if view.factor == 1 else f" decoded x{float(view.factor):g} {view.method}"
            made.errors[f"{task.label}{mark.rstrip()}"] = told(problem)


def _point(task: Task, view: View, data: bytes, spent: Spent, coded: AnySignal) -> Point:
    target = _target(task.original, view.factor)
    if view.method:
        stretch = resolutions.methods(coded.kind, view.factor)[view.method]
        decoded, took = timed(lambda: stretch(task.codec.decode(data, coded), target))
    else:
        decoded, took = timed(lambda: task.codec.decode(data, target))
    content, extension = lossless(decoded)
    shown = task.decoded(view, extension)
    _write(os.path.join(task.folder, shown), content)
    if view.factor != 1:
        _keep_target(task, view, target)
    report = catalogue.measure(catalogue.pair_of(target, decoded), task.metrics)
    can_run = catalogue.available(target.kind)
    # Of the original at full size, whatever the view: the same bytes are the same rate.
    samples, unit, scale = weight(target if view.factor > 1 else coded)
    return Point(
        signal=task.original.name,
        kind=target.kind,
        codec=task.codec_name(view),
        setting=task.setting.name,
        lmbda=task.setting.lmbda,
        file=task.file,
        decoded=shown,
        file_bytes=len(data),
        payload_bytes=task.codec.payload_bytes(data),
        network_bytes=_network_bytes(task.codec, data),
        rate=8 * len(data) * scale,
        rate_unit=unit,
        samples=samples,
        encode_seconds=spent.seconds,
        encode_cpu_seconds=spent.cpu_seconds,
        decode_seconds=took.seconds,
        resolution=float(view.factor),
        metrics={
            name: value
            for name, value in report.values.items()
            if isinstance(value, float) and not math.isnan(value)
        },
        undefined=tuple(
            name
            for name, value in report.values.items()
            if isinstance(value, float) and math.isnan(value) and can_run[name] is None
        ),
        original_sha256=task.original_sha256,
        codec_version=task.codec_version,
        settings=task.setting.text,
        commit=task.commit,
    )


def _network_bytes(codec: Codec, data: bytes) -> int | None:
    return codec.network_bytes(data) if isinstance(codec, InrCodec) else None


def weight(signal: AnySignal) -> tuple[int, str, float]:
    """How a signal counts in rates: its samples, the unit, and units per bit of the file."""
    if isinstance(signal, AudioSignal):
        return signal.frames, "kbps", float(1 / signal.duration_seconds) / 1000
    samples = signal.height * signal.width * getattr(signal, "frames", 1)
    return samples, "bpp", 1 / samples


def lossless(signal: AnySignal) -> tuple[bytes, str]:
    """A file that holds every sample of a signal, and its extension."""
    if isinstance(signal, AudioSignal):
        return save_audio(signal, ".wav"), ".wav"
    if not isinstance(signal, VideoSignal):
        return save_image(signal, ".png"), ".png"
    try:
        return save_video(signal, ".mkv"), ".mkv"
    except BadOption:  # layouts and depths that FFV1 in this FFmpeg lacks
        return save_video(signal, ".y4m"), ".y4m"


def _keep_target(task: Task, view: View, target: AnySignal) -> None:
    """Keeps what a view was judged against beside the decodes."""
    content, extension = lossless(target)
    name = f"{task.original.name}_x{float(view.factor):g}{extension}"
    # One that is there may be of an earlier original.
    _write(os.path.join(task.folder, FILES, "originals", name), content)


def _write(path: str, data: bytes) -> None:
    make_folder(os.path.dirname(path))
    files.write_atomic(path, data, force=True)


def forget_signals() -> None:
    """Forgets samples of earlier comparisons, as their files may have changed since."""
    for cached in (signal_of, _coded, _target):
        cached.cache_clear()


# Tasks come signal by signal: what the last one needed, the next one mostly needs too.
@lru_cache(maxsize=1)
def signal_of(original: Original) -> AnySignal:
    """The samples of an original."""
    return original.load()


@lru_cache(maxsize=2)
def _coded(original: Original, reduction: int) -> AnySignal:
    return resolutions.reduced(signal_of(original), reduction)


@lru_cache(maxsize=3)
def _target(original: Original, factor: Fraction) -> AnySignal:
    """What a view at that factor is judged against."""
    if factor >= 1:
        return resolutions.divisible(signal_of(original), factor.numerator)
    return resolutions.reduced(signal_of(original), factor.denominator)
