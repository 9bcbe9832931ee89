"""Whole files in and out: "-" for the standard streams; an output is complete or absent."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO

from inrcodec.errors import BadInput, InrError, LimitExceeded, OutputError

STANDARD_STREAM = "-"
_CHUNK_BYTES = 1 << 20

Path = str | os.PathLike[str]


def read_bytes(path_or_dash: Path, max_bytes: int) -> bytes:
    """The content of a file, or of standard input for "-".

    Args:
        path_or_dash: a path, or "-".
        max_bytes: 0 or more; at most this much is held in memory, also from an endless stream.

    Raises:
        BadInput: the file is missing, a folder, not readable, or empty.
        LimitExceeded: it is larger than `max_bytes`.
    """
    path = os.fspath(path_or_dash)
    try:
        if path == STANDARD_STREAM:
            return _read_stream(sys.stdin.buffer, "standard input", max_bytes)
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size > max_bytes:
                raise LimitExceeded(_too_large(repr(path), f"{status.st_size} bytes", max_bytes))
            return _read_stream(file, repr(path), max_bytes)
    except FileNotFoundError as error:
        raise BadInput(f"there is no file {path!r}; check its name and folder") from error
    except IsADirectoryError as error:
        raise BadInput(f"{path!r} is a folder, expected a file; name a file in it") from error
    except OSError as error:
        raise BadInput(f"{path!r} cannot be read: {error.strerror or error}") from error


def _read_stream(stream: BinaryIO, name: str, max_bytes: int) -> bytes:
    # BytesIO hands its buffer over without a copy, and grows with what arrives rather than with
    # `max_bytes`, which read(max_bytes) would allocate at once.
    content = io.BytesIO()
    while chunk := stream.read(_CHUNK_BYTES):
        if content.tell() + len(chunk) > max_bytes:
            raise LimitExceeded(_too_large(name, "more", max_bytes))
        content.write(chunk)
    if not content.tell():
        raise BadInput(f"{name} is empty, expected data; check what wrote it")
    return content.getvalue()


def _too_large(name: str, found: str, max_bytes: int) -> str:
    return (
        f"{name} has {found}, allowed are {max_bytes} bytes; "
        "if you trust it, raise the limit on the file size"
    )


def check_output(path: Path, force: bool, input_path: Path | None = None) -> None:
    """Refuse an output that `write_atomic` would refuse too, before hours of work go into it.

    Args:
        path: where the output is to go, or "-".
        force: whether an existing file may be replaced.
        input_path: the file that the output is made from, which it must not replace.

    Raises:
        OutputError: the output is the input, exists without `force`, is a folder, or its folder is
            missing or not writable.
    """
    output = os.fspath(path)
    if output == STANDARD_STREAM:
        return
    if input_path is not None and _is_same_file(input_path, output):
        raise OutputError(
            f"the output {output!r} is the input {os.fspath(input_path)!r}; "
            "name another output, -f does not help here"
        )
    if is_special(output):
        return
    target = _check_target(output, force)
    part = _part_path(target)
    try:
        # Permission bits alone do not tell of read-only mounts, quotas and names too long.
        open(part, "xb").close()
    except FileExistsError:
        return
    except OSError as error:
        raise OutputError(
            f"the folder {os.path.dirname(target)!r} does not take the output "
            f"{os.path.basename(target)!r}: {error.strerror}; choose another one"
        ) from error
    os.unlink(part)


def write_atomic(path_or_dash: Path, data: bytes, force: bool) -> None:
    """Write `data` as a whole file: afterwards the file is complete, or as it was before.

    The data goes to a hidden file in the same folder, which is renamed once it is on disk. Only a
    kill or a power failure can leave that file (`.name.pid.part`) behind. A symbolic link stays
    one, a replaced file keeps its permissions, a device or pipe is written to directly.

    Args:
        path_or_dash: a path, or "-" for standard output.
        data: the whole content.
        force: whether an existing file may be replaced.

    Raises:
        OutputError: the file exists and `force` is false, or it cannot be written.
    """
    path = os.fspath(path_or_dash)
    if path == STANDARD_STREAM:
        _write_stdout(data)
        return
    with _named_failures(path):
        if is_special(path):
            with open(path, "wb") as file:
                file.write(data)
        else:
            with _replacing(_check_target(path, force)) as file:
                file.write(data)


def write_streamed(
    path_or_dash: Path, write: Callable[[BinaryIO], None], force: bool, seeks: bool = True
) -> int:
    """Has a whole file written piece by piece, as `write_atomic` writes it; returns its bytes.

    Args:
        path_or_dash: a path, or "-" for standard output.
        write: writes to a binary file.
        force: whether an existing file may be replaced.
        seeks: whether it goes back in the file; to a pipe all of it is then written at the end.

    Raises:
        OutputError: as `write_atomic`. What `write` raises is passed on, and no output is left.
    """
    path = os.fspath(path_or_dash)
    if path != STANDARD_STREAM and not is_special(path):
        with _named_failures(path), _replacing(_check_target(path, force)) as file:
            write(file)
            return file.seek(0, os.SEEK_END)
    if seeks:
        held = io.BytesIO()
        write(held)
        write_atomic(path, held.getvalue(), force)
        return len(held.getvalue())
    counted = _Counted(path)
    write(counted)
    counted.close()
    return counted.written


class _Counted(io.RawIOBase):
    """A pipe or device, to which all is written that is given."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path, self.written = path, 0
        self._file = None if path == STANDARD_STREAM else open(path, "wb")  # noqa: SIM115

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        if self._file is None:
            _write_stdout(data)
        else:
            with _named_failures(self._path):
                self._file.write(data)
        self.written += len(data)
        return len(data)

    def close(self) -> None:
        if self._file is not None:
            with _named_failures(self._path):
                self._file.close()
        super().close()


