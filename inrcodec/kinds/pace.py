"""Which frames of a video a decode has, and when each of them is shown.

A field knows frames by their number alone: frame i lasts from i to i + 1. At a constant rate that
is time times the rate; where the rate varies, time runs linearly within each frame.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from typing import Self

from inrcodec.asked import frames_per_second, no_frame, outside, span_of
from inrcodec.bitstream.header import VideoHeader
from inrcodec.bitstream.ticks import Times
from inrcodec.errors import BadOption
from inrcodec.grid import Axis, Grid

Span = tuple[Real | None, Real | None]


# Frames of an output of another rate than that of a video whose own varies: each has an axis of its
# own. 2**20 are twelve hours at 24 per second.
MAX_UNEVEN_FRAMES = 1 << 20


@dataclass(frozen=True)
class Pace:
    """The frames of an output.

    Args:
        axes: positions of the frames, in groups that are regular; one but for variable rates.
        rate: frames per second of the output, the mean where it varies.
        ticks: [frames]: when each is shown, in units of `time_base`.
        time_base: seconds per tick.
    """

    axes: Iterable[Axis]
    rate: Fraction
    ticks: Sequence[int]
    time_base: Fraction

    @property
    def frames(self) -> int:
        return len(self.ticks)

    @classmethod
    def of(
        cls, header: VideoHeader, times: Times | None, fps: Real | None, time: Span | None
    ) -> Self:
        """The frames of a decode.

        Args:
            header: of the video.
            times: when its frames are shown, where the rate varies.
            fps: frames per second of the output; default its own frames.
            time: (begin, end) in seconds; default the whole.

        Raises:
            BadOption: fps is not positive, or the time holds nothing of the video.
        """
        if times is not None:
            return cls._varying(header, times, fps, time)
        t = Grid.of_video(header.frames, 1, 1, header.rate, fps=fps, time=time).t
        rate = header.rate if fps is None else frames_per_second(fps)
        # At another rate the output begins at 0; else its frames keep the times that they had.
        first = t.start // t.den if fps is None else 0
        return cls([t], rate, range(first, first + t.count), 1 / rate)

    @classmethod
    def _varying(
        cls, header: VideoHeader, times: Times, fps: Real | None, time: Span | None
    ) -> Self:
        clock = _Clock(times, header.rate)
        begin, end = span_of(time, clock.duration, 1 / header.rate / 2)
        if not 0 <= begin < end <= clock.duration:
            raise outside(begin, end, clock.duration, "video")
        if fps is None:
            first, last = clock.frame_from(begin), clock.frame_from(end)
            if first == last:
                raise no_frame(begin, end)
            t = Axis.over(header.frames, Fraction(first), Fraction(last - first), last - first)
            return cls([t], header.rate, times.ticks[first:last], times.base)
        rate = frames_per_second(fps)
        count = max(1, round((end - begin) * rate))
        if count > MAX_UNEVEN_FRAMES:
            raise BadOption(
                f"{count} frames were asked for; of a video whose rate varies at most "
                f"{MAX_UNEVEN_FRAMES} are made at once: ask for a shorter time"
            )
        edges = [
            clock.position(begin + (end - begin) * Fraction(j, count)) for j in range(count + 1)
        ]
        axes = [
            Axis.between(header.frames, start, stop, 1)
            for start, stop in zip(edges, edges[1:], strict=False)
        ]
        return cls(axes, rate, range(count), 1 / rate)


class _Clock:
    """Times of a video of variable rate."""

    def __init__(self, times: Times, rate: Fraction) -> None:
        self._ticks, self._base = times.ticks, times.base
        # The last frame lasts as long as one does on average.
        self._end = times.ticks[-1] + 1 / (rate * times.base)

    @property
    def duration(self) -> Fraction:
        """Seconds to the end of the last frame."""
        return self._end * self._base

    def frame_from(self, time: Fraction) -> int:
        """The first frame that comes up at a time or later."""
        return bisect_left(self._ticks, time / self._base)

    def position(self, time: Fraction) -> Fraction:
        """Where a time lies in frames."""
        tick = time / self._base
        i = bisect_right(self._ticks, tick) - 1
        after = self._ticks[i + 1] if i + 1 < len(self._ticks) else self._end
        return i + (tick - self._ticks[i]) / Fraction(after - self._ticks[i])
