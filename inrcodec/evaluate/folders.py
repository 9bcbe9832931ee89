"""Folders that results go into."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

from inrcodec.errors import OutputError


def make_folder(path: str | os.PathLike[str]) -> None:
    """Makes a folder, and those that it lies in, unless it is there.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the folder {os.fspath(path)!r} cannot be made: {error.strerror or error}; "
            "choose another place"
        ) from error


@contextlib.contextmanager
def claimed(path: str) -> Iterator[None]:
    """Keeps a folder from being claimed twice at a time, where the system can do that.

    Raises:
        OutputError: it is claimed already.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise OutputError(
            f"another comparison is at work in {path!r}; wait for its end, or name another folder"
        ) from error
    except OSError:  # file systems without locks
        pass
    try:
        yield
    finally:
        os.close(descriptor)
