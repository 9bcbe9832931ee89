"""The first run on a machine compiles in several processes what it is about to call.

numba compiles in one thread of a process at a time.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from inrcodec.kernels import cache
from inrcodec.runtime import threads

_PROCESSES = 4  # a fit and its decode need no more: the longest function takes a quarter of it all
_DONE = b"."


class Code(Protocol):
    """The compiled code of a function; can be pickled."""

    def is_kept(self) -> bool:
        """Whether it was compiled on this machine before."""

    def make(self) -> None:
        """Compiles it and keeps it."""


def make_ahead(codes: Iterable[Code]) -> None:
    """Compiles what is not kept yet, and returns when all is.

    Where several processes are of no use, this does nothing, and each function is compiled when it
    is called. So is what another process fails to do.
    """
    missing = deque(code for code in codes if not code.is_kept())
    others = min(threads(), _PROCESSES, len(missing)) - 1
    if others < 1 or cache.cache_folder() is None:
        return
    cache.announce()
    with ThreadPoolExecutor(others) as pool:
        for _ in range(others):
            pool.submit(_feed, missing)
        try:
            for code in _taken(missing):
                code.make()
        finally:
            missing.clear()


def _feed(missing: deque[Code]) -> None:
    """Gives one after the other to a process that finds the same modules, until none is left.

    Raises:
        OSError: there can be no such process, or it has failed.
    """
    from subprocess import DEVNULL, PIPE, Popen

    if not sys.executable or getattr(sys, "frozen", False):
        raise OSError("this program is not a Python that can be started again")
    script = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import _serve; _serve()"
    command = [sys.executable, "-c", script]
    with Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL) as process:
        for code in _taken(missing):
            pickle.dump(code, process.stdin)
            process.stdin.flush()
            if process.stdout.read(1) != _DONE:
                raise OSError("the process has failed")


def _serve() -> None:
    """Compiles what comes in by stdin, and says so by stdout."""
    with contextlib.suppress(EOFError):
        while True:
            pickle.load(sys.stdin.buffer).make()
            sys.stdout.buffer.write(_DONE)
            sys.stdout.flush()


def _taken(missing: deque[Code]) -> Iterator[Code]:
    """Those that are left, each for one taker."""
    with contextlib.suppress(IndexError):
        while True:
            yield missing.popleft()
