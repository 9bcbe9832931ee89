"""Streams and signals: stdout is pure, nothing ends in a traceback, nothing partial is left."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest


def shell(script: str, command: list[str], environment: dict[str, str], *arguments: object):
    """Runs a script of sh in which "$@" is the command line."""
    return subprocess.run(
        ["sh", "-c", script, "sh", *command, *map(str, arguments)],
        capture_output=True,
        timeout=120,
        check=False,
        env=environment,
    )


def test_nothing_but_data_reaches_stdout(call, picture, inr, tmp_path, quick):
    out = tmp_path / "a.inr"
    for arguments in (
        ("encode", picture, out, *quick, "-v", "--progress", "lines"),
        ("decode", inr, tmp_path / "a.png", "-v"),
        ("verify", inr),
    ):
        done = call(*arguments)
        assert (done.code, done.out) == (0, b"")
        assert done.err


def test_quiet_says_nothing_at_all(call, picture, inr, tmp_path, quick):
    for arguments in (
        ("encode", picture, tmp_path / "a.inr", *quick),
        ("decode", inr, tmp_path / "a.png"),
        ("verify", inr),
    ):
        done = call(*arguments, "--quiet")
        assert (done.code, done.out, done.err) == (0, b"", "")


def test_json_progress_is_one_object_per_line_on_stderr(call, picture, tmp_path, quick):
    done = call("encode", picture, tmp_path / "a.inr", *quick, "--progress", "json")
    records = [json.loads(line) for line in done.err.splitlines()]
    assert records[-1]["step"] == records[-1]["steps"]
    for record in records:
        assert record.keys() == {"step", "steps", "rate_bpp", "psnr_db", "left_seconds"}


def test_a_closed_stderr_costs_nothing(command, environment, inr):
    done = shell('exec "$@" 2>&-', command, environment, "decode", inr)
    assert done.returncode == 0
    assert inr.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert shell('exec "$@" 2>&-', command, environment, "info", "none").returncode == 3


@pytest.mark.parametrize("verb", ["decode", "info"])
def test_a_closed_stdout_is_refused_before_the_work(command, environment, inr, verb):
    target = ["-"] if verb == "decode" else []
    done = shell('exec "$@" >&-', command, environment, verb, inr, *target)
    assert done.returncode == 7
    assert b"standard output is closed" in done.stderr


def test_a_closed_stdin_is_refused(command, environment):
    done = shell('exec "$@" <&-', command, environment, "info", "-")
    assert done.returncode == 3
    assert b"standard input is closed" in done.stderr


@pytest.mark.parametrize("target", ["| true", "> /dev/full"])
def test_a_reader_that_goes_away_is_no_traceback(command, environment, inr, target):
    script = f'{{ "$@"; echo $? >&2; }} {target}'
    done = shell(script, command, environment, "decode", inr, "-", "--scale", 60, "--quiet")
    message, code = done.stderr.decode().splitlines()
    assert code == "7"
    assert "standard output cannot be written" in message


def test_help_that_cannot_be_printed_is_no_success(command, environment):
    # Unbuffered, the failure would reach argparse alone, which keeps it to itself.
    buffered = {name: v for name, v in environment.items() if name != "PYTHONUNBUFFERED"}
    done = shell('exec "$@" > /dev/full', command, buffered, "--help")
    assert (done.returncode, done.stderr) == (7, b"")


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_an_interrupt_leaves_no_output(command, environment, picture, tmp_path, number, code, word):
    arguments = ["encode", picture, tmp_path / "out.inr", "--progress", "json", "-e", "9"]
    process = subprocess.Popen(
        [*command, *map(str, arguments), "--engine", "reference", "--device", "cpu"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        # A suite in the background of a shell was told to ignore SIGINT, and so would what it runs.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        first = json.loads(process.stderr.readline())
        assert first["step"] < first["steps"]
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert out == b""
    assert b"Traceback" not in err
    assert err.decode().splitlines()[-1] == f"inrcodec: {word}"
    assert list(tmp_path.iterdir()) == []
