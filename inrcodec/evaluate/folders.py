"""Folders that results go into."""

from __future__ import annotations

import os

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
