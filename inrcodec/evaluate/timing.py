"""How long something takes, without what the first call of a codec has to load.

The first file that a library makes in a process also pays for imports, tables and threads, which
the next one finds ready: a tenth of a second in a point of a millisecond. So every codec makes one
small file first in each process, untimed.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inrcodec.evaluate.codecs import Codec, InrCodec, Setting
from inrcodec.signal import AnySignal, AudioSignal, Signal

_SIDE_PX, _VIDEO_FRAMES, _SOUND_SECONDS = 64, 2, 0.25
_warm: set[str] = set()


@dataclass(frozen=True)
class Spent:
    """What some work took.

    Args:
        seconds: wall time.
        cpu_seconds: time of processors, all threads and ended child processes together, which other
            programs on the machine change little; None where it was not taken.
    """

    seconds: float
    cpu_seconds: float | None = None


def timed(work: Callable[[], Any]) -> tuple[Any, Spent]:
    """What some work gives, and what it took."""
    cpu, begun = _cpu_seconds(), time.perf_counter()
    result = work()
    seconds = time.perf_counter() - begun
    return result, Spent(seconds, _cpu_seconds() - cpu)


def _cpu_seconds() -> float:
    # time.process_time, which is finer than os.times, does not know children.
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def warm_up(codec: Codec, signal: AnySignal, setting: Setting) -> bool:
    """Codes something small as the signal is coded, and decodes it, once per codec and process.

    What fails here is not told: coding the signal itself will say it.

    Returns:
        Whether this was the first call for the codec.
    """
    if codec.name in _warm:
        return False
    _warm.add(codec.name)
    if isinstance(codec, InrCodec):
        codec = replace(codec, effort=1)
    small = _small(signal)
    with contextlib.suppress(Exception):
        codec.decode(codec.encode(small, setting), small)
    return True


def _small(signal: AnySignal) -> AnySignal:
    """The beginning of a signal, with its channels, depth and rate."""
    if isinstance(signal, Signal):
        corner = signal.samples[:_SIDE_PX, :_SIDE_PX]
        return replace(signal, samples=np.ascontiguousarray(corner))
    if isinstance(signal, AudioSignal):
        return signal.part(0, max(1, min(signal.frames, round(_SOUND_SECONDS * signal.rate_hz))))
    return signal.part(0, min(signal.frames, _VIDEO_FRAMES))
