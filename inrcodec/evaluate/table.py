"""The points of a folder while a run adds to them, and what of the run they leave to do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from inrcodec.evaluate.measuring import Task
from inrcodec.evaluate.metrics import catalogue
from inrcodec.evaluate.plan import Key, keys_of, short_digest
from inrcodec.evaluate.points import POINTS_NAME, Point, Run, write_points
from inrcodec.evaluate.timing import Spent


class Table:
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

    def order(self, keys: Iterable[Key]) -> None:
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


def drop_stale(table: Table, tasks: Sequence[Task], run: Run, say: Callable[[str], None]) -> None:
    """Drops points that are not of the originals, or not of the codecs, of this run.

    Before any file is replaced: a row of the table must never describe a newer file.
    """
    digests = {name: short_digest(digest) for name, digest in run.digests.items()}
    changed = table.drop(lambda p: p.signal in digests and p.original_sha256 != digests[p.signal])
    for name in dict.fromkeys(point.signal for point in changed):
        count = sum(point.signal == name for point in changed)
        say(f"{name} has changed: its {count} points are dropped")
    now = {key: task.provenance for task in tasks for key in keys_of(task)}
    stale = table.drop(lambda p: p.key in now and p.provenance != now[p.key])
    for name in dict.fromkeys(point.codec for point in stale):
        count = sum(point.codec == name for point in stale)
        say(f"{name} has another version or other options: {count} points are made anew")


def unfinished(tasks: Sequence[Task], table: Table, run: Run) -> list[Task]:
    """The tasks, or parts of them, that the folder does not have yet."""
    todo = []
    missing = catalogue.available(run.kind)
    wanted = {name for name in run.metrics if missing[name] is None}
    for task in tasks:
        found = [table.find(key, task) for key in keys_of(task)]
        there = [point for point in found if point is not None]
        views = tuple(
            view
            for view, point in zip(task.views, found, strict=True)
            if point is None or not wanted <= {*point.metrics, *point.undefined}
        )
        if not views:
            continue
        if there:
            first = min(there, key=lambda point: point.encode_seconds)
            # What an earlier run measured must not be lost by measuring more.
            names = [*task.metrics, *(name for p in there for name in (*p.metrics, *p.undefined))]
            task = replace(
                task,
                metrics=tuple(dict.fromkeys(name for name in names if name in missing)),
                spent=Spent(first.encode_seconds, first.encode_cpu_seconds),
                commit=there[0].commit,
            )
        todo.append(replace(task, views=views))
    return todo
