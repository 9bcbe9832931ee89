"""Work on a device in parts, which become smaller where its memory is short."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch

from inrcodec.errors import OutOfDeviceMemory

_log = logging.getLogger(__name__)

# How Triton and the libraries that torch calls say it.
_SHORTAGES = ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")


def is_shortage(error: RuntimeError) -> bool:
    """Whether an error is that of a device without enough memory."""
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(
        words in str(error) for words in _SHORTAGES
    )


def in_parts(
    count: int, most: int, work: Callable[[int, int], None], device: torch.device, what: str
) -> int:
    """How many items the last parts had: `most`, halved as often as memory was too short.

    Args:
        count: items.
        most: of a part.
        work: does the items from one number up to another; it is done again from the same one
            where it fails for memory.
        device: whose memory.
        what: are the items, for messages.

    Raises:
        OutOfDeviceMemory: one item alone needs too much.
    """
    begin = 0
    while begin < count:
        end = min(begin + most, count)
        try:
            work(begin, end)
        except RuntimeError as error:
            if not is_shortage(error):
                raise
            if end - begin == 1:
                raise OutOfDeviceMemory(
                    f"the memory of {device} is too short for one of the {what}; use device cpu, "
                    "or end what else uses that memory"
                ) from error
            most = (end - begin) // 2
        else:
            begin = end
            continue
        # Only now is nothing left that holds what the failed part had.
        if device.type == "cuda":
            torch.cuda.empty_cache()
        _log.info("the memory of %s is short: %d %s at once from here on", device, most, what)
    return most
