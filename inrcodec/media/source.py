"""Where media come from: a path, bytes, or an open stream, as one seekable binary file."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadInput, InrError, LimitExceeded

Source = bytes | str | os.PathLike[str] | BinaryIO

HEAD_BYTES = 4096
_CHUNK_BYTES = 1 << 20


def open_source(source: Source, name: str = "") -> tuple[BinaryIO, str]:
    """A binary file at its beginning, and what error messages call it.

    Args:
        source: a path, the content itself, or an open binary file: one that can seek, or one that
            is buffered, such as `sys.stdin.buffer`.
        name: what error messages call it; by default the name of the file.

    Raises:
        BadInput: there is no such file, it cannot be read, or it is empty.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        file: BinaryIO = io.BytesIO(source)
        label = name or "the input"
    elif isinstance(source, (str, os.PathLike)):
        label = name or os.path.basename(os.fspath(source))
        try:
            file = open(source, "rb")  # noqa: SIM115 - the reader that it is for closes it
        except FileNotFoundError as error:
            raise BadInput(
                f"there is no file {os.fspath(source)!r}; check its name and folder"
            ) from error
        except IsADirectoryError as error:
            raise BadInput(
                f"{os.fspath(source)!r}: is a folder without PNG frames; name a file in it"
            ) from error
        except OSError as error:
            raise BadInput(f"{label}: cannot be read: {error.strerror or error}") from error
    else:
        file, label = source, name or "the input"
    if not head_of(file):
        raise BadInput(f"{label}: empty, expected an image, sound or video; check what wrote it")
    return file, label


def head_of(file: BinaryIO) -> bytes:
    """The first bytes of a file, which is left at its beginning, also where it cannot seek."""
    if not file.seekable():
        return file.peek(HEAD_BYTES)[:HEAD_BYTES]
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    return head


def held(file: BinaryIO) -> io.BytesIO:
    """All of a stream that cannot seek, in memory.

    Raises:
        LimitExceeded: it is longer than a file may be by default.
    """
    limit, content = Limits().max_file_bytes, io.BytesIO()
    while chunk := file.read(_CHUNK_BYTES):
        if content.tell() + len(chunk) > limit:
            raise LimitExceeded(f"has more than {limit} bytes; save it to a file, and read that")
        content.write(chunk)
    return content


def size_of(file: BinaryIO) -> int:
    """Bytes of a file that can seek, which is left at its beginning."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def _library_errors() -> tuple[type[Exception], ...]:
    """Of libraries that take long to load: asked for where something was raised."""
    import av
    import soundfile

    return av.FFmpegError, soundfile.SoundFileError


@contextmanager
def named_errors(label: str, what: str) -> Iterator[None]:
    """Turns what the libraries raise on faulty files into our errors, which name the file.

    Args:
        label: the file.
        what: what it seems to be, such as "a WAV file".
    """
    try:
        yield
    except InrError as error:
        if str(error).startswith(f"{label}: "):
            raise
        raise type(error)(f"{label}: {error}") from error
    except MemoryError as error:
        raise LimitExceeded(f"{label}: not enough memory for it") from error
    except (*_library_errors(), ValueError, EOFError, OSError) as error:
        # What they say beyond that is where they found it: "<none>", "<_io.BytesIO ...>".
        said = getattr(error, "error_string", None) or getattr(error, "strerror", None) or error
        raise BadInput(
            f"{label}: {what} that is damaged, cut short, or of a kind that is not read "
            f"({said}); get the file again, or convert it first"
        ) from error
