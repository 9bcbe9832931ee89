"""Runs codecs over signals and keeps everything: every file, every decode, every number.

A run may be killed at any time: files and the table are replaced whole, a point is in the table
only once its files are there, and every point says itself what it was made of and by what: a
resumed run takes it from there if the same version of the codec at the same setting made it of the
same original.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction

from inrcodec.errors import BadOption, OutputError
from inrcodec.evaluate import machine, measuring, resolutions
from inrcodec.evaluate.codecs import ANCHORS, Codec, InrCodec, choose, defaults
from inrcodec.evaluate.measuring import Made, Task, View, told
from inrcodec.evaluate.metrics import catalogue
from inrcodec.evaluate.originals import Original
from inrcodec.evaluate.points import (
    POINTS_NAME,
    RUN_NAME,
    Point,
    Run,
    read_points,
    read_run,
    write_points,
    write_run,
)
from inrcodec.evaluate.workers import outcomes

Key = tuple[str, str, str, float]
# Several numbers, of which a cell of a table holds one.
_PER_CHANNEL = "psnr_channels_db"


@dataclass(frozen=True)
class Choices:
    """What a comparison is to do.

    Args:
        codecs: names; none for all of the kind.
        ours: configurations of our own codec.
        metrics: names; none for the quick ones.
        resolutions: factors other than 1.
        anchor: codec that others are compared with; "" for the usual one of the kind.
        jobs: how many points run at a time.
        resume: go on in a folder that has points.
        published: show published curves too.
        seed: of our own codec.
        command: the command line, for the record.
    """

    codecs: tuple[str, ...] = ()
    ours: tuple[InrCodec, ...] = (InrCodec(),)
    metrics: tuple[str, ...] = ()
    resolutions: tuple[Fraction, ...] = ()
    anchor: str = ""
    jobs: int = 1
    resume: bool = False
    published: bool = False
    seed: int = 0
    command: str = ""


@dataclass
class Outcome:
    """What a comparison came to.

    Args:
        points: all in the table, those of earlier runs included.
        run: its record.
        new: how many points this run added.
    """

    points: list[Point]
    run: Run
    new: int


@dataclass
class Progress:
    """Told of what happens; this one keeps quiet."""

    total: int = 0
    done: int = field(default=0, init=False)

    def say(self, text: str) -> None:
        """Something that people should know."""

    def finished(self, task: Task, made: Made) -> None:
        """A task ended, with points or errors."""


def compare(
    originals: Sequence[Original], folder: str, choices: Choices, progress: Progress
) -> Outcome:
    """Points of every codec on every signal, in a folder.

    Args:
        originals: of one kind.
        folder: made if it is missing.
        choices: what to do.
        progress: told of every point.

    Raises:
        BadOption: an unknown codec or metric, or no codec that can run.
        BadInput: an original cannot be read.
        OutputError: the folder has points and `resume` is not set, or cannot be written.
    """
    kind = originals[0].kind
    codecs, skipped = choose(choices.codecs or defaults(kind), kind, choices.ours)
    for name, reason in skipped.items():
        progress.say(f"skipped {name}: {reason}")
    if not codecs:
        raise BadOption("none of the codecs can run here; " + "; ".join(skipped.values()))
    run = _run(kind, codecs, skipped, choices)
    _open_folder(folder, choices.resume)
    earlier = read_run(os.path.join(folder, RUN_NAME))
    table = _Table(folder, read_points(os.path.join(folder, POINTS_NAME)))
    run = _with_originals(run, originals, folder)
    measuring.forget_signals()
    tasks = list(_tasks(originals, codecs, run, folder, choices))
    _drop_stale(table, tasks, run, progress)
    todo = _unfinished(tasks, table, run)
    run = _merged(earlier, run)
    table.order(key for task in tasks for key in _keys(task))
    write_run(os.path.join(folder, RUN_NAME), run)
    progress.total = len(todo)
    new = _work(todo, choices.jobs, table, run.failed, progress)
    run = replace(run, date=datetime.now(UTC).astimezone().isoformat(timespec="seconds"))
    write_run(os.path.join(folder, RUN_NAME), run)
    return Outcome(table.points(), run, new)


def _run(kind: str, codecs: Sequence[Codec], skipped: dict[str, str], choices: Choices) -> Run:
    """The record of a run before it starts."""
    known = tuple(catalogue.available(kind))
    unknown = [name for name in choices.metrics if name not in known]
    if unknown:
        raise BadOption(
            f"there is no metric {unknown[0]!r} for {kind}; there are: {', '.join(known)}"
        )
    anchor = choices.anchor or ANCHORS[kind]
    names = [codec.name for codec in codecs]
    if anchor not in names:
        if choices.anchor:
            raise BadOption(
                f"the anchor {anchor!r} is not among the codecs that run: {', '.join(names)}"
            )
        anchor = names[0]
    return Run(
        command=choices.command,
        date=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
        commit=machine.commit(),
        machine=machine.machine(),
        versions=machine.versions(),
        kind=kind,
        metrics=[name for name in choices.metrics or catalogue.quick(kind) if name != _PER_CHANNEL],
        seed=choices.seed,
        codecs={
            codec.name: {
                "library": codec.probe().library,
                "version": codec.probe().version,
                "settings": {},
            }
            for codec in codecs
        },
        skipped=dict(skipped),
        published=choices.published,
        anchor=anchor,
    )


def _open_folder(folder: str, resume: bool) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {folder!r} cannot be made: {error.strerror}") from error
    if not resume and os.path.exists(os.path.join(folder, POINTS_NAME)):
        raise OutputError(
            f"{folder!r} holds a comparison already; go on with it by --resume, or name another "
            "folder"
        )


def _with_originals(run: Run, originals: Sequence[Original], folder: str) -> Run:
    paths = {}
    for original in originals:
        inside = os.path.commonpath([original.path, os.path.abspath(folder)]) == os.path.abspath(
            folder
        )
        path = os.path.relpath(original.path, folder) if inside else original.path
        paths[original.name] = path.replace(os.sep, "/")
    return replace(
        run, originals=paths, digests={original.name: original.digest() for original in originals}
    )


def _tasks(
    originals: Sequence[Original],
    codecs: Sequence[Codec],
    run: Run,
    folder: str,
    choices: Choices,
) -> Iterator[Task]:
    """All that is to be done: quick codecs on all signals, then slow ones.

    Fills in the settings of the codecs in the record.
    """
    for slow in (False, True):
        chosen = [codec for codec in codecs if codec.slow == slow]
        for original in originals if chosen else ():
            signal = measuring.signal_of(original)
            for codec in chosen:
                for setting in codec.settings(signal):
                    run.codecs[codec.name]["settings"][setting.name] = setting.text
                    for reduction, views in _views(run.kind, codec, choices.resolutions).items():
                        yield Task(
                            original,
                            codec,
                            setting,
                            reduction,
                            tuple(views),
                            folder,
                            tuple(run.metrics),
                            short_digest(run.digests[original.name]),
                            _version(codec),
                            run.commit,
                        )


def _views(kind: str, codec: Codec, factors: Sequence[Fraction]) -> dict[int, list[View]]:
    """By how many times the original is reduced, the views of what is coded then."""
    found: dict[int, list[View]] = {1: [View()]}
    for factor in factors:
        names = [""] if codec.renders else resolutions.methods(kind, factor)
        views = found.setdefault(factor.numerator, [])
        views.extend(View(factor, name) for name in names)
    return found


def _keys(task: Task) -> list[Key]:
    return [
        (task.original.name, task.codec_name(view), task.setting.name, float(view.factor))
        for view in task.views
    ]


def short_digest(digest: str) -> str:
    """The part of a digest that points keep: 64 bits tell any two originals apart."""
    return digest[:16]


def _version(codec: Codec) -> str:
    probe = codec.probe()
    return f"{probe.library}, {probe.version}"


def _drop_stale(table: _Table, tasks: Sequence[Task], run: Run, progress: Progress) -> None:
    """Drops points that are not of the originals, or not of the codecs, of this run.

    Before any file is replaced: a row of the table must never describe a newer file.
    """
    digests = {name: short_digest(digest) for name, digest in run.digests.items()}
    changed = table.drop(lambda p: p.signal in digests and p.original_sha256 != digests[p.signal])
    for name in dict.fromkeys(point.signal for point in changed):
        count = sum(point.signal == name for point in changed)
        progress.say(f"{name} has changed: its {count} points are dropped")
    now = {key: task.provenance for task in tasks for key in _keys(task)}
    stale = table.drop(lambda p: p.key in now and p.provenance != now[p.key])
    for name in dict.fromkeys(point.codec for point in stale):
        count = sum(point.codec == name for point in stale)
        progress.say(f"{name} has another version or other options: {count} points are made anew")


def _unfinished(tasks: Sequence[Task], table: _Table, run: Run) -> list[Task]:
    """The tasks, or parts of them, that the folder does not have yet."""
    todo = []
    missing = catalogue.available(run.kind)
    wanted = {name for name in run.metrics if missing[name] is None}
    for task in tasks:
        found = [table.find(key, task) for key in _keys(task)]
        there = [point for point in found if point is not None]
        views = tuple(
            view
            for view, point in zip(task.views, found, strict=True)
            if point is None or not wanted <= {*point.metrics, *point.undefined}
        )
        if not views:
            continue
        if there:
            # What an earlier run measured must not be lost by measuring more.
            names = [*task.metrics, *(name for p in there for name in (*p.metrics, *p.undefined))]
            task = replace(
                task,
                metrics=tuple(dict.fromkeys(name for name in names if name in missing)),
                encode_seconds=min(point.encode_seconds for point in there),
                commit=there[0].commit,
            )
        todo.append(replace(task, views=views))
    return todo


def _merged(earlier: Run, run: Run) -> Run:
    """The record of a resumed run: what earlier ones added to the folder stays in it."""
    codecs = {**earlier.codecs, **run.codecs}
    for name, codec in run.codecs.items():
        before = earlier.codecs.get(name, {}).get("settings", {})
        codecs[name] = {**codec, "settings": {**before, **codec["settings"]}}
    skipped = {k: v for k, v in {**earlier.skipped, **run.skipped}.items() if k not in codecs}
    return replace(
        run,
        codecs=codecs,
        skipped=skipped,
        originals={**earlier.originals, **run.originals},
        digests={**earlier.digests, **run.digests},
        published=earlier.published or run.published,
    )


class _Table:
    """The points of a folder, in memory and on disk."""

    def __init__(self, folder: str, points: Sequence[Point]) -> None:
        self._folder = folder
        self._points = {point.key: point for point in points}
        self._order: dict[Key, int] = {}

    def find(self, key: Key, task: Task) -> Point | None:
        """The point of that key, if its files are there and whole."""
        point = self._points.get(key)
        if point is None or point.file != task.file:
            return None
        path = os.path.join(self._folder, point.file)
        there = os.path.isfile(path) and os.path.getsize(path) == point.file_bytes
        decoded = os.path.isfile(os.path.join(self._folder, point.decoded))
        return point if there and decoded else None

    def order(self, keys: Iterator[Key]) -> None:
        """Rows come in this order, and points of earlier runs that have no place in it first."""
        self._order = {key: place for place, key in enumerate(keys)}

    def add(self, points: Sequence[Point]) -> None:
        """Adds points, or replaces them, on disk too."""
        self._points.update((point.key, point) for point in points)
        write_points(os.path.join(self._folder, POINTS_NAME), self.points())

    def drop(self, unwanted: Callable[[Point], bool]) -> list[Point]:
        """The points that are so, which are then no longer in the table, on disk too."""
        dropped = [point for point in self._points.values() if unwanted(point)]
        for point in dropped:
            del self._points[point.key]
        if dropped:
            write_points(os.path.join(self._folder, POINTS_NAME), self.points())
        return dropped

    def points(self) -> list[Point]:
        """All points."""
        return sorted(self._points.values(), key=lambda point: self._order.get(point.key, -1))


def _work(
    tasks: Sequence[Task], jobs: int, table: _Table, failed: dict[str, str], progress: Progress
) -> int:
    """How many points the tasks gave; the errors of others are noted in `failed`."""
    new = 0
    for task, outcome in outcomes(tasks, jobs):
        try:
            made = outcome()
        except BrokenExecutor as problem:  # the process was killed, or crashed in a library
            made = Made(errors={task.label: told(problem)})
        if made.points:
            table.add(made.points)
        failed.update(made.errors)
        new += len(made.points)
        progress.done += 1
        progress.finished(task, made)
    return new
