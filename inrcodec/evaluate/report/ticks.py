"""Where the ticks of an axis lie, and what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Ticks per decade of a logarithmic axis, from few to many.
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_DECADE = ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 5, 7), (1, 1.5, 2, 3, 4, 5, 6, 8))


@dataclass(frozen=True)
class Scale:
    """An axis: numbers to places on it.

    Args:
        low, high: the numbers at its ends.
        is_log: whether equal ratios rather than equal differences are equally far apart.
        ticks: numbers that are labelled, rising.
    """

    low: float
    high: float
    is_log: bool
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """0 at the low end, 1 at the high end; -inf for 0 and below on a logarithmic axis."""
        if self.is_log:
            if value <= 0:
                return -math.inf
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def labels(self) -> list[str]:
        """What each tick says."""
        if self.is_log:
            return [plain(tick) for tick in self.ticks]
        steps = [b - a for a, b in zip(self.ticks, self.ticks[1:], strict=False)]
        digits = max(0, -math.floor(math.log10(min(steps)) + 1e-9)) if steps else 2
        # Steps of 2.5 need one digit more than their power of ten.
        if steps and abs(round(min(steps), digits) - min(steps)) > 1e-9 * min(steps):
            digits += 1
        return [_signed(f"{tick:.{digits}f}") for tick in self.ticks]


def scale_of(
    values: Sequence[float], is_log: bool = False, wanted: int = 6, from_zero: bool = False
) -> Scale:
    """An axis that holds all values, with some room around them.

    Args:
        values: finite numbers, above 0 for a logarithmic axis; of none, the axis is 0..1 or 1..10.
        is_log: whether it is logarithmic.
        wanted: about how many ticks.
        from_zero: whether a linear axis of numbers above 0 begins at 0.
    """
    if not values:
        return _log_scale(1.0, 10.0, wanted) if is_log else _linear_scale(0.0, 1.0, wanted)
    low, high = min(values), max(values)
    if is_log:
        room = max(0.03 * math.log(high / low), 0.05)
        return _log_scale(low * math.exp(-room), high * math.exp(room), wanted)
    room = 0.04 * (high - low) or max(abs(high) * 0.05, 0.5)
    return _linear_scale(0.0 if from_zero else low - room, high + room, wanted)


def _linear_scale(low: float, high: float, wanted: int) -> Scale:
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if first == last:  # steps as large as the axis happen to miss it
        return _linear_scale(low, high, 2 * wanted)
    return Scale(low, high, False, tuple(i * step for i in range(first, last + 1)))


def _log_scale(low: float, high: float, wanted: int) -> Scale:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    step = max(1, math.ceil(len(decades) / (wanted + 2)))
    found: list[tuple[float, ...]] = []
    for factors in _DECADE:
        ticks = [f * 10.0**d for d in decades[::step] for f in factors]
        found.append(tuple(tick for tick in ticks if low <= tick <= high))
        if step > 1:
            break
    best = min(found, key=lambda ticks: (abs(len(ticks) - wanted), len(ticks)))
    if len(best) < 2:  # less than one step of the finest: the ticks of a linear axis
        best = _linear_scale(low, high, 4).ticks
    return Scale(low, high, True, best)


def plain(value: float) -> str:
    """A number of few digits; a power of ten where no other form is readable."""
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return _signed(f"{value:.6g}")
    factor, exponent = f"{value:.2e}".split("e")
    factor = factor.rstrip("0").rstrip(".")
    power = "10" + str(int(exponent)).translate(_RAISED)
    return power if factor == "1" else _signed(f"{factor}·{power}")


def _signed(text: str) -> str:
    """A true minus sign, and no sign of zero."""
    if text.startswith("-"):
        return text[1:] if not text.strip("-0.") else "−" + text[1:]
    return text
