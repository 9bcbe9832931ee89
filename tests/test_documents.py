"""What documents and comments refer to is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("inrcodec", "tools", "bitstreams", "tests", "docs", "results")
# A row of the remedy study: a field, maybe a remedy, and decibels to the hundredth or a dash.
OF_THE_STUDY = re.compile(
    r"^\| `\w+`( `[\w-]+`)? \|( (\**[+-]?\d+\.\d\d\**( [^|]+)?|—) \|)+$", re.MULTILINE
)
# Neither a part of a longer path nor where a command is told to write.
RESULTS = re.compile(r"(?<![\w/.-])(?<!-o )(?<!--output )results/[\w./-]*\w")


def documents() -> Iterator[Path]:
    """Everything that people read: pages, and programs with their comments."""
    yield from ROOT.glob("*.md")
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            if path == Path(__file__) or not path.is_file():
                continue
            if path.suffix in (".md", ".py") or path.read_bytes()[:2] == b"#!":
                yield path


def cited(text: str) -> list[str]:
    """The paths below results/ that a text refers to."""
    return list(dict.fromkeys(RESULTS.findall(text)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("of [table](results/kodak/effort5.tsv).", ["results/kodak/effort5.tsv"]),
        ("see `results/design/`, and results/start.", ["results/design", "results/start"]),
        ("tools/ablate A -o results/design/NAME.tsv", []),
        ("github.com/someone/codec/results/v5.0/image.tsv", []),
    ],
)
def test_citations_are_told_from_outputs_and_other_peoples_paths(text, found):
    assert cited(text) == found


def test_every_result_that_is_cited_exists():
    sources = list(documents())
    assert ROOT / "README.md" in sources
    missing = [
        f"{path.relative_to(ROOT).as_posix()} cites {name}"
        for path in sources
        for name in cited(path.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    ]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("page", ["README.md", "docs/which-remedy.md"])
def test_tables_of_the_study_are_those_that_its_report_wrote(page: str):
    written = (ROOT / "results" / "study" / "tables.md").read_text().splitlines()
    rows = [match[0] for match in OF_THE_STUDY.finditer((ROOT / page).read_text(encoding="utf-8"))]
    assert len(rows) >= 5
    assert not set(rows) - set(written)
