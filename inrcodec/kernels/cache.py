"""The folder that keeps compiled code from one process to the next."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sys
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_log = logging.getLogger(__name__)


@cache
def cache_folder() -> Path | None:
    """The folder of compiled functions for these sources and versions, None if it is not writable.

    It lies in $XDG_CACHE_HOME or ~/.cache, and may be deleted at any time. Only its owner may write
    to it: what lies there is run.
    """
    digest = hashlib.sha256()
    here = Path(__file__).parent
    sources = [*sorted(here.glob("cpu/*.py")), *sorted(here.glob("compiled/*.py"))]
    for source in [*sources, here / "elementary.py"]:
        digest.update(source.read_bytes())
    digest.update(sys.version.encode())
    for package in ("numba", "llvmlite", "numpy"):
        digest.update(_version(package).encode())
    try:
        root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        ours = Path(root) / "inrcodec"
        folder = ours / f"cpu-{digest.hexdigest()[:16]}"
        ours.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except (OSError, RuntimeError):  # Path.home() raises RuntimeError where there is no home
        return None
    return folder


def _version(package: str) -> str:
    """Of an installed package; `importlib.metadata` alone would take 30 ms."""
    spec = find_spec(package)
    if spec and spec.origin:
        beside = sorted(path.name for path in Path(spec.origin).parents[1].glob(f"{package}-*"))
        if beside:  # numpy-2.4.6.dist-info
            return " ".join(beside)
    from importlib.metadata import version

    return version(package)


def kept(name: str) -> bytes | None:
    """What is kept under a name, None where it is missing or damaged."""
    folder = cache_folder()
    try:
        stored = b"" if folder is None else (folder / name).read_bytes()
    except OSError:
        stored = b""
    payload = stored[32:]
    return payload if hashlib.sha256(payload).digest() == stored[:32] else None


def keeps(beginning: str) -> bool:
    """Whether something is kept under a name that begins so."""
    folder = cache_folder()
    return folder is not None and any(folder.glob(f"{beginning}*"))


def keep(name: str, payload: bytes) -> None:
    """Keeps a payload under a name, with its SHA-256 in front, where the folder can be written."""
    folder = cache_folder()
    if folder is None:
        return
    with contextlib.suppress(OSError):
        handle, temporary = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(payload).digest() + payload)
        os.replace(temporary, folder / name)


@cache
def announce() -> None:
    """Says once that code is compiled now."""
    _log.warning("compiling for this processor, once on this machine; takes 3 to 20 seconds")
