"""The points of a folder while a run adds to them, and what of the run they leave to do."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

from inrcodec.evaluate.measuring import Task
from inrcodec.evaluate.metrics import catalogue
from inrcodec.evaluate.plan import Key, keys_of, short_digest
from inrcodec.evaluate.points import POINTS_NAME, Point, Run, write_points
from inrcodec.evaluate.timing import Spent


class Table:
    """The points of a folder, in memory and on disk."""

    def __init__(self, folder: str, points: Sequence[Point]) -> None:
        self.folder = folder
        self._points = {point.key: point for point in points}
        self._order: dict[Key, int] = {}

    def find(self, key: Key, task: Task) -> Point | None:
        """The point of that key, if its encoded file is there and whole."""
        point = self._points.get(key)
        if point is None or point.file != task.file:
            return None
        path = os.path.join(self.folder, point.file)
        there = os.path.isfile(path) and os.path.getsize(path) == point.file_bytes
        return point if there else None

    def has_decode(self, point: Point) -> bool:
        """Whether what its file decodes to is there too."""
        return os.path.isfile(os.path.join(self.folder, point.decoded))

    def order(self, keys: Iterable[Key]) -> None:
        """Rows come in this order, and points of earlier runs that have no place in it first."""
        self._order = {key: place for place, key in enumerate(keys)}

    def add(self, points: Sequence[Point]) -> None:
        """Adds points, or replaces them, on disk too."""
        self._points.update((point.key, point) for point in points)
        write_points(os.path.join(self.folder, POINTS_NAME), self.points())

    def drop(self, unwanted: Iterable[Point]) -> None:
        """Takes points out of the table, on disk too."""
        for point in unwanted:
            del self._points[point.key]
        write_points(os.path.join(self.folder, POINTS_NAME), self.points())

    def points(self) -> list[Point]:
        """All points."""
        return sorted(self._points.values(), key=lambda point: self._order.get(point.key, -1))


def stale_points(
    points: Iterable[Point], tasks: Sequence[Task], run: Run
) -> dict[str, list[Point]]:
    """Points that are not of the originals, or not by the codecs and options, of a run.

    By how what was found differs from what was expected.
    """
    digests = {name: short_digest(digest) for name, digest in run.digests.items()}
    wanted = {key: task for task in tasks for key in keys_of(task)}
    groups: dict[tuple[str, str], tuple[str, list[Point]]] = {}
    for point in points:
        digest = digests.get(point.signal, point.original_sha256)
        task = wanted.get(point.key)
        if point.original_sha256 != digest:
            found = point.original_sha256
            case = point.signal, found
            text = f"has changed: its SHA-256 began with {found}, now with {digest}"
        elif task and point.codec_version != task.codec_version:
            case = point.codec, point.codec_version
            text = (
                f"found by {point.codec_version}, made at commit {point.commit or 'unknown'}, "
                f"expected by {task.codec_version}"
            )
        elif task and point.settings != task.setting.text:
            case = point.codec, "options"
            text = f"found with {point.settings!r}, expected with {task.setting.text!r}"
        else:
            continue
        groups.setdefault(case, (text, []))[1].append(point)
    return {f"{name} ({len(group)}) {text}": group for (name, _), (text, group) in groups.items()}


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
            if point is None
            or not table.has_decode(point)
            or not wanted <= {*point.metrics, *point.undefined}
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
