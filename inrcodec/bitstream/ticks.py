"""When the frames of a video of variable rate are shown: the ticks section.

```
time_base (numerator, denominator) | step | one number per frame but the first
```

The first frame is shown at 0. Each number is how much longer or shorter than `step` ticks the frame
before was shown, folded to 0, -1, 1, -2, 2 ... as 0, 1, 2, 3, 4: jitter costs a byte per frame.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from inrcodec.bitstream.header_values import pack_fraction, read_fraction
from inrcodec.bitstream.varint import pack_varint, read_varint
from inrcodec.errors import CorruptFile

# Times are 64-bit integers in most programs.
_MAX_TICK = 2**63 - 1


class Times(NamedTuple):
    """When the frames of a video are shown.

    Args:
        ticks: [frames] increasing integers from 0, units of `base`.
        base: seconds per tick.
    """

    ticks: Sequence[int]
    base: Fraction


def pack_ticks(times: Times) -> bytes:
    """The bytes of a ticks section."""
    ticks = times.ticks
    lengths = [after - before for before, after in zip(ticks, ticks[1:], strict=False)]
    step = Counter(lengths).most_common(1)[0][0] if lengths else 1
    folded = [2 * (n - step) if n >= step else 2 * (step - n) - 1 for n in lengths]
    parts = [pack_fraction("time_base", times.base), pack_varint(step), *map(pack_varint, folded)]
    return b"".join(parts)


def read_ticks(section: bytes, frames: int) -> Times:
    """The times of a ticks section, see `pack_ticks`.

    Args:
        section: its bytes; no fewer than frames - 1, so that memory is bounded by the file.
        frames: of the video.

    Raises:
        CorruptFile: there are more or fewer numbers, or times do not increase.
    """
    if len(section) < frames - 1:
        raise CorruptFile(
            f"the ticks section has {len(section)} bytes for {frames} frames; "
            "the file was written by a faulty encoder"
        )
    time_base, offset = read_fraction("time base", section, 0)
    step, offset = read_varint(section, offset)
    ticks = array("q", [0])
    for _ in range(frames - 1):
        folded, offset = read_varint(section, offset)
        tick = ticks[-1] + step + (folded // 2 if folded % 2 == 0 else -(folded + 1) // 2)
        if not ticks[-1] < tick <= _MAX_TICK:
            raise CorruptFile(
                f"a frame is shown at tick {tick} after one at {ticks[-1]}; "
                "the file was written by a faulty encoder"
            )
        ticks.append(tick)
    if offset != len(section):
        raise CorruptFile(
            f"the ticks section has {len(section)} bytes, expected {offset} for {frames} frames; "
            "the file was written by a faulty encoder"
        )
    return Times(ticks, time_base)
