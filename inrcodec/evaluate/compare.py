"""Runs codecs over signals and keeps everything: every file, every decode, every number.

A run may be killed at any time: files and the table are replaced whole, a point is in the table
only once its files are there, and every point says itself what it was made of and by what. A
resumed run takes those that the same version of the codec at the same setting made of the same
original, and refuses to begin if it would replace others, unless that is asked for.
"""

from __future__ import annotations

import os
import reprlib
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field, replace
from fractions import Fraction

from inrcodec.errors import BadInput, BadOption, OutputError
from inrcodec.evaluate import measuring
from inrcodec.evaluate.codecs import InrCodec, choose, defaults
from inrcodec.evaluate.folders import claimed, make_folder
from inrcodec.evaluate.measuring import Made, Task, told
from inrcodec.evaluate.metrics import catalogue
from inrcodec.evaluate.originals import Original
from inrcodec.evaluate.plan import anchor_of, keys_of, plan_of, tasks_of
from inrcodec.evaluate.points import (
    POINTS_NAME,
    RUN_NAME,
    Point,
    Run,
    read_points,
    read_run,
    write_run,
)
from inrcodec.evaluate.record import merged, new_run, now
from inrcodec.evaluate.table import Table, stale_points, unfinished
from inrcodec.evaluate.workers import outcomes

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
        resume: go on in a folder that has points, and keep them all.
        recompute: go on, and make those anew that other versions, other options or other content
            of the originals stand behind.
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
    recompute: bool = False
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
    originals: Sequence[Original],
    folder: str | os.PathLike[str],
    choices: Choices | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Points of every codec on every signal that it takes, in a folder.

    Args:
        originals: of one kind, as `find_originals` gives them.
        folder: made if it is missing.
        choices: what to do; by default all codecs of the kind.
        progress: told of every point; by default nobody is.

    Raises:
        BadOption: an unknown codec or metric, no codec that can run, an anchor that cannot, or the
            folder has points that would be replaced and `recompute` is not set.
        BadInput: an original cannot be read, or is none.
        OutputError: the folder has points and neither `resume` nor `recompute` is set, another
            comparison is at work in it, or it cannot be written.
    """
    choices = choices or Choices()
    progress = progress or Progress()
    folder = _checked(originals, folder, choices)
    kind = originals[0].kind
    names = choices.codecs or defaults(kind)
    codecs, skipped = choose(names, kind, choices.ours)
    if not codecs:
        raise BadOption("none of the codecs can run here; " + "; ".join(skipped.values()))
    metrics = _metrics(kind, choices.metrics)
    measuring.forget_signals()
    plan = plan_of(originals, codecs)
    said: list[str] = []
    anchor = anchor_of(kind, plan, choices.anchor, skipped, said.append)
    run = new_run(
        plan,
        originals,
        folder,
        command=choices.command,
        metrics=metrics,
        seed=choices.seed,
        skipped=dict(skipped),
        published=choices.published,
        anchor=anchor,
    )
    for line in [*(f"skipped {name}: {why}" for name, why in run.not_measured.items()), *said]:
        progress.say(line)
    tasks = tasks_of(plan, originals, run, folder, choices.resolutions)
    make_folder(folder)
    with claimed(folder):
        return _run(tasks, run, folder, choices, progress)


def _checked(originals: object, folder: object, choices: object) -> str:
    """The path of the folder, once all arguments are what they must be."""
    given = list(originals) if isinstance(originals, Sequence) else []
    if not given or not all(isinstance(original, Original) for original in given):
        raise BadInput(
            f"the originals are {reprlib.repr(originals)}, expected a list with one or more of "
            "what find_originals gives; call it with the paths first"
        )
    if len({original.kind for original in given}) > 1:
        raise BadInput(
            "the originals are of different kinds, expected images, sounds or videos alone; "
            "compare one kind at a time"
        )
    if not isinstance(choices, Choices):
        raise BadOption(f"the choices are {choices!r}, expected Choices(...)")
    for name in ("codecs", "ours", "metrics", "resolutions"):
        if not isinstance(getattr(choices, name), tuple | list):
            raise BadOption(f"{name} is {getattr(choices, name)!r}, expected a tuple of them")
    if not isinstance(choices.jobs, int) or choices.jobs < 1:
        raise BadOption(f"jobs is {choices.jobs!r}, expected a whole number from 1 on")
    try:
        path = os.fspath(folder)
    except TypeError:
        path = b""
    if not isinstance(path, str):
        raise BadOption(f"the folder is {folder!r}, expected a path")
    return path


def _metrics(kind: str, wanted: Sequence[str]) -> list[str]:
    """Those that a cell of the table can hold."""
    known = tuple(catalogue.available(kind))
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise BadOption(
            f"there is no metric {unknown[0]!r} for {kind}; there are: {', '.join(known)}"
        )
    return [name for name in wanted or catalogue.quick(kind) if name != _PER_CHANNEL]


def _run(
    tasks: Sequence[Task], run: Run, folder: str, choices: Choices, progress: Progress
) -> Outcome:
    """Does what the folder does not have yet."""
    _check_unused(folder, choices)
    earlier = read_run(os.path.join(folder, RUN_NAME))
    table = Table(folder, read_points(os.path.join(folder, POINTS_NAME)))
    _settle_stale(table, tasks, run, choices.recompute, progress)
    todo = unfinished(tasks, table, run)
    if table.points():
        progress.say(_plan_text(tasks, todo))
    run = merged(earlier, run)
    table.order(key for task in tasks for key in keys_of(task))
    write_run(os.path.join(folder, RUN_NAME), run)
    progress.total = len(todo)
    new = _work(todo, choices.jobs, table, run.failed, progress)
    run = replace(run, date=now())
    write_run(os.path.join(folder, RUN_NAME), run)
    return Outcome(table.points(), run, new)


def _check_unused(folder: str, choices: Choices) -> None:
    goes_on = choices.resume or choices.recompute
    if not goes_on and os.path.exists(os.path.join(folder, POINTS_NAME)):
        raise OutputError(
            f"{folder!r} holds a comparison already; go on with it by --resume, or name another "
            "folder"
        )


def _settle_stale(
    table: Table, tasks: Sequence[Task], run: Run, recompute: bool, progress: Progress
) -> None:
    """Takes points that this run would make otherwise out of the table, if that was asked for.

    Before any file is replaced: a row of the table must never describe a newer file.
    """
    stale = stale_points(table.points(), tasks, run)
    points = [point for group in stale.values() for point in group]
    if not points:
        return
    if not recompute:
        wanted = {key for task in tasks for key in keys_of(task)}
        fit = len(wanted & ({p.key for p in table.points()} - {p.key for p in points}))
        minutes = sum({p.file: p.encode_seconds for p in points}.values()) / 60
        raise BadOption(
            f"points in {table.folder!r} that do not fit this run: {len(points)}, which took "
            f"{minutes:.1f} minutes to encode; that do: {fit}. {'; '.join(stale)}. Nothing was "
            "changed: name another folder with -o, or replace them by --recompute"
        )
    for reason in stale:
        progress.say(f"made anew: {reason}")
    table.drop(points)


def _plan_text(tasks: Sequence[Task], todo: Sequence[Task]) -> str:
    """How much of a resumed run is there, and how much is to be done."""
    total = sum(len(task.views) for task in tasks)
    open_ = sum(len(task.views) for task in todo)
    decoded = sum(len(task.views) for task in todo if task.spent is not None)
    measured = f"; to measure again from their files: {decoded}" if decoded else ""
    return f"points that are there: {total - open_}; to make: {open_ - decoded}{measured}"


def _work(
    tasks: Sequence[Task], jobs: int, table: Table, failed: dict[str, str], progress: Progress
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
