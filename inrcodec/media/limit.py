"""The limit on pixels that Pillow sets, for the files that are read without Pillow."""

from __future__ import annotations

from PIL import Image

from inrcodec.errors import LimitExceeded


def check_pixels(width: int, height: int) -> None:
    """Nothing; refuses what Pillow would refuse as a decompression bomb.

    Raises:
        LimitExceeded: more pixels than twice `PIL.Image.MAX_IMAGE_PIXELS`.
    """
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and width * height > 2 * limit:
        raise LimitExceeded(
            f"the header asks for {width}x{height} pixels, the limit is {2 * limit} "
            "(twice PIL.Image.MAX_IMAGE_PIXELS)"
        )
