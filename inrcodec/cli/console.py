"""What goes where: data and JSON to stdout, everything for people to stderr.

Both streams may be closed, full, or a pipe that nobody reads. None of that may end in a traceback,
and lost messages must not cost anybody the result.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from inrcodec import files
from inrcodec.errors import BadInput, OutputError


def prepare_streams() -> None:
    """Fills the places of closed standard streams.

    Otherwise the next file to be opened would get number 2, and with it every warning that a
    library writes to stderr. A closed stdout stays None, so that a result is never sent nowhere.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - open as long as the process lives


def flush_streams() -> int:
    """The exit code for what could not be written: 0, or that of OutputError if stdout failed.

    What a broken stream still holds is dropped: at exit Python would fail to flush it once more,
    and replace our exit code by 120.
    """
    code = 0
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            if stream is sys.stdout:
                code = OutputError.exit_code
            with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())
    return code


def check_streams(source: str, target: str | None, json_output: bool) -> None:
    """Refuses closed standard streams, and binary data on a terminal, before any work is done.

    Args:
        source: what is read, "-" for standard input.
        target: what is written, "-" for standard output; None if nothing is.
        json_output: whether JSON goes to standard output.

    Raises:
        BadInput: standard input is asked for and closed.
        OutputError: standard output is asked for and closed, or a terminal.
    """
    if source == files.STANDARD_STREAM and sys.stdin is None:
        raise BadInput("standard input is closed; name a file, or redirect one")
    if (json_output or target == files.STANDARD_STREAM) and sys.stdout is None:
        raise OutputError("standard output is closed; name a file, or redirect it")
    if target == files.STANDARD_STREAM and sys.stdout.isatty():
        raise OutputError(
            "standard output is a terminal, which cannot show binary data; "
            "name a file, or redirect it to a file or program"
        )


def say(text: str) -> None:
    """Writes one line for people; terminal control characters from file names are escaped."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(shown + "\n")
        sys.stderr.flush()


@contextlib.contextmanager
def warnings_shown(quiet: bool, verbose: bool = False, as_json: bool = False) -> Iterator[None]:
    """One line per warning of ours, once; those of libraries only where more was asked for.

    Args:
        quiet: show none.
        verbose: show those of libraries too.
        as_json: each as one JSON object, for programs that read progress as JSON.
    """
    told: set[str] = set()  # a search for a file size reads its input several times

    def show(message: Warning | str, *_: object) -> None:
        text = str(message)
        if not quiet and text not in told:
            told.add(text)
            say(json.dumps({"warning": text}) if as_json else f"inrcodec: warning: {text}")

    with warnings.catch_warnings():
        warnings.showwarning = show  # type: ignore[assignment]  # catch_warnings puts it back
        warnings.simplefilter("default" if verbose else "ignore")
        # Not what numpy says of our arithmetic.
        warnings.filterwarnings("always", category=UserWarning, module=r"inrcodec\.")
        yield


def write_text(text: str) -> None:
    """Writes text that was asked for to stdout.

    Raises:
        OutputError: it cannot be written.
    """
    files.write_atomic(files.STANDARD_STREAM, text.encode("utf-8", "backslashreplace"), force=True)


def write_json(record: dict[str, Any]) -> None:
    """Writes one JSON object in one line to stdout.

    Raises:
        OutputError: it cannot be written.
    """
    write_text(json.dumps(record, allow_nan=False) + "\n")


def write_facts(facts: dict[str, Any]) -> None:
    """Writes one fact per line to stdout, for people.

    Raises:
        OutputError: it cannot be written.
    """
    write_text("".join(f"{name}: {_shown(value)}\n" for name, value in facts.items()))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={_shown(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list):
        return " ".join(map(_shown, value))
    if isinstance(value, float):
        return "none" if math.isnan(value) else f"{value:.6g}"
    text = "none" if value is None else str(value)
    # One line per fact, whatever a file is called.
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def show_log() -> None:
    """Says what the package logs from now on: which engine fits, for example."""
    logger = logging.getLogger("inrcodec")
    logger.setLevel(logging.INFO)
    if not any(isinstance(handler, _Said) for handler in logger.handlers):
        logger.addHandler(_Said())


class _Said(logging.Handler):
    """Writes messages where all messages for people go."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())
