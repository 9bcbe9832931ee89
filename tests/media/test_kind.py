"""What a file is, told by its content."""

from __future__ import annotations

import io

import numpy as np
import pytest

from inrcodec.errors import BadInput
from inrcodec.media.audio import EXTENSIONS_OUT as AUDIO_OUT
from inrcodec.media.audio import save_audio
from inrcodec.media.frames import write_frames
from inrcodec.media.image import EXTENSIONS_OUT as IMAGE_OUT
from inrcodec.media.image import save_image
from inrcodec.media.kind import kind_of
from inrcodec.media.video import EXTENSIONS_OUT as VIDEO_OUT
from inrcodec.media.video import save_video
from inrcodec.signal import audio_signal, image_signal, video_signal

IMAGE = image_signal(np.zeros((4, 4), np.uint8))
AUDIO = audio_signal(np.zeros(5000, np.int16), 48000)
VIDEO = video_signal(np.zeros((2, 16, 16, 3), np.uint8), 25)


def test_everything_that_is_written_is_known_by_its_content(tmp_path):
    files = [(save_image(IMAGE, e), "image") for e in IMAGE_OUT]
    files += [(save_audio(AUDIO, e), "audio") for e in AUDIO_OUT]
    files += [(save_video(VIDEO, e), "video") for e in VIDEO_OUT]
    files += [(b"\x93INR\r\n\x1a\n", "inr")]
    for data, kind in files:
        path = tmp_path / "file.bin"
        path.write_bytes(data)
        assert kind_of(data) == kind_of(path) == kind_of(io.BytesIO(data)) == kind


def test_folders_and_patterns_of_frames_are_video(tmp_path):
    write_frames(tmp_path, [VIDEO])
    assert kind_of(tmp_path) == kind_of(tmp_path / "frame_%05d.png") == "video"


@pytest.mark.parametrize(
    ("data", "found"),
    [(b"", "empty"), (b"hello", "text"), (b"%PDF-1.7", "a PDF"), (b"\0\1\2", "begins with 00 01")],
)
def test_what_is_none_of_them_is_named(data, found):
    with pytest.raises(BadInput, match=found):
        kind_of(data)
