"""Pictures as experiments take them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from inrcodec.media.image import load_image
from inrcodec.signal import Signal, image_signal


def shrunk(path: Path, factor: int) -> Signal:
    """A picture at a whole part of its width and height; as it is at 1."""
    if factor == 1:
        return load_image(path.read_bytes(), path.name)
    picture = Image.open(path)
    size = (picture.width // factor, picture.height // factor)
    return image_signal(np.asarray(picture.resize(size, Image.Resampling.LANCZOS)))
