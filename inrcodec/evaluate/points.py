"""What a comparison leaves in its folder: measured points and how they were measured.

| file | content |
|---|---|
| `points.tsv` | one row per signal, codec and setting: `Point`; `n/a` for an undefined metric |
| `run.json` | command, machine, versions, every setting of every codec: `Run` |
| `files/CODEC/` | every encoded file, and its decode beside it |
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from inrcodec.errors import BadInput
from inrcodec.files import write_atomic

POINTS_NAME, RUN_NAME = "points.tsv", "run.json"
_LISTED = 6  # names in a line, before the rest is counted


@dataclass(frozen=True)
class Point:
    """One signal, coded once: what it cost and what is left of it.

    Args:
        signal: stem of the file that it came from.
        kind: "image", "audio" or "video".
        codec: as named with --codecs; `inr-e5` is ours at effort 5.
        setting: one of the codec's, `q30` or `lmbda0.001`.
        lmbda: weight of the rate, of our own codec; None of others.
        file, decoded: paths relative to the folder of the run, with forward slashes.
        file_bytes: of the whole file.
        payload_bytes: of the packets and codec headers in it, without the container; the same
            where there is none.
        rate: of the whole file, in `rate_unit`.
        rate_unit: "bpp", bits per pixel of the original (of all its frames), or "kbps".
        samples: pixels of the original (of all its frames), or frames of sound.
        encode_seconds, decode_seconds: wall time on the machine of the run.
        resolution: 1; else an any-resolution point: how many output samples across stand for one
            that was coded, 2 for a decode at twice the size.
        metrics: numbers by the names of `metrics.catalogue`; what could not be had is missing.
        undefined: names of metrics that were measured and have no number for this point.
        original_sha256: first 16 digits of the digest of what was coded.
        codec_version: library and version that coded it.
        settings: exact text of the codec's options.
        commit: of the inrcodec that coded it, as in `Run`.
        encode_cpu_seconds: time of processors that coding took, all threads and child processes
            together; None where it was not taken, as by earlier versions.
        network_bytes: of our own files, all but the latents: networks, header, hash; None of others
            and of points that earlier versions measured.
    """

    signal: str
    kind: str
    codec: str
    setting: str
    lmbda: float | None
    file: str
    decoded: str
    file_bytes: int
    payload_bytes: int
    rate: float
    rate_unit: str
    samples: int
    encode_seconds: float
    decode_seconds: float
    resolution: float = 1.0
    metrics: dict[str, float] = field(default_factory=dict)
    undefined: tuple[str, ...] = ()
    original_sha256: str = ""
    codec_version: str = ""
    settings: str = ""
    commit: str = ""
    encode_cpu_seconds: float | None = None
    network_bytes: int | None = None

    @property
    def cost(self) -> float | None:
        """What our encoder minimises: J = MSE / lmbda + bits per pixel, with samples in [0, 1].

        None of other codecs, kinds and resolutions, and where PSNR was not measured.
        """
        error_db = self.metrics.get("psnr_db")
        if self.lmbda is None or error_db is None or (self.kind, self.resolution) != ("image", 1):
            return None
        return 10 ** (-error_db / 10) / self.lmbda + self.rate

    @property
    def key(self) -> tuple[str, str, str, float]:
        """What no two points of a run share."""
        return self.signal, self.codec, self.setting, self.resolution


_UNDEFINED = "n/a"
COLUMNS = (
    "signal", "kind", "codec", "setting", "lmbda", "file", "decoded", "file_bytes",
    "payload_bytes", "network_bytes", "rate", "rate_unit", "samples", "cost", "encode_seconds",
    "encode_cpu_seconds", "decode_seconds", "resolution", "original_sha256", "codec_version",
    "settings", "commit",
)  # fmt: skip
# Follows from the others.
_DERIVED = ("cost",)
# Tables of earlier versions lack them.
_LATER = ("network_bytes", "cost", "encode_cpu_seconds")
_FLOATS = (
    "lmbda", "rate", "encode_seconds", "encode_cpu_seconds", "decode_seconds", "resolution",
)  # fmt: skip
_INTEGERS = ("file_bytes", "payload_bytes", "network_bytes", "samples")
_NEEDED = ("file_bytes", "payload_bytes", "rate", "samples", "resolution")


def write_points(path: str | os.PathLike[str], points: Iterable[Point]) -> None:
    """Writes points as a table, whole or not at all.

    Args:
        path: replaced if it exists.
        points: in the order of the rows.

    Raises:
        OutputError: it cannot be written.
    """
    rows = list(points)
    names = dict.fromkeys(name for point in rows for name in (*point.metrics, *point.undefined))
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow([*COLUMNS, *names])
    for point in rows:
        values = [getattr(point, name) for name in COLUMNS]
        absent = dict.fromkeys(point.undefined, _UNDEFINED)
        values += [point.metrics.get(name, absent.get(name)) for name in names]
        writer.writerow([_cell(value) for value in values])
    write_atomic(path, text.getvalue().encode(), force=True)


def read_points(path: str | os.PathLike[str]) -> list[Point]:
    """The points of a table; none if there is no file yet.

    Raises:
        BadInput: it is no table of points.
    """
    text = _read_text(path)
    if text is None:
        return []
    reader = csv.DictReader(io.StringIO(text), delimiter="\t")
    given = reader.fieldnames or ()
    missing = [name for name in COLUMNS if name not in given and name not in _LATER]
    if missing:
        raise BadInput(
            f"{os.fspath(path)!r} has no column {missing[0]!r}, expected a table that "
            "`inrcodec compare` wrote; name another folder, or move the file away"
        )
    points = []
    for number, row in enumerate(reader, 2):
        try:
            points.append(_point(row))
        except (TypeError, ValueError, AttributeError) as error:
            raise BadInput(
                f"{os.fspath(path)!r}, line {number}: {error}; expected a row that `inrcodec "
                "compare` wrote: delete the line, --resume makes its point again"
            ) from error
    return points


def _read_text(path: str | os.PathLike[str]) -> str | None:
    """The text of a file of a run; None if there is no file yet."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except TypeError:
        raise BadInput(f"the path of a table is {path!r}, expected a string or path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{os.fspath(path)!r} cannot be read: {error}; expected a file that `inrcodec compare` "
            "wrote: name another folder, or move the file away"
        ) from error


