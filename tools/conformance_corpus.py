"""The conformance corpus bitstreams/v1 as its maker and its tests see it."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from inrcodec.kinds import KINDS
from inrcodec.signal import AnySignal

CORPUS = Path(__file__).resolve().parents[1] / "bitstreams" / "v1"
FAULTY = CORPUS / "faulty"


def names(folder: Path = CORPUS) -> list[str]:
    """The cases in a folder."""
    return sorted(path.parent.name for path in folder.glob("*/case.inr"))


def load(name: str, folder: Path = CORPUS) -> tuple[bytes, dict[str, Any]]:
    """(file, what case.json says of it) of a case."""
    described = json.loads((folder / name / "case.json").read_text(encoding="utf-8"))
    return (folder / name / "case.inr").read_bytes(), described


def samples_sha256(signal: AnySignal) -> str:
    """SHA-256 of samples in the order of the decode hash."""
    found = hashlib.sha256()
    for block in KINDS[signal.kind].blocks(signal):
        found.update(block)
    return found.hexdigest()


def arguments(where: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a decode from JSON, where fractions are text; its hash is left out."""
    found = {name: value for name, value in where.items() if name != "sha256"}
    if "fps" in found:
        found["fps"] = Fraction(found["fps"])
    if "time" in found:
        found["time"] = tuple(map(Fraction, found["time"]))
    return found
