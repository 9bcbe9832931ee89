"""Compiling with numba, once per machine: a decorator and the folder that keeps its results.

numba's own cache does not notice that a called function in another file has changed, and fails on a
damaged file. This one keeps every compiled function in the user's cache folder, in a folder named
after the sources of all compiled functions and the versions, with a check sum in front.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import logging
import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numba
from numba.core import compiler
from numba.core.caching import NullCache
from numba.core.serialize import dumps

# What LLVM may change about float arithmetic. NaN and infinity keep their meaning, so that a
# diverging fit is noticed.
_ANY_ORDER = {"reassoc", "contract", "nsz", "arcp"}

_log = logging.getLogger(__name__)


def compiled(function: Callable) -> Callable:
    """The function compiled at its first call, which releases the GIL. For calls from Python."""
    return _dispatcher(function, _ANY_ORDER, from_python=True)


def exact(function: Callable) -> Callable:
    """The same for the decoder: every float operation as it is written, in that order."""
    return _dispatcher(function, set(), from_python=True)


def kernel(function: Callable) -> Callable:
    """The same for functions that only compiled code calls; they compile faster."""
    return _dispatcher(function, _ANY_ORDER, from_python=False)


def kernel_in_order(function: Callable) -> Callable:
    """The same for formulas whose order of operations carries their precision."""
    return _dispatcher(function, {"contract"}, from_python=False)


def _dispatcher(function: Callable, fastmath: set[str], from_python: bool) -> Callable:
    # error_model: a check for division by zero would keep loops from being vectorised.
    dispatcher = numba.njit(
        nogil=True,
        fastmath=fastmath,
        error_model="numpy",
        no_cpython_wrapper=not from_python,
        no_cfunc_wrapper=True,
    )(function)
    dispatcher._cache = FolderCache(f"{function.__module__}.{function.__qualname__}")
    return dispatcher


@cache
def cache_folder() -> Path | None:
    """The folder of compiled functions for these sources and versions, None if it is not writable.

    It lies in $XDG_CACHE_HOME or ~/.cache, and may be deleted at any time. Only its owner may write
    to it: what lies there is run.
    """
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for source in [*sorted(here.glob("*.py")), here.parent / "elementary.py"]:
        digest.update(source.read_bytes())
    digest.update(sys.version.encode())
    for package in ("numba", "llvmlite", "numpy"):
        digest.update(importlib.metadata.version(package).encode())
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


@cache
def _announce() -> None:
    _log.warning("compiling for this processor, once on this machine; takes 3 to 15 seconds")


class FolderCache(NullCache):
    """numba's cache interface over one file per function, signature and processor.

    A file is the SHA-256 of the rest, then numba's pickle of a compile result. A missing, damaged
    or unwritable file only costs the compilation.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def cache_path(self) -> str | None:
        folder = cache_folder()
        return None if folder is None else str(folder)

    def load_overload(self, sig: object, target_context: object) -> object:
        target_context.refresh()
        path = self._path(sig, target_context.codegen())
        try:
            stored = b"" if path is None else path.read_bytes()
        except OSError:
            stored = b""
        payload = stored[32:]
        if hashlib.sha256(payload).digest() != stored[:32]:
            _announce()
            return None
        return compiler.CompileResult._rebuild(target_context, *pickle.loads(payload))

    def save_overload(self, sig: object, data: object) -> None:
        path = self._path(sig, data.codegen)
        if path is None:
            return
        payload = dumps(data._reduce())
        with contextlib.suppress(OSError):
            handle, temporary = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(payload).digest() + payload)
            os.replace(temporary, path)

    def _path(self, sig: object, codegen: object) -> Path | None:
        folder = cache_folder()
        if folder is None:
            return None
        key = hashlib.sha256(repr((sig, codegen.magic_tuple())).encode()).hexdigest()[:16]
        return folder / f"{self._name}-{key}.bin"
