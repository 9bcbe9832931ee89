"""What is encoded and what a decode gives: samples, and what is needed to write them back.

| kind | class | samples |
|---|---|---|
| "image" | Signal | [height, width, channels] unsigned integers |
| "audio" | AudioSignal | [frames, channels] signed integers |
| "video" | VideoSignal | planes Y, Cb, Cr as stored: [frames, height, width] unsigned integers |

All three are frozen, know their `kind` and `bit_depth`, and carry `metadata`.
"""

from inrcodec.signal.audio import AudioSignal, audio_signal
from inrcodec.signal.colour import Colour
from inrcodec.signal.frames import video_signal
from inrcodec.signal.image import Signal, image_signal
from inrcodec.signal.metadata import METADATA_NAMES
from inrcodec.signal.video import VideoSignal

AnySignal = Signal | AudioSignal | VideoSignal

__all__ = [
    "METADATA_NAMES",
    "AnySignal",
    "AudioSignal",
    "Colour",
    "Signal",
    "VideoSignal",
    "audio_signal",
    "image_signal",
    "video_signal",
]
