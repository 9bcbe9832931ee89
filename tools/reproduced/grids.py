"""Where papers' coordinates lie: first and last samples at the ends, where ours are centres."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inrcodec.kernels.network import Samples


@dataclass(frozen=True)
class Grid:
    """Coordinates of the samples along every axis, equally far apart.

    Args:
        first, last: those of the first and the last sample.
        by_height: columns of a picture are as far apart as its rows, so that only the first and
            the last row have these: COIN's.
    """

    first: float = -1.0
    last: float = 1.0
    by_height: bool = False

    def beginning(self, factor: int) -> Grid:
        """Of the first 1/factor of the samples."""
        return replace(self, last=self.first + (self.last - self.first) / factor)

    def placed(self, part: Samples) -> Samples:
        """Samples on a whole grid, at the coordinates of this one."""
        rows = []
        for centres, count in zip(part.coords, reversed(part.shape), strict=True):
            index = np.rint((centres.astype(np.float64) + 1) * count / 2 - 0.5)
            steps = max(1, (part.shape[0] if self.by_height else count) - 1)
            rows.append(self.first + (self.last - self.first) / steps * index)
        return replace(part, coords=np.stack(rows).astype(np.float32))
