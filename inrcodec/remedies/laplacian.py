"""The Laplacian of grey pictures, as EVOS has it."""

from __future__ import annotations

import numpy as np

# ITU-R BT.601 luma, as torchvision's rgb_to_grayscale rounds it.
_GREY = 0.2989, 0.587, 0.114


def grey_shares(channels: int) -> np.ndarray:
    """[channels] of each in grey; alpha, the last of two or four, has none."""
    colours = _GREY if channels >= 3 else (1.0,)
    return np.array([*colours, *[0.0] * (channels - len(colours))])


def grey_of(values: np.ndarray) -> np.ndarray:
    """[n] grey of values [channels, n]."""
    return grey_shares(len(values)) @ values


def laplacian(picture: np.ndarray) -> np.ndarray:
    """[height, width] sum of the four neighbours, 0 outside, less four times the sample."""
    found = -4.0 * picture
    found[1:] += picture[:-1]
    found[:-1] += picture[1:]
    found[:, 1:] += picture[:, :-1]
    found[:, :-1] += picture[:, 1:]
    return found
