"""Progress never gets in the way: not of a pipe, a narrow terminal, or a stream that is gone."""

from __future__ import annotations

import io
import json
import os
import pty

import pytest

from inrcodec.errors import BadOption
from inrcodec.progress import (
    BarReporter,
    JsonReporter,
    LineReporter,
    PartReporter,
    Reporter,
    _clock,
    reporter,
)


def run(kind: type[LineReporter], stream: io.TextIOBase, steps: int = 3) -> None:
    shown = kind(stream)
    shown.interval_seconds = 0
    shown.begin(steps)
    for step in range(steps):
        shown.step(0.5 - step / 10, 0.01)
    shown.end()


def test_lines_tell_step_rate_psnr_and_time_left():
    stream = io.StringIO()
    run(LineReporter, stream)
    assert stream.getvalue().splitlines()[-1] == "step 3/3  0.3000 bpp  20.00 dB  0:00 left"


def told_of_a_sound(kind: type[LineReporter]) -> str:
    """What is told of 2 bits per frame at 8000 Hz, at 20 dB below the sound."""
    stream = io.StringIO()
    shown = kind(stream)
    shown.interval_seconds = 0
    part = PartReporter(shown, 0, 1)
    part.sound(8000, power=0.04)
    part.begin(2)
    part.step(2.0, 0.04)
    part.step(2.0, 0.0004)
    return stream.getvalue()


def test_of_a_sound_kbps_and_snr_are_told_as_in_the_result():
    assert told_of_a_sound(LineReporter) == "step 2/2  16.00 kbps  20.00 dB  0:00 left\n"
    assert "16.00 kbps  20.00 dB" in told_of_a_sound(BarReporter)
    record = json.loads(told_of_a_sound(JsonReporter))
    assert (record["rate_kbps"], record["snr_db"]) == (16.0, 20.0)
    assert not {"rate_bpp", "psnr_db"} & set(record)


def test_json_lines_are_objects():
    stream = io.StringIO()
    run(JsonReporter, stream)
    assert [json.loads(line)["step"] for line in stream.getvalue().splitlines()] == [2, 3]


def test_the_bar_is_redrawn_in_place_and_removed_at_the_end():
    stream = io.StringIO()
    run(BarReporter, stream)
    text = stream.getvalue()
    assert "\n" not in text
    assert f"\r[{'=' * 24}] 3/3" in text
    assert text.endswith("\r\033[K")


def test_the_bar_fits_a_narrow_terminal():
    leader, follower = pty.openpty()
    os.set_blocking(leader, False)
    with os.fdopen(follower, "w") as stream:
        import fcntl
        import struct
        import termios

        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("4H", 24, 30, 0, 0))
        run(BarReporter, stream)
        text = os.read(leader, 10_000).decode()
    os.close(leader)
    drawn = [part.removesuffix("\033[K") for part in text.split("\r")]
    assert max(map(len, drawn)) == 29


@pytest.mark.parametrize("kind", [LineReporter, BarReporter, JsonReporter])
def test_a_stream_that_is_gone_does_not_stop_the_work(kind):
    stream = io.StringIO()
    stream.close()
    run(kind, stream)


@pytest.mark.parametrize("kind", [LineReporter, BarReporter, JsonReporter])
def test_a_process_without_stderr_gets_no_progress(kind, monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    run(kind, None)
    assert type(reporter("auto")) is LineReporter


def test_auto_is_lines_where_stderr_is_no_terminal():
    assert type(reporter("auto")) is LineReporter
    assert type(reporter("none")) is Reporter


def test_unknown_styles_are_refused():
    with pytest.raises(BadOption, match="expected one of auto, bar, lines, json, none"):
        reporter("fireworks")


def test_long_times_are_shown_in_hours():
    assert [_clock(s) for s in (0.4, 59.6, 3599, 7325)] == ["0:00", "1:00", "59:59", "2:02:05"]


def test_the_time_that_the_first_step_takes_to_load_is_not_expected_of_the_others(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("inrcodec.progress.time.monotonic", lambda: clock[0])
    stream = io.StringIO()
    reporter = LineReporter(stream)
    reporter.begin(100)
    clock[0] = 60.0
    reporter.step(1.0, 1e-3)
    assert stream.getvalue() == ""
    for _ in range(10):
        clock[0] += 1.0
        reporter.step(1.0, 1e-3)
    last = stream.getvalue().splitlines()[-1]
    assert last.startswith("step 7/100") and last.endswith("1:33 left")  # 93 steps of a second
