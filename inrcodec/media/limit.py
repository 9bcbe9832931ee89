"""The limits on what is read: that of Pillow for a picture, ours for a whole sound or video."""

from __future__ import annotations

from PIL import Image

from inrcodec.errors import LimitExceeded

# Samples of a sound or video that is held as a whole: 4 GiB at 8 bits, 8 GiB at 16.
MAX_WHOLE_SAMPLES = 2**32


def check_pixels(width: int, height: int) -> None:
    """Nothing; refuses what Pillow would refuse as a decompression bomb.

    Raises:
        LimitExceeded: more pixels than twice `PIL.Image.MAX_IMAGE_PIXELS`.
    """
    limit = max_pixels()
    if limit is not None and width * height > limit:
        raise LimitExceeded(
            f"the header asks for {width}x{height} pixels, the limit is {limit} "
            "(twice PIL.Image.MAX_IMAGE_PIXELS)"
        )


def max_pixels() -> int | None:
    """The most pixels that a picture or frame may have; None for any number."""
    limit = Image.MAX_IMAGE_PIXELS
    return None if limit is None else 2 * limit


def check_whole(frames: int, samples_per_frame: int) -> None:
    """Refuses to hold a sound or video that is better read in segments.

    Raises:
        LimitExceeded: more than MAX_WHOLE_SAMPLES samples.
    """
    if frames * samples_per_frame > MAX_WHOLE_SAMPLES:
        raise LimitExceeded(
            f"{frames} frames of {samples_per_frame} samples are more than {MAX_WHOLE_SAMPLES} "
            "samples, which is the most that is read as a whole; read it in segments"
        )