@contextlib.contextmanager
def _named_failures(path: str) -> Iterator[None]:
    try:
        yield
    except InrError:
        raise
    except OSError as error:
        raise OutputError(
            f"{path!r} cannot be written: {error.strerror or error}; "
            "free some space or choose another place"
        ) from error


@contextlib.contextmanager
def _replacing(target: str) -> Iterator[BinaryIO]:
    """A new file that takes the name of `target` once it is complete and on disk."""
    part = _part_path(target)
    # A file of this name was left by a killed process that had our number.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(part)
    try:
        with open(part, "x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            shutil.copymode(target, part)
        os.replace(part, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
    _sync_folder(os.path.dirname(target))


def _sync_folder(folder: str) -> None:
    """Bring the rename to disk too, where the system can do that for a folder."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        # Network file systems without sync of folders, and folders that may be written to but not
        # listed: the data itself is on disk, only its name might not survive a power failure.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EACCES):
            raise


def _write_stdout(data: bytes) -> None:
    try:
        # One write is enough unless Python runs unbuffered (PYTHONUNBUFFERED, usual in containers):
        # then a full disk takes a part of the data, and only the next write fails.
        rest = memoryview(data)
        while rest:
            rest = rest[sys.stdout.buffer.write(rest) or 0 :]
        sys.stdout.buffer.flush()
    except OSError as error:
        # What is left in the buffer would fail again at exit, and replace our exit code by 120.
        with contextlib.suppress(OSError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        raise OutputError(
            f"standard output cannot be written: {error.strerror}; "
            "check the program or file that it goes to"
        ) from error


def _check_target(path: str, force: bool) -> str:
    """The absolute path to write to, symbolic links followed, after all checks without a write."""
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise OutputError(f"the output {path!r} is a folder; name a file in it")
    if not os.path.isdir(os.path.dirname(target)):
        raise OutputError(
            f"there is no folder {os.path.dirname(target)!r} for the output {path!r}; create it"
        )
    if not os.path.basename(path):
        raise OutputError(f"the output {path!r} does not name a file; add a file name")
    if os.path.exists(target) and not force:
        raise OutputError(f"the output {path!r} exists; use -f to replace it, or name another one")
    return target


def _part_path(target: str) -> str:
    folder, name = os.path.split(target)
    return os.path.join(folder, f".{name}.{os.getpid()}.part")


def is_special(path: str) -> bool:
    """Whether a path is a device, pipe or socket, which must not be renamed over."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def _is_same_file(first: Path, second: Path) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False
