"""Progress on stderr: a bar on a terminal, plain lines elsewhere, JSON lines for programs."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from typing import TextIO

from inrcodec.errors import BadOption

STYLES = ("auto", "bar", "lines", "json", "none")


class Reporter:
    """Told of every step of a fit; this one keeps quiet."""

    def attempt(self, number: int) -> None:
        """What begins now is that one of several attempts, from 1."""

    def sound(self, rate_hz: int, power: float) -> None:
        """What is fitted is a sound of that many frames per second and mean square."""

    def begin(self, total: int) -> None:
        """Work of `total` steps starts."""

    def step(self, rate_bpp: float, mse: float) -> None:
        """One step is done, at that rate and mean squared error.

        Args:
            rate_bpp: bits per pixel, of a sound per frame.
            mse: where the signal spans 0..1.
        """

    def skip(self, steps: int) -> None:
        """That many steps of the total turned out not to be needed."""

    def expect(self, steps: int) -> None:
        """That many steps are left."""

    def restart(self) -> None:
        """The steps done so far count no more."""

    def end(self) -> None:
        """The work is done."""


class PartReporter(Reporter):
    """Told of one of several fits; tells another reporter of all of them as one.

    Args:
        reporter: that one.
        index: of this fit, from 0.
        count: of fits; None where nobody knows.
    """

    def __init__(self, reporter: Reporter, index: int, count: int | None) -> None:
        self._reporter, self._index, self._count = reporter, index, count
        self._done = 0

    def sound(self, rate_hz: int, power: float) -> None:
        self._reporter.sound(rate_hz, power)

    def begin(self, total: int) -> None:
        left = 1 if self._count is None else self._count - self._index
        if self._index == 0 or self._count is None:
            self._reporter.begin(total * left)
        else:
            self._reporter.expect(total * left)

    def step(self, rate_bpp: float, mse: float) -> None:
        self._done += 1
        self._reporter.step(rate_bpp, mse)

    def skip(self, steps: int) -> None:
        self._reporter.skip(steps)

    def restart(self) -> None:
        self._reporter.skip(-self._done)
        self._done = 0

    def end(self) -> None:
        if self._count is None or self._index == self._count - 1:
            self._reporter.end()


class LineReporter(Reporter):
    """Writes step, rate, PSNR or SNR, and the time left, at most every `interval_seconds`."""

    interval_seconds = 5.0

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream: TextIO | None = stream or sys.stderr
        self._total = self._done = self._attempt = 0
        self._begun = self._shown = 0.0
        self._rate_hz, self._power = 0, 1.0  # of a sound; else 0, and the square of full scale

    def attempt(self, number: int) -> None:
        self._attempt = number

    def sound(self, rate_hz: int, power: float) -> None:
        self._rate_hz, self._power = rate_hz, power

    def begin(self, total: int) -> None:
        self._total, self._done = total, 0
        self._begun = self._shown = time.monotonic()

    def step(self, rate_bpp: float, mse: float) -> None:
        self._done += 1
        now = time.monotonic()
        if self._done == 1 < self._total:  # it loads, and may compile: no measure of the others
            self._begun = now
        elif now - self._shown >= self.interval_seconds or self._done == self._total:
            self._shown = now
            left = (now - self._begun) / max(1, self._done - 1) * (self._total - self._done)
            rate = rate_bpp * self._rate_hz / 1000 if self._rate_hz else rate_bpp
            ratio = max(self._power, 1e-10) / max(mse, 1e-10)
            self._show(self._done, rate, 10 * math.log10(ratio), left)

    def skip(self, steps: int) -> None:
        self._total -= steps

    def expect(self, steps: int) -> None:
        self._total = self._done + steps

    def restart(self) -> None:
        self._done = 0
        self._begun = time.monotonic()

    def _show(self, done: int, rate: float, quality_db: float, left_seconds: float) -> None:
        self._write(
            f"{self._prefix()}step {done}/{self._total}  {self._found(rate, quality_db)}  "
            f"{_clock(left_seconds)} left\n"
        )

    def _found(self, rate: float, quality_db: float) -> str:
        shown = f"{rate:.2f} kbps" if self._rate_hz else f"{rate:.4f} bpp"
        return f"{shown}  {quality_db:.2f} dB"

    def _prefix(self) -> str:
        return f"attempt {self._attempt}: " if self._attempt else ""

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            # A closed or broken stderr must not cost the user the encode.
            self._stream = None


class BarReporter(LineReporter):
    """One line that is redrawn, for terminals."""

    interval_seconds = 0.25
    bar_columns = 24

    def _show(self, done: int, rate: float, quality_db: float, left_seconds: float) -> None:
        filled = self.bar_columns * done // max(1, self._total)
        line = (
            f"{self._prefix()}[{'=' * filled}{' ' * (self.bar_columns - filled)}] "
            f"{done}/{self._total}  {self._found(rate, quality_db)}  "
            f"{_clock(left_seconds)} left"
        )
        # A line that wraps could not be redrawn: the terminal would fill with its remains.
        self._write(f"\r{line[: self._columns() - 1]}\033[K")

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except (OSError, ValueError, AttributeError):
            return 80

    def end(self) -> None:
        self._write("\r\033[K")


class JsonReporter(LineReporter):
    """One JSON object per line."""

    interval_seconds = 1.0

    def _show(self, done: int, rate: float, quality_db: float, left_seconds: float) -> None:
        names = ("rate_kbps", "snr_db") if self._rate_hz else ("rate_bpp", "psnr_db")
        record = {"attempt": self._attempt} if self._attempt else {}
        record |= {
            "step": done,
            "steps": self._total,
            names[0]: round(rate, 5),
            names[1]: round(quality_db, 3),
            "left_seconds": round(left_seconds, 1),
        }
        self._write(json.dumps(record) + "\n")


def _clock(seconds: float) -> str:
    """Seconds as m:ss, or h:mm:ss from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def reporter(style: str) -> Reporter:
    """The Reporter of a style; "auto" is a bar on a terminal and lines elsewhere.

    Raises:
        BadOption: an unknown style.
    """
    if style not in STYLES:
        raise BadOption(f"progress is {style!r}, expected one of {', '.join(STYLES)}")
    if style == "auto":
        terminal = sys.stderr is not None and sys.stderr.isatty()
        style = "bar" if terminal and os.environ.get("TERM") != "dumb" else "lines"
    kinds = {"bar": BarReporter, "lines": LineReporter, "json": JsonReporter, "none": Reporter}
    return kinds[style]()
