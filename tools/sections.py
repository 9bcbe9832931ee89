"""Long measurements in sections, each in a process of its own: what stops one stops no other.

A section is a generator of what it has found so far, a dict that JSON can hold. The process that
serves it writes every one of them to a file, so that also a section that crashes or hangs, or takes
the device with it, leaves what it has measured.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_GRACE_SECONDS = 10  # from the end of a section's time until its processes are ended
_SHOWN = 2000  # characters of a message


class Clock:
    """Time that is left."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, 0 at least."""
        return max(0.0, self._end - time.monotonic())


Section = Callable[[argparse.Namespace, Clock], Iterator[dict]]


def said(error: BaseException) -> str:
    """An error in a line of a report."""
    return f"{type(error).__name__}: {error}"[:_SHOWN]


def attempted(about: dict, action: Callable[[], dict]) -> dict:
    """A row: what it is about, and what an action measured or failed with."""
    try:
        return about | action()
    except Exception as error:  # rows after it may still be measured
        return about | {"error": said(error)}


def rows_of(
    actions: Iterable[tuple[dict, Callable[[], dict]]], clock: Clock, least_seconds: float
) -> Iterator[dict]:
    """{"rows": [...]} after each of several measurements; an end without time is told.

    Args:
        actions: of each row, what it is about and what measures it.
        clock: time that is left.
        least_seconds: what a row is not begun without.
    """
    rows: list[dict] = []
    for about, action in actions:
        if clock.left < least_seconds:
            yield {"rows": rows, "incomplete": "no time was left"}
            return
        rows.append(attempted(about, action))
        yield {"rows": rows}


def write_json(path: Path, values: object) -> None:
    """Writes a whole file or leaves the one that is there."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(values, indent=1, default=str) + "\n")
    part.replace(path)


def serve(sections: Mapping[str, Section], request: str) -> None:
    """Runs one section in this process.

    Args:
        sections: by name.
        request: JSON, what `run` asks for.
    """
    options = argparse.Namespace(**json.loads(request))
    path, found = Path(options.found_path), {}
    try:
        for found in sections[options.section](options, Clock(options.seconds)):
            write_json(path, found)
    except Exception as error:
        write_json(path, found | {"error": said(error)})
        raise


def run(command: list[str], name: str, seconds: float, options: dict[str, Any], log: Path) -> dict:
    """What a section found, with the seconds that it took.

    Args:
        command: what serves a request, its last argument.
        name: of the section.
        seconds: that it may take; its processes are ended a little later.
        options: for the section.
        log: what it prints is appended there.
    """
    found_path = log.with_name(f"{name}.found.part")
    found_path.unlink(missing_ok=True)
    request = options | {"section": name, "seconds": seconds, "found_path": str(found_path)}
    begun = time.monotonic()
    with log.open("a") as out:
        out.write(f"== {name}\n")
        out.flush()
        process = subprocess.Popen(
            [*command, json.dumps(request, default=str)],
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        problem = _end_of(process, seconds + _GRACE_SECONDS)
    found = json.loads(found_path.read_text()) if found_path.exists() else {}
    found_path.unlink(missing_ok=True)
    if problem is not None and "error" not in found:
        printed = log.read_text(errors="replace")[-_SHOWN // 2 :]
        found["error"] = f"{problem}; it last printed: {printed}"
    return found | {"seconds": round(time.monotonic() - begun, 1)}


def _end_of(process: subprocess.Popen, seconds: float) -> str | None:
    """Waits so long for a process; why it ended too early or was ended, or None."""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return f"ended after {seconds:.0f} s"
    finally:
        _end_group(process)
    return None if code == 0 else f"ended with exit code {code}"


def _end_group(process: subprocess.Popen) -> None:
    """Ends a process and those that it started; one that hangs in a driver is left to itself."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
