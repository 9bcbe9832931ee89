"""Names and never-reused ids of the parts that a file can ask for.

A part registers itself where it is defined; `get` and `by_id` import all modules of its room first,
so adding one means adding one file. Other packages add parts through the entry point group
`inrcodec.<room>`; they are loaded only when a name or an id is asked for that is not ours.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from inrcodec.errors import BadOption, UnsupportedFile

T = TypeVar("T")
ROOMS = ("fields", "activations", "encodings", "remedies")


@dataclass(frozen=True)
class Entry:
    name: str
    id: int | None
    part: Any


_entries: dict[str, list[Entry]] = {room: [] for room in ROOMS}


def register(room: str, name: str, id: int | None = None) -> Callable[[T], T]:
    """A decorator that files a part under its name and id; both must be new in the room.

    What no decoder has to know has no id.
    """

    def add(part: T) -> T:
        for entry in _entries[room]:
            if entry.name == name or (id is not None and entry.id == id):
                raise ValueError(f"{room}: {name} ({id}) collides with {entry.name} ({entry.id})")
        _entries[room].append(Entry(name, id, part))
        return part

    return add


@cache
def _discover(room: str) -> None:
    package = importlib.import_module(f"inrcodec.{room}")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


@cache
def _discover_others(room: str) -> None:
    from importlib.metadata import entry_points  # which takes long, and is seldom wanted

    for point in entry_points(group=f"inrcodec.{room}"):
        point.load()


def _find(room: str, wanted: Callable[[Entry], bool]) -> Entry | None:
    for discover in (_discover, _discover_others):
        discover(room)
        for entry in _entries[room]:
            if wanted(entry):
                return entry
    return None


def entries(room: str) -> Sequence[Entry]:
    """All parts of a room, by id; those without one by name, behind the others."""
    _discover(room)
    _discover_others(room)
    return sorted(_entries[room], key=lambda entry: (entry.id is None, entry.id or 0, entry.name))


def get(room: str, name: str) -> Entry:
    """The part of that name.

    Raises:
        BadOption: no such part; the message lists those there are.
    """
    entry = _find(room, lambda entry: entry.name == name)
    if entry is not None:
        return entry
    known = ", ".join(entry.name for entry in entries(room))
    raise BadOption(f"there is no {_one_of(room)} {name!r}; there are: {known}")


def of_part(room: str, part: Any) -> Entry:
    """The entry of a registered part.

    Raises:
        KeyError: it was not registered in that room.
    """
    entry = _find(room, lambda entry: entry.part is part)
    if entry is None:
        raise KeyError(f"{part!r} is not registered in {room}")
    return entry


def by_id(room: str, id: int) -> Entry:
    """The part of that id.

    Raises:
        UnsupportedFile: this version does not know the id.
    """
    entry = _find(room, lambda entry: entry.id == id)
    if entry is not None:
        return entry
    raise UnsupportedFile(
        f"the file uses {_one_of(room)} id {id}, which this version does not know; "
        "a newer inrcodec may decode it"
    )


def _one_of(room: str) -> str:
    return "remedy" if room == "remedies" else room.removesuffix("s")
