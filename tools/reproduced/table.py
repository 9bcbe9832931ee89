"""Rows on disk, and the runs that they come from; a killed run loses at most one training."""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inrcodec.errors import BadInput
from inrcodec.evaluate.machine import commit, machine, versions
from inrcodec.evaluate.source import source_digest
from inrcodec.files import write_atomic
from inrcodec.runtime import device_name

Row = dict[str, str]


def number_text(value: float) -> str:
    """A number for a table: six digits; nothing for what is no number."""
    return "" if math.isnan(value) else f"{value:.6g}"


def read_rows(path: Path, columns: tuple[str, ...]) -> list[Row]:
    """The rows of a table; none where there is no file.

    Raises:
        BadInput: it has other columns.
    """
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream, delimiter="\t")
        if tuple(reader.fieldnames or ()) != columns:
            raise BadInput(
                f"{path}: has the columns {reader.fieldnames}, expected {list(columns)}; "
                "move it away, or name another output"
            )
        return list(reader)


def write_rows(path: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Writes a table as a whole, so that it is never half there."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(path, text.getvalue().encode(), force=True)


def read_json(path: Path) -> dict[str, Any]:
    """The content of a file that `write_json` wrote; empty where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes an object, readable and whole."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomic(path, text.encode(), force=True)


def this_run(device: str) -> dict[str, Any]:
    """Where and with what the rows of this run are made."""
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "source": source_digest(),
        "device": device_name(device),
        "machine": machine(),
        "versions": versions(),
    }


def run_number(runs: list[dict[str, Any]], run: dict[str, Any]) -> int:
    """The place of a run among those known, by which rows say where they come from.

    A run of the same day, code and machine is the same; others are added.
    """
    if run not in runs:
        runs.append(run)
    return runs.index(run)
