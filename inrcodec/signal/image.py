"""The samples of one image and what is needed to write them back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from numbers import Integral

import numpy as np

from inrcodec.errors import BadInput
from inrcodec.signal.metadata import check_metadata


@dataclass(frozen=True, eq=False)
class Signal:
    """One image: integer samples with their depth and metadata.

    Args:
        samples: image: [height, width, channels] uint8 (bit_depth <= 8) or uint16, C-contiguous;
            channels 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA (alpha is straight, not premultiplied).
        bit_depth: 1..16; samples lie in [0, 2**bit_depth - 1].
        kind: "image"; sound is an AudioSignal, video a VideoSignal.
        metadata: opaque payloads kept verbatim, by name: "icc" (ICC profile), "exif" (EXIF block,
            orientation already applied and reset), "xmp".

    Raises:
        BadInput: shape, dtype, depth or range do not fit together, or metadata is of another name
            or no bytes.
    """

    samples: np.ndarray
    bit_depth: int = 8
    kind: str = "image"
    metadata: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        s = self.samples
        if self.kind != "image":
            raise BadInput(
                f"kind is {self.kind!r}, expected 'image'; for sound make an AudioSignal, "
                "for video a VideoSignal"
            )
        if not isinstance(s, np.ndarray):
            raise BadInput(f"samples are a {type(s).__name__}, expected a numpy array")
        if not isinstance(self.bit_depth, Integral) or not 1 <= self.bit_depth <= 16:
            raise BadInput(f"bit_depth is {self.bit_depth!r}, expected a whole number from 1 to 16")
        # An integer of numpy could overflow in `peak`.
        object.__setattr__(self, "bit_depth", int(self.bit_depth))
        expected = np.uint8 if self.bit_depth <= 8 else np.uint16
        if s.ndim != 3 or not 1 <= s.shape[2] <= 4 or 0 in s.shape:
            raise BadInput(
                f"samples have shape {s.shape}, expected [height, width, channels] "
                "with at least one pixel and 1 to 4 channels"
            )
        if s.dtype != expected:
            raise BadInput(
                f"samples are {s.dtype}, expected {np.dtype(expected).name} "
                f"for bit_depth {self.bit_depth}"
            )
        if int(s.max()) > self.peak:
            raise BadInput(
                f"largest sample is {int(s.max())}, above {self.peak} (bit_depth {self.bit_depth})"
            )
        check_metadata(self.metadata)

    @property
    def height(self) -> int:
        return self.samples.shape[0]

    @property
    def width(self) -> int:
        return self.samples.shape[1]

    @property
    def channels(self) -> int:
        return self.samples.shape[2]

    @property
    def has_alpha(self) -> bool:
        return self.channels in (2, 4)

    @property
    def peak(self) -> int:
        """Largest value a sample can take: 2**bit_depth - 1."""
        return (1 << self.bit_depth) - 1

    def stripped(self) -> Signal:
        """This signal without its metadata."""
        return replace(self, metadata={})

    def __repr__(self) -> str:
        names = ", ".join(f"{k}: {len(v)} B" for k, v in self.metadata.items())
        return (
            f"Signal({self.kind}, {self.width}x{self.height}x{self.channels}, "
            f"{self.bit_depth} bit{', ' + names if names else ''})"
        )


def image_signal(array: np.ndarray, bit_depth: int | None = None) -> Signal:
    """An image Signal from an array as people have them.

    Args:
        array: [h, w] or [h, w, 1..4]; uint8, uint16, bool, or floating point in [0, 1].
        bit_depth: depth of the samples, 1..16; by default 8, or 16 for uint16.

    Raises:
        BadInput: another dtype or shape; NaN, infinity or values outside [0, 1] in a float array;
            integers beyond the bit depth.
    """
    try:
        array = np.asarray(array)
    except ValueError as error:
        raise BadInput(
            f"the image is no array: {error}; expected rows of the same length"
        ) from None
    if bit_depth is not None and (not isinstance(bit_depth, Integral) or not 1 <= bit_depth <= 16):
        raise BadInput(f"bit_depth is {bit_depth!r}, expected a whole number from 1 to 16")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.dtype == bool:
        array = array.astype(np.uint8) * np.uint8(255)
    if np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all():
            raise BadInput(
                f"the array holds {int((~np.isfinite(array)).sum())} NaN or infinite values, "
                "expected finite values in [0, 1]; clean it first, for example with np.nan_to_num"
            )
        if array.size and (array.min() < 0 or array.max() > 1):
            raise BadInput(
                f"a float array spans [{array.min():g}, {array.max():g}], expected [0, 1]; "
                "scale it, or pass uint8 or uint16"
            )
        depth = int(bit_depth or 8)
        dtype = np.uint8 if depth <= 8 else np.uint16
        array = np.rint(array.astype(np.float64) * ((1 << depth) - 1)).astype(dtype)
    if array.dtype.newbyteorder("=") not in (np.uint8, np.uint16):
        raise BadInput(
            f"the array is {array.dtype}, expected uint8, uint16, bool or floating point"
        )
    depth = int(bit_depth or 8 * array.dtype.itemsize)
    if array.size and int(array.max()) >> depth:
        raise BadInput(
            f"largest sample is {array.max()}, above {(1 << depth) - 1} (bit_depth {depth}); "
            "scale it, or pass a larger bit_depth"
        )
    array = array.astype(np.uint8 if depth <= 8 else np.uint16, copy=False)
    return Signal(np.ascontiguousarray(array), depth)