def _point(row: dict[str, str]) -> Point:
    given: dict[str, Any] = {name: row.get(name, "") for name in COLUMNS if name not in _DERIVED}
    for names, number in ((_INTEGERS, int), (_FLOATS, float)):
        for name in names:
            if not given[name] and name in _NEEDED:
                raise ValueError(f"{name} is empty")
            given[name] = number(given[name]) if given[name] else None
    cells = {name: cell for name, cell in row.items() if name not in COLUMNS and cell.strip()}
    undefined = tuple(name for name, cell in cells.items() if cell == _UNDEFINED)
    metrics = {name: float(cell) for name, cell in cells.items() if name not in undefined}
    return Point(**given, metrics=metrics, undefined=undefined)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    # Ten digits: more than any metric is good for, and the same text on every platform.
    return f"{value:.10g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Run:
    """How the points of a folder were measured, the last time any were; each has its own origin.

    Args:
        command: the command line, without the folders of its paths.
        date: ISO 8601 with zone.
        commit: of inrcodec, with `-dirty` where files differ from it; "" outside a repository.
        machine: cpu, cores, threads, memory_bytes, system.
        versions: by library.
        kind: of the signals: "image", "audio" or "video".
        metrics: what was measured.
        seed: of our own encoder.
        codecs: by name: library, version, settings {setting: exact text of its options}.
        skipped: why a codec asked for did not run, and how to install it, by name.
        left_out: why a codec does not take a signal, by codec and signal.
        failed: error by "signal codec setting".
        published: whether curves of `evaluate.published` belong into the report.
        originals: path of each signal, relative to the folder of the run or absolute.
        digests: SHA-256 of each signal's file.
        anchor: the codec that BD-rates are against.
    """

    command: str = ""
    date: str = ""
    commit: str = ""
    machine: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    kind: str = ""
    metrics: list[str] = field(default_factory=list)
    seed: int = 0
    codecs: dict[str, dict[str, Any]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    published: bool = False
    originals: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    anchor: str = ""

    @property
    def not_measured(self) -> dict[str, str]:
        """Why codecs were skipped, by their name, with the signals unless it was for all."""
        found = dict(self.skipped)
        for codec, reasons in self.left_out.items():
            for reason in dict.fromkeys(reasons.values()):
                signals = [signal for signal, given in reasons.items() if given == reason]
                more = f" and {len(signals) - _LISTED} more" if len(signals) > _LISTED else ""
                named = f" for {', '.join(signals[:_LISTED])}{more}"
                found[codec + (named if len(signals) < len(self.originals) else "")] = reason
        return found


def write_run(path: str | os.PathLike[str], run: Run) -> None:
    """Writes a run as JSON, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    text = json.dumps(asdict(run), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomic(path, text.encode(), force=True)


def read_run(path: str | os.PathLike[str]) -> Run:
    """The run of a folder; an empty one if there is no file yet.

    Raises:
        BadInput: it is no JSON object of a run.
    """
    text = _read_text(path)
    if text is None:
        return Run()
    try:
        known = {f.name for f in fields(Run)}
        return Run(**{name: value for name, value in json.loads(text).items() if name in known})
    except (ValueError, AttributeError, TypeError) as error:
        raise BadInput(
            f"{os.fspath(path)!r} is not the run.json of a comparison ({error}), expected the one "
            "that `inrcodec compare` wrote; name another folder, or move the file away"
        ) from error
