"""Files: an output is complete or as it was before, and every refusal says what to do."""

import contextlib
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from inrcodec.errors import BadInput, LimitExceeded, OutputError
from inrcodec.files import check_output, read_bytes, write_atomic, write_streamed

DATA = bytes(range(256)) * 400
MANY = 10**9


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def run_python(code: str, *args: object, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", code, *map(str, args)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(command, check=False, timeout=60, **options)


@contextlib.contextmanager
def file_size_limit(n_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def forbidden_folder(mode: int) -> Iterator[Path]:
    """A folder with these permission bits, as seen by a user who is bound by them."""
    is_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "old.inr").write_bytes(b"old")
        os.chmod(Path(folder, "old.inr"), 0o600)
        os.chmod(folder, mode)
        if is_root:
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            if is_root:
                os.seteuid(0)
            os.chmod(folder, 0o700)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    for data in (b"x", DATA, bytes(3 << 20)):
        write_atomic(tmp_path / "out.inr", data, force=True)
        assert read_bytes(tmp_path / "out.inr", MANY) == data
    assert names(tmp_path) == ["out.inr"]


def test_relative_names_and_plain_strings_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_output("out.inr", force=False)
    write_atomic("out.inr", DATA, force=False)
    assert read_bytes("out.inr", MANY) == DATA


def test_missing_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no file '.*in\.png'; check"):
        read_bytes(tmp_path / "in.png", MANY)


def test_a_folder_as_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is a folder"):
        read_bytes(tmp_path, MANY)


def test_an_empty_input_is_named(tmp_path: Path) -> None:
    (tmp_path / "in.png").touch()
    with pytest.raises(BadInput, match="is empty"):
        read_bytes(tmp_path / "in.png", MANY)


def test_a_path_through_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(b"x")
    with pytest.raises(BadInput, match="Not a directory"):
        read_bytes(tmp_path / "in.png" / "more", MANY)


def test_an_unreadable_input_is_named() -> None:
    with forbidden_folder(0o711) as folder, pytest.raises(BadInput, match="Permission denied"):
        read_bytes(folder / "old.inr", MANY)


def test_input_size_is_bounded_before_it_is_read(tmp_path: Path) -> None:
    with open(tmp_path / "huge", "wb") as file:
        file.truncate(2**40)
    with pytest.raises(LimitExceeded, match=f"{2**40} bytes, allowed are 1000 bytes"):
        read_bytes(tmp_path / "huge", 1000)


def test_an_endless_input_stops_at_the_bound() -> None:
    with pytest.raises(LimitExceeded, match="allowed are 5000000 bytes"):
        read_bytes("/dev/zero", 5_000_000)


def test_an_input_of_exactly_the_bound_is_read(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(DATA)
    assert read_bytes(tmp_path / "in", len(DATA)) == DATA
    with pytest.raises(LimitExceeded):
        read_bytes(tmp_path / "in", len(DATA) - 1)


COPY = (
    "import sys; from inrcodec.files import *; from inrcodec.errors import InrError\n"
    "try: write_atomic('-', read_bytes('-', 10**6), False)\n"
    "except InrError as error: print(error, file=sys.stderr); sys.exit(error.exit_code)"
)


def test_a_dash_is_standard_input_and_output_byte_for_byte() -> None:
    run = run_python(COPY, input=DATA)
    assert (run.returncode, run.stdout, run.stderr) == (0, DATA, b"")


def test_empty_standard_input_is_named() -> None:
    run = run_python(COPY, input=b"")
    assert run.returncode == BadInput.exit_code
    assert b"standard input is empty" in run.stderr


def test_standard_input_is_bounded() -> None:
    run = run_python(COPY, input=bytes(10**6 + 1))
    assert run.returncode == LimitExceeded.exit_code
    assert run.stdout == b""


def streams(*, buffered: bool) -> dict[str, str]:
    """The environment in which Python's standard output is buffered, or not."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    return environment if buffered else {**environment, "PYTHONUNBUFFERED": "1"}


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("size", [10, 500_000])
def test_a_full_standard_output_is_an_output_error_with_its_exit_code(
    size: int, buffered: bool
) -> None:
    with open("/dev/full", "wb") as full:
        run = run_python(COPY, input=bytes(size), stdout=full, env=streams(buffered=buffered))
    assert b"No space left" in run.stderr and b"Exception ignored" not in run.stderr
    assert run.returncode == OutputError.exit_code


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("size", [10, 500_000])
def test_a_closed_pipe_is_an_output_error_with_its_exit_code(size: int, buffered: bool) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    run = run_python(COPY, input=bytes(size), stdout=writer, env=streams(buffered=buffered))
    os.close(writer)
    assert b"Broken pipe" in run.stderr and b"Exception ignored" not in run.stderr
    assert run.returncode == OutputError.exit_code


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("limit", [5, 4096, 100_000])
def test_standard_output_is_never_cut_short_in_silence(
    tmp_path: Path, limit: int, buffered: bool
) -> None:
    with file_size_limit(limit), open(tmp_path / "out", "wb") as out:
        run = run_python(COPY, input=DATA, stdout=out, env=streams(buffered=buffered))
    assert b"File too large" in run.stderr and b"Exception ignored" not in run.stderr
    assert run.returncode == OutputError.exit_code


def test_an_existing_output_is_kept_without_force(tmp_path: Path) -> None:
    out = tmp_path / "out.inr"
    out.write_bytes(b"old")
    for refuse in (lambda: write_atomic(out, DATA, False), lambda: check_output(out, False)):
        with pytest.raises(OutputError, match="exists; use -f"):
            refuse()
    assert out.read_bytes() == b"old"
    check_output(out, force=True)
    assert out.read_bytes() == b"old"
    write_atomic(out, DATA, force=True)
    assert out.read_bytes() == DATA
    assert names(tmp_path) == ["out.inr"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "is a folder"),
        ("missing/out.inr", "no folder .*missing.*create it"),
        ("old.inr/out.inr", "no folder"),
        ("new/", "does not name a file"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_places_that_cannot_be_written_are_named_before_and_at_writing(
    tmp_path: Path, name: str, message: str, force: bool
) -> None:
    (tmp_path / "old.inr").write_bytes(b"old")
    target = f"{tmp_path}/{name}"
    with pytest.raises(OutputError, match=message):
        check_output(target, force)
    with pytest.raises(OutputError, match=message):
        write_atomic(target, DATA, force)
    assert names(tmp_path) == ["old.inr"]


def test_a_folder_without_write_permission_is_named_before_the_work() -> None:
    with forbidden_folder(0o555) as folder:
        with pytest.raises(OutputError, match="Permission denied; choose another"):
            check_output(folder / "new.inr", force=False)
        with pytest.raises(OutputError, match="Permission denied"):
            write_atomic(folder / "new.inr", DATA, force=False)
        with pytest.raises(OutputError, match="Permission denied"):
            write_atomic(folder / "old.inr", DATA, force=True)
        assert names(folder) == ["old.inr"]


def test_a_folder_that_cannot_be_listed_can_still_be_written_to() -> None:
    with forbidden_folder(0o333) as folder:
        check_output(folder / "new.inr", force=False)
        write_atomic(folder / "new.inr", DATA, force=False)
        assert read_bytes(folder / "new.inr", MANY) == DATA


def test_a_name_too_long_is_found_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="File name too long"):
        check_output(tmp_path / ("x" * 253), force=False)
    with pytest.raises(OutputError, match="File name too long"):
        write_atomic(tmp_path / ("x" * 253), DATA, force=False)


def test_the_check_leaves_nothing_behind(tmp_path: Path) -> None:
    check_output(tmp_path / "out.inr", force=False, input_path=tmp_path / "in.png")
    check_output("-", force=False, input_path="-")
    check_output("-", force=False, input_path=tmp_path / "in.png")
    assert names(tmp_path) == []


@pytest.mark.parametrize("how", ["same name", "other spelling", "hard link", "symbolic link"])
@pytest.mark.parametrize("force", [False, True])
def test_the_input_is_never_the_output(tmp_path: Path, how: str, force: bool) -> None:
    source = tmp_path / "in.png"
    source.write_bytes(b"picture")
    output = tmp_path / "out.inr"
    if how == "same name":
        output = source
    elif how == "other spelling":
        output = tmp_path / ".." / tmp_path.name / "in.png"
    elif how == "hard link":
        os.link(source, output)
    else:
        output.symlink_to(source)
    with pytest.raises(OutputError, match="is the input"):
        check_output(output, force, input_path=source)


def test_a_symbolic_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.inr").write_bytes(b"old")
    (tmp_path / "link.inr").symlink_to("real.inr")
    write_atomic(tmp_path / "link.inr", DATA, force=True)
    assert (tmp_path / "link.inr").is_symlink()
    assert (tmp_path / "real.inr").read_bytes() == DATA


def test_a_replaced_file_keeps_its_permissions_and_a_new_one_follows_the_umask(
    tmp_path: Path,
) -> None:
    (tmp_path / "private.inr").write_bytes(b"old")
    os.chmod(tmp_path / "private.inr", 0o600)
    write_atomic(tmp_path / "private.inr", DATA, force=True)
    assert stat.S_IMODE((tmp_path / "private.inr").stat().st_mode) == 0o600
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "new.inr", DATA, force=False)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.inr").stat().st_mode) == 0o640


def test_devices_are_written_directly_and_need_no_force() -> None:
    check_output("/dev/null", force=False)
    write_atomic("/dev/null", DATA, force=False)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_full_device_is_an_output_error() -> None:
    with pytest.raises(OutputError, match="No space left on device; free some space"):
        write_atomic("/dev/full", DATA, force=False)
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_named_pipe_is_written_directly(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(read_bytes(pipe, MANY)))
    reader.start()
    write_atomic(pipe, DATA, force=False)
    reader.join(timeout=10)
    assert received == [DATA]
    assert names(tmp_path) == ["pipe"]


@pytest.mark.parametrize("limit", [0, 1, 4096, len(DATA) - 1])
def test_a_write_that_fails_leaves_the_old_file_and_no_part(tmp_path: Path, limit: int) -> None:
    (tmp_path / "old.inr").write_bytes(b"old")
    for name in ("old.inr", "new.inr"):
        with file_size_limit(limit), pytest.raises(OutputError, match="File too large"):
            write_atomic(tmp_path / name, DATA, force=True)
    assert (tmp_path / "old.inr").read_bytes() == b"old"
    assert names(tmp_path) == ["old.inr"]


def test_a_part_file_left_by_a_killed_process_of_our_number_is_in_nobodys_way(
    tmp_path: Path,
) -> None:
    (tmp_path / f".out.inr.{os.getpid()}.part").write_bytes(b"half")
    check_output(tmp_path / "out.inr", force=False)
    write_atomic(tmp_path / "out.inr", DATA, force=False)
    assert names(tmp_path) == ["out.inr"]


def test_a_link_planted_under_the_name_of_the_part_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / f".out.inr.{os.getpid()}.part").symlink_to("victim")
    write_atomic(tmp_path / "out.inr", DATA, force=False)
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert names(tmp_path) == ["out.inr", "victim"]


# Under a shell that put the tests into the background interrupts are ignored, unless they are asked
# for.
OVERWRITE_FOREVER = """
import signal, sys
from inrcodec.files import write_atomic
signal.signal(signal.SIGINT, signal.default_int_handler)
versions = [bytes([i]) * (1 << 20) for i in (1, 2)]
print("ready", flush=True)
while True:
    for data in versions:
        write_atomic(sys.argv[1], data, force=True)
"""


def stop_while_writing(output: Path, number: signal.Signals, after_seconds: float) -> None:
    """Let another process overwrite `output` again and again, and send it a signal meanwhile."""
    command = [sys.executable, "-c", OVERWRITE_FOREVER, str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(after_seconds)
        process.send_signal(number)
        process.wait(timeout=30)


def is_absent_or_complete(output: Path) -> bool:
    if not output.exists():
        return True
    data = output.read_bytes()
    return len(data) == 1 << 20 and data[:1] in (b"\x01", b"\x02") and len(set(data)) == 1


def test_a_kill_at_any_moment_leaves_the_output_absent_or_complete(tmp_path: Path) -> None:
    moments = random.Random(1)
    output = tmp_path / "out.inr"
    for _ in range(8):
        stop_while_writing(output, signal.SIGKILL, moments.uniform(0, 0.03))
        assert is_absent_or_complete(output)
    write_atomic(output, DATA, force=True)
    assert read_bytes(output, MANY) == DATA


def test_an_interrupt_at_any_moment_leaves_no_part_file(tmp_path: Path) -> None:
    moments = random.Random(2)
    output = tmp_path / "out.inr"
    for _ in range(8):
        stop_while_writing(output, signal.SIGINT, moments.uniform(0, 0.03))
        assert is_absent_or_complete(output)
        assert names(tmp_path) in ([], ["out.inr"])


@pytest.mark.parametrize("seeks", [True, False])
def test_a_streamed_output_is_complete_or_as_it_was_before(tmp_path: Path, seeks: bool) -> None:
    path = tmp_path / "out.bin"
    path.write_bytes(b"old")

    def failing(file: BinaryIO) -> None:
        file.write(b"half of it")
        raise BadInput("the source is damaged")

    with pytest.raises(BadInput, match="damaged"):
        write_streamed(path, failing, force=True, seeks=seeks)
    assert path.read_bytes() == b"old"
    with pytest.raises(OutputError, match="use -f"):
        write_streamed(path, lambda file: None, force=False, seeks=seeks)
    written = write_streamed(
        path, lambda file: [file.write(part) for part in (b"new ", b"parts")], True, seeks
    )
    assert (path.read_bytes(), written) == (b"new parts", 9)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.bin"]


def test_a_streamed_output_may_go_back_in_its_file(tmp_path: Path) -> None:
    def write(file: BinaryIO) -> None:
        file.write(b"????rest")
        file.seek(0)
        file.write(b"head")

    assert write_streamed(tmp_path / "a", write, force=False) == 8
    assert (tmp_path / "a").read_bytes() == b"headrest"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("seeks", [True, False])
def test_a_full_device_is_an_output_error_for_streams_too(seeks: bool) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_streamed("/dev/full", lambda file: file.write(bytes(10**6)), True, seeks)
