"""The segments of a sound or video as one function of time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator

import numpy as np

from inrcodec.bitstream.header import AudioHeader, VideoHeader
from inrcodec.fields import Field
from inrcodec.grid import Grid

TimedHeader = AudioHeader | VideoHeader


class Row:
    """The fields of a sound or video, one behind the other in time, as one that renders.

    A position belongs to the segment that it lies in; nothing is blended. The two fields that were
    needed last are kept, so that memory is that of a segment.

    Args:
        header: of the whole.
        unpack: makes the field of a segment.
    """

    def __init__(self, header: TimedHeader, unpack: Callable[[int], Field]) -> None:
        self._header, self._unpack = header, unpack
        self._fields: OrderedDict[int, Field] = OrderedDict()

    def render(self, grid: Grid, fast: bool = False) -> np.ndarray:
        """[*grid.shape, channels]; see `fields.Field`."""
        parts = [self._field(i).render(part, fast) for i, part in split(self._header, grid)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _field(self, index: int) -> Field:
        if index not in self._fields:
            while len(self._fields) > 1:
                self._fields.popitem(last=False)
            self._fields[index] = self._unpack(index)
        self._fields.move_to_end(index)
        return self._fields[index]


def split(header: TimedHeader, grid: Grid) -> Iterator[tuple[int, Grid]]:
    """(segment, its part of a grid as the segment's own) for each segment with a part."""
    t, length, last = grid.t, header.segment_frames, header.segments - 1
    begin, index = 0, min(t.start // (t.den * length), last)
    while begin < t.count:
        end = t.count if index == last else t.first_at((index + 1) * length)
        if end > begin:
            frames = min(length, header.frames - index * length)
            local = t.part(begin, end).within(index * length, frames)
            yield index, Grid((local, *grid.axes[1:]))
        begin, index = end, index + 1
