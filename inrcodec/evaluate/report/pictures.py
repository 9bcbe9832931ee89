"""The pictures of a run, for looking at: 8 bits, without alpha, one frame of a video."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import numpy as np

from inrcodec.errors import BadInput
from inrcodec.evaluate.points import Point
from inrcodec.files import read_bytes
from inrcodec.media.image import convert_depth, load_image, save_image
from inrcodec.media.video import open_video
from inrcodec.signal import Signal

_MAX_FILE_BYTES = 1 << 31
# Which frame of a video is shown, or the last one of a shorter video: late enough to be predicted
# from others, early enough to be quick.
SHOWN_FRAME = 12


def original_path(folder: Path, originals: Mapping[str, str], signal: str) -> Path:
    """Where the original of a signal lies.

    Raises:
        BadInput: the run does not say.
    """
    if signal not in originals:
        raise BadInput(f'run.json names no original of {signal!r}; add it to "originals"')
    return folder / originals[signal]


def decoded_path(folder: Path, point: Point) -> Path:
    """Where the decode of a point lies.

    Raises:
        BadInput: the point has none.
    """
    if not point.decoded:
        raise BadInput(
            f"{point.codec} {point.setting} of {point.signal!r} names no decoded file; make the "
            "point again by --resume"
        )
    return folder / point.decoded


def read_picture(path: Path, kind: str) -> np.ndarray:
    """[height, width, 1 or 3] uint8: an image, or one frame of a video.

    Args:
        path: of an image, or of a video.
        kind: "image" or "video".

    Raises:
        InrError: it cannot be read.
    """
    if kind == "image":
        signal = convert_depth(load_image(read_bytes(path, _MAX_FILE_BYTES), path.name), 8)
        colours = {2: 1, 4: 3}.get(signal.channels, signal.channels)
        return signal.samples[:, :, :colours]
    with open_video(path) as reader:
        last = deque(islice(reader.segments(1), SHOWN_FRAME + 1), maxlen=1)
    if not last:
        raise BadInput(f"{path.name} is a video without frames; check what wrote it")
    (shown,) = last
    return (shown.rgb()[0] >> (shown.bit_depth - 8)).astype(np.uint8)


def data_uri(samples: np.ndarray) -> str:
    """Pixels as an address that holds them: WebP without loss, which is less than PNG.

    Args:
        samples: [height, width, 1 or 3] uint8.
    """
    content = save_image(Signal(np.ascontiguousarray(samples)), ".webp")
    return f"data:image/webp;base64,{base64.b64encode(content).decode('ascii')}"


def most_detailed(samples: np.ndarray, side: int) -> tuple[int, int, int, int]:
    """The square of largest mean gradient: x, y, width and height, no larger than the picture.

    Args:
        samples: [height, width, channels].
        side: px.
    """
    grey = samples.astype(np.float64).mean(axis=2)
    height, width = min(side, grey.shape[0]), min(side, grey.shape[1])
    across = np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    down = np.abs(np.diff(grey, axis=0, append=grey[-1:]))
    sums = np.pad((across + down).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    inside = (
        sums[height:, width:]
        - sums[:-height, width:]
        - sums[height:, :-width]
        + sums[:-height, :-width]
    )
    y, x = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(x), int(y), width, height
