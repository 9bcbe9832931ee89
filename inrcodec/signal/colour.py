"""Y'CbCr as video files say it, and its way to R'G'B' and back.

Code points are those of ITU-T H.273 (ISO/IEC 23091-2), which H.264, HEVC, AV1, VP9, MP4 and AVIF
share; formulas are its equations for MatrixCoefficients and VideoFullRangeFlag, section 8.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inrcodec.errors import BadInput

BT709, UNSPECIFIED, FCC, BT470BG, BT601, SMPTE240M, BT2020 = 1, 2, 4, 5, 6, 7, 9
# (Kr, Kb) of H.273, table 4.
_LUMA_WEIGHTS = {
    BT709: (0.2126, 0.0722),
    FCC: (0.30, 0.11),
    BT470BG: (0.299, 0.114),
    BT601: (0.299, 0.114),
    SMPTE240M: (0.212, 0.087),
    BT2020: (0.2627, 0.0593),
}
# Where a chroma sample lies among its luma samples, from the left and from the top: 0 at the
# first of them, 1/2 midway between the first and the last, 1 at the last.
CHROMA_LOCATIONS = {
    "left": (0.0, 0.5),
    "center": (0.5, 0.5),
    "topleft": (0.0, 0.0),
    "top": (0.5, 0.0),
    "bottomleft": (0.0, 1.0),
    "bottom": (0.5, 1.0),
}
# Luma samples per chroma sample, (across, down); grey has no chroma.
SUBSAMPLINGS = {
    "4:0:0": (1, 1),
    "4:2:0": (2, 2),
    "4:2:2": (2, 1),
    "4:4:0": (1, 2),
    "4:1:1": (4, 1),
    "4:4:4": (1, 1),
}


@dataclass(frozen=True)
class Colour:
    """What the numbers of a video mean.

    Args:
        matrix, primaries, transfer: H.273 code points, 2 where the file does not say.
        full_range: luma spans [0, peak] instead of [16, 235] x 2**(bit_depth - 8).
        chroma_location: one of CHROMA_LOCATIONS.

    Raises:
        BadInput: another chroma location, or no code point.
    """

    matrix: int = UNSPECIFIED
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    full_range: bool = False
    chroma_location: str = "left"

    def __post_init__(self) -> None:
        if self.chroma_location not in CHROMA_LOCATIONS:
            raise BadInput(
                f"chroma_location is {self.chroma_location!r}, "
                f"expected one of {', '.join(CHROMA_LOCATIONS)}"
            )
        for name in ("matrix", "primaries", "transfer"):
            found = getattr(self, name)
            if not isinstance(found, int) or not 0 <= found <= 255:
                raise BadInput(f"{name} is {found!r}, expected an H.273 code point, 0 to 255")


def luma_weights(colour: Colour, height: int, width: int) -> tuple[float, float]:
    """(Kr, Kb) of a video; where its file does not say, what players take for its size.

    That is BT.709 from 1280 pixels across or 577 down, else BT.601.

    Raises:
        BadInput: the matrix is not one of (Kr, Kb).
    """
    matrix = colour.matrix
    if matrix == UNSPECIFIED:
        matrix = BT709 if width >= 1280 or height > 576 else BT601
    if matrix not in _LUMA_WEIGHTS:
        raise BadInput(
            f"the colour matrix is H.273 number {matrix}, RGB is made from "
            f"{', '.join(map(str, sorted(_LUMA_WEIGHTS)))} only; use the planes"
        )
    return _LUMA_WEIGHTS[matrix]


def chroma_shape(height: int, width: int, subsampling: str) -> tuple[int, int]:
    """(height, width) of the chroma planes: odd sizes are rounded up."""
    across, down = SUBSAMPLINGS[subsampling]
    return -(-height // down), -(-width // across)


def rgb_of_frame(
    planes: tuple[np.ndarray, ...],
    bit_depth: int,
    subsampling: str,
    colour: Colour,
    weights: tuple[float, float],
) -> np.ndarray:
    """[height, width, 3] R'G'B' of one frame, rounded, at the depth of the planes.

    Chroma is interpolated linearly from where it lies.

    Args:
        planes: [height, width] luma, and two chroma planes unless the subsampling is 4:0:0.
        bit_depth: 8..16.
        subsampling, colour: of the planes.
        weights: (Kr, Kb).
    """
    peak = (1 << bit_depth) - 1
    unit = 1 << (bit_depth - 8)
    black, luma_span, chroma_span = (
        (0, peak, peak) if colour.full_range else (16 * unit, 219 * unit, 224 * unit)
    )
    y = (planes[0].astype(np.float32) - np.float32(black)) / np.float32(luma_span)
    rgb = np.repeat(y[:, :, None], 3, axis=2)
    if subsampling != "4:0:0":
        kr, kb = weights
        cb, cr = (
            (_upsampled(plane, y.shape, subsampling, colour) - np.float32(128 * unit))
            / np.float32(chroma_span)
            for plane in planes[1:]
        )
        rgb[:, :, 0] += np.float32(2 * (1 - kr)) * cr
        rgb[:, :, 2] += np.float32(2 * (1 - kb)) * cb
        rgb[:, :, 1] -= np.float32(2 * kr * (1 - kr) / (1 - kr - kb)) * cr
        rgb[:, :, 1] -= np.float32(2 * kb * (1 - kb) / (1 - kr - kb)) * cb
    levels = np.clip(np.rint(rgb * np.float32(peak)), 0, peak)
    return levels.astype(planes[0].dtype)


def _upsampled(
    plane: np.ndarray, shape: tuple[int, int], subsampling: str, colour: Colour
) -> np.ndarray:
    """[height, width] float32: a chroma plane at every luma sample."""
    samples = plane.astype(np.float32)
    across, down = SUBSAMPLINGS[subsampling]
    from_left, from_top = CHROMA_LOCATIONS[colour.chroma_location]
    for axis, step, place in ((0, down, from_top), (1, across, from_left)):
        if step > 1:
            samples = _interpolated(samples, axis, shape[axis], step, place * (step - 1))
    return samples


def _interpolated(
    samples: np.ndarray, axis: int, length: int, step: int, offset: float
) -> np.ndarray:
    position = np.clip((np.arange(length) - offset) / step, 0, samples.shape[axis] - 1)
    before = position.astype(np.intp)
    after = np.minimum(before + 1, samples.shape[axis] - 1)
    weight = (position - before).astype(np.float32)
    weight = weight[:, None] if axis == 0 else weight[None, :]
    return samples.take(before, axis) * (1 - weight) + samples.take(after, axis) * weight


def frame_of_rgb(
    rgb: np.ndarray, bit_depth: int, subsampling: str, colour: Colour, weights: tuple[float, float]
) -> tuple[np.ndarray, ...]:
    """The planes Y, Cb, Cr of one frame, rounded once; chroma of 4:2:0 is the mean of its place.

    Args:
        rgb: [height, width, 3] integers in [0, 2**bit_depth - 1].
        bit_depth: 8..16, of the input and of the planes.
        subsampling: "4:4:4", or "4:2:0" with chroma at "left" or "center".
        colour: range and chroma location of the planes.
        weights: (Kr, Kb).
    """
    peak = (1 << bit_depth) - 1
    unit = 1 << (bit_depth - 8)
    black, luma_span, chroma_span = (
        (0, peak, peak) if colour.full_range else (16 * unit, 219 * unit, 224 * unit)
    )
    kr, kb = weights
    r, g, b = (rgb[:, :, i].astype(np.float32) / np.float32(peak) for i in range(3))
    y = np.float32(kr) * r + np.float32(1 - kr - kb) * g + np.float32(kb) * b
    chroma = [(b - y) / np.float32(2 * (1 - kb)), (r - y) / np.float32(2 * (1 - kr))]
    if subsampling == "4:2:0":
        chroma = [_halved(plane, colour.chroma_location) for plane in chroma]
    levels = [y * np.float32(luma_span) + np.float32(black)]
    levels += [plane * np.float32(chroma_span) + np.float32(128 * unit) for plane in chroma]
    return tuple(np.clip(np.rint(x), 0, peak).astype(rgb.dtype) for x in levels)


def _halved(plane: np.ndarray, location: str) -> np.ndarray:
    """Half the rows and columns: pairs of rows are averaged; of columns those around the place."""
    height, width = plane.shape
    even = np.pad(plane, ((0, height % 2), (1, 1 + width % 2)), mode="edge")
    rows = (even[0::2] + even[1::2]) / np.float32(2)
    centre, right = rows[:, 1:-1:2], rows[:, 2::2]
    if location == "center":
        return (centre + right[:, : centre.shape[1]]) / np.float32(2)
    left = rows[:, 0:-2:2]
    return (left + 2 * centre + right[:, : centre.shape[1]]) / np.float32(4)
