"""What callers ask for, as exact numbers: sizes, rates and times."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from numbers import Real

from inrcodec.errors import BadOption


def span_of(
    time: tuple[Real | None, Real | None] | None, duration: Fraction, slack: Fraction = Fraction(0)
) -> tuple[Fraction, Fraction]:
    """(begin, end) in seconds of what was asked for, exact to a millionth; ends may be open.

    Args:
        time: what was asked for.
        duration: seconds of the signal.
        slack: an end that is up to this much too late means that of the signal.

    Raises:
        BadOption: no pair of finite numbers.
    """
    pair = (None, None) if time is None else time
    if not isinstance(pair, Iterable) or len(pair := list(pair)) != 2:
        raise BadOption(f"time is {time!r}, expected two numbers of seconds (begin, end)")
    ends = [exact_of(end) if end is not None else default
            for end, default in zip(pair, (Fraction(0), duration), strict=True)]  # fmt: skip
    if None in ends:
        raise BadOption(f"time is {time!r}, expected two numbers of seconds (begin, end)")
    begin, end = ends
    return begin, duration if duration < end <= duration + slack else end


def frames_per_second(fps: Real) -> Fraction:
    """The rate that a number stands for: 29.97 is that of NTSC as people write it.

    Raises:
        BadOption: it is not from a millionth to a million.
    """
    exact = exact_of(fps)
    # Most containers hold a rate as two integers of 32 bits.
    found = Fraction(0) if exact is None else exact.limit_denominator(10**6)
    if not 0 < found <= 10**6:
        raise BadOption(f"fps is {fps!r}, expected a positive number up to a million")
    return found


def exact_of(value: object) -> Fraction | None:
    """A number that a float can hold as the simplest fraction within a millionth; else None."""
    number = float_of(value)
    if not math.isfinite(number):
        return None
    return value if isinstance(value, Fraction) else Fraction(number).limit_denominator(10**6)


def whole_of(name: str, value: object, highest: int) -> int:
    number = float_of(value)
    if not 1 <= number <= highest or number != int(number):
        raise BadOption(f"{name} is {value!r}, expected a whole number from 1 to {highest}")
    return int(number)


def outside(begin: Fraction, end: Fraction, duration: Fraction, what: str) -> BadOption:
    """The error for a time that a sound or video does not have."""
    return BadOption(
        f"time {float(begin):g}:{float(end):g} does not lie inside the {what} of "
        f"{float(duration):g} seconds"
    )


def no_sample(begin: Fraction, end: Fraction) -> BadOption:
    """The error for a time between two samples of a sound."""
    return BadOption(
        f"no sample of the sound lies from {float(begin):g} to {float(end):g} seconds; "
        "ask for a longer time"
    )


def no_frame(begin: Fraction, end: Fraction) -> BadOption:
    """The error for a time between two frames of a video."""
    return BadOption(
        f"no frame of the video comes up from {float(begin):g} to {float(end):g} seconds; "
        "ask for a longer time, or for more frames per second"
    )


def float_of(value: object) -> float:
    """A number of any type, numpy's included, as float; NaN for everything else."""
    try:
        return float(value) if isinstance(value, Real) else math.nan
    except OverflowError:
        return math.inf


def floats_of(name: str, values: object, count: int, expected: str) -> list[float]:
    """[count] finite floats.

    Raises:
        BadOption: there are more or fewer, or not all are finite numbers.
    """
    found = [float_of(value) for value in values] if isinstance(values, Iterable) else []
    if len(found) != count or not all(map(math.isfinite, found)):
        raise BadOption(f"{name} is {values!r}, expected {expected}")
    return found
