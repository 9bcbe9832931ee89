"""A digest of our codec's source: another one as soon as it may write or decode other files."""

from __future__ import annotations

import hashlib
import io
import tokenize
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# All else counts, what is added later too: a needless encode costs less than a wrong point.
BESIDE = (
    "cli",
    "evaluate",
    "__main__.py",
    "errors.py",
    "files.py",
    "outputs.py",
    "progress.py",
    "py.typed",
)
_LAYOUT = (tokenize.COMMENT, tokenize.NL)
_BEFORE_STATEMENT = (tokenize.ENCODING, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


@cache
def source_digest(package: Path = PACKAGE) -> str:
    """First 12 digits of a SHA-256 over what can change an encoded file or its decode.

    That is the code and the tables of the package, without comments and docstrings. Better than a
    commit, which also changes with what cannot change a file, does not tell two states of a
    changed tree apart, and is unknown where the package is installed.

    Args:
        package: its folder.
    """
    found = hashlib.sha256()
    for path in counted_files(package):
        content = path.read_bytes()
        if path.suffix == ".py":
            content = _code(content)
        name = path.relative_to(package).as_posix()
        found.update(f"{name}\0{len(content)}\0".encode() + content)
    return found.hexdigest()[:12]


def counted_files(package: Path = PACKAGE) -> list[Path]:
    """The files of the package that the digest is of."""
    inside = {path: path.relative_to(package).parts for path in package.rglob("*")}
    return sorted(
        path
        for path, parts in inside.items()
        if parts[0] not in BESIDE and "__pycache__" not in parts and path.is_file()
    )


def _code(source: bytes) -> bytes:
    """A module without comments, docstrings and empty lines, its line ends those of Unix.

    By its text: syntax trees and tokens differ between versions of Python.
    """
    source = source.replace(b"\r\n", b"\n")
    tokens = list(tokenize.tokenize(io.BytesIO(source).readline))
    comments = [token for token in tokens if token.type == tokenize.COMMENT]
    words = [token for token in tokens if token.type not in _LAYOUT]
    docstrings = [
        token
        for before, token, after in zip(words, words[1:], words[2:], strict=False)
        if token.type == tokenize.STRING
        and before.type in _BEFORE_STATEMENT
        and after.type == tokenize.NEWLINE
    ]
    lines = source.decode().split("\n")
    for token in sorted(comments + docstrings, key=lambda token: token.start, reverse=True):
        (first, begin), (last, end) = token.start, token.end
        lines[first - 1 : last] = [lines[first - 1][:begin] + lines[last - 1][end:]]
    return "\n".join(line.rstrip() for line in lines if line.strip()).encode()
