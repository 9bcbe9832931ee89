"""The digest of our source: another one with what can change a file, the same with the rest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from inrcodec import api
from inrcodec.evaluate.codecs import InrCodec
from inrcodec.evaluate.source import BESIDE, PACKAGE, counted_files, source_digest

MODULE = '''"""What it is for."""

# Why it is so.
RATE = "a # sign"  # bits


def twice(x):
    """Two of them.

    Args:
        x: one.
    """
    text = """no docstring
    # no comment"""
    return 2 * x, text
'''
FILES = {
    "fit/grid.py": MODULE,
    "fields/grid.py": MODULE,
    "entropy/laplace.npz": "table",
    "codec.py": MODULE,
    "cli/encode.py": MODULE,
    "evaluate/bd.py": MODULE,
    "progress.py": MODULE,
}


@pytest.fixture
def digest_of(tmp_path: Path):
    """The digest of a package of `FILES`, some of them changed; "" stands for none."""

    def digest(**changes: str) -> str:
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, text in {**FILES, **changes}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text:
                path.write_bytes(text.encode())
        return source_digest(root)

    return digest


@pytest.mark.parametrize(
    "changed",
    [
        MODULE.replace("2 * x", "3 * x"),
        MODULE.replace("# sign", "# sign of it"),
        MODULE.replace("    # no comment", "    # another text"),
        MODULE.replace("no docstring", "no words"),
        MODULE + "RATE = 5\n",
    ],
)
def test_another_statement_is_another_source(digest_of, changed):
    assert changed != MODULE
    assert digest_of(**{"fit/grid.py": changed}) != digest_of()


@pytest.mark.parametrize(
    "changed",
    [
        MODULE.replace("What it is for.", "What it\n\nis good for."),
        MODULE.replace("# Why it is so.\n", ""),
        MODULE.replace("  # bits", ""),
        MODULE.replace("Two of them.", "Twice it."),
        MODULE.replace("\n\n\n", "\n\n\n\n\n"),
        MODULE.replace("\n", "\r\n"),
    ],
)
def test_other_comments_docstrings_and_line_ends_are_the_same_source(digest_of, changed):
    assert changed != MODULE
    assert digest_of(**{"fit/grid.py": changed}) == digest_of()


def test_tables_and_names_of_files_count(digest_of):
    assert digest_of(**{"entropy/laplace.npz": "other"}) != digest_of()
    assert digest_of(**{"entropy/new.py": "X = 1\n"}) != digest_of()
    assert digest_of(**{"codec.py": "", "codecs.py": MODULE}) != digest_of()


@pytest.mark.parametrize("name", ["cli/encode.py", "evaluate/bd.py", "progress.py"])
def test_what_cannot_change_a_file_does_not_count(digest_of, name):
    assert digest_of(**{name: "X = 1\n"}) == digest_of()


def test_all_that_encodes_and_decodes_counts():
    assert api.encode_options and InrCodec().probe()
    loaded = {
        Path(module.__file__).relative_to(PACKAGE)
        for name, module in sys.modules.items()
        if name.startswith("inrcodec.") and getattr(module, "__file__", None)
    }
    counted = {path.relative_to(PACKAGE) for path in counted_files()}
    assert {path.parts[0] for path in loaded - counted} <= set(BESIDE)
    for room in ("fields", "activations", "encodings", "fit", "kernels", "quantize", "entropy",
                 "bitstream", "kinds", "signal", "media"):  # fmt: skip
        assert any(path.parts[0] == room for path in counted), room
    assert {Path("codec.py"), Path("segments.py"), Path("grid.py"), Path("fit/start.npz")} < counted
    assert all((PACKAGE / name).exists() for name in BESIDE)
