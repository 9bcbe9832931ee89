"""What an encoder hands over: the file, and how good it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from inrcodec.bitstream.header import Header
from inrcodec.kinds import KINDS


@dataclass(frozen=True)
class Encoded:
    """A finished file, and how far its decode is from the signal.

    Args:
        data: the file.
        header: of the whole signal.
        mse: mean squared error of all samples of the decode, as written, full scale 1.
        power: mean square of the samples of the signal.
    """

    data: bytes
    header: Header
    mse: float
    power: float

    @property
    def rates(self) -> dict[str, float]:
        """Bits of the whole file: rate_bpp per pixel, rate_kbps per second."""
        return KINDS[self.header.kind_name].rates(self.header, len(self.data))

    @property
    def rate_bpp(self) -> float:
        """Bits of the whole file per pixel."""
        return self.rates["rate_bpp"]

    @property
    def rate_kbps(self) -> float:
        """Thousands of bits of the whole file per second."""
        return self.rates["rate_kbps"]

    @property
    def psnr_db(self) -> float:
        """PSNR over all samples and channels; infinite where nothing was lost."""
        return -10 * math.log10(self.mse) if self.mse else math.inf

    @property
    def snr_db(self) -> float:
        """Power of the signal over that of the error; infinite where nothing was lost."""
        if not self.mse:
            return math.inf
        return 10 * math.log10(self.power / self.mse) if self.power else -math.inf
