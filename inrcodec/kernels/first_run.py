"""The first run on a machine compiles in two processes what it is about to call.

numba compiles in one thread of a process at a time.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from threading import Thread
from typing import TYPE_CHECKING, Protocol

from inrcodec.kernels import cache
from inrcodec.runtime import threads

if TYPE_CHECKING:
    from subprocess import Popen

_PATIENCE = 300.0  # seconds for what the other process has begun, when all else is done
_DONE = b"."


class Code(Protocol):
    """The compiled code of a function; can be pickled."""

    def is_kept(self) -> bool:
        """Whether it was compiled on this machine before."""

    def make(self) -> None:
        """Compiles it and keeps it."""


def make_ahead(codes: Iterable[Code]) -> None:
    """Compiles what is not kept yet, and returns when all is.

    Where two processes are of no use, this does nothing, and each function is compiled when it is
    called. So is what the other process fails to do.
    """
    missing = deque(code for code in codes if not code.is_kept())
    if len(missing) < 2 or threads() < 2 or cache.cache_folder() is None:
        return
    cache.announce()
    try:
        helper = _started()
    except OSError:
        return
    with helper:
        feeder = Thread(target=_feed, args=(helper, missing), daemon=True)
        feeder.start()
        try:
            for code in _taken(missing):
                code.make()
            feeder.join(_PATIENCE)
        finally:
            helper.kill()


def _started() -> Popen[bytes]:
    """Another process that finds the same modules, at work in `_serve`.

    Raises:
        OSError: there can be none.
    """
    from subprocess import DEVNULL, PIPE, Popen

    if not sys.executable or getattr(sys, "frozen", False):
        raise OSError("this program is not a Python that can be started again")
    code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import _serve; _serve()"
    return Popen([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE, stderr=DEVNULL)


def _feed(helper: Popen[bytes], missing: deque[Code]) -> None:
    """Gives one after the other to the other process, until none is left or it fails."""
    with contextlib.suppress(OSError, ValueError):  # its pipes are closed
        for code in _taken(missing):
            pickle.dump(code, helper.stdin)
            helper.stdin.flush()
            if helper.stdout.read(1) != _DONE:
                return


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
