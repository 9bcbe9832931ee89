"""Damaged, cut or foreign files as video: one of our errors, or a warning; memory stays small."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest

from inrcodec.errors import BadInput, BadOption, InrError, LimitExceeded
from inrcodec.media import limit
from inrcodec.media.frames import write_frames
from inrcodec.media.video import load_video, open_video, save_video
from inrcodec.signal import VideoSignal, video_signal

RAMP = np.arange(16 * 24, dtype=np.uint16).reshape(16, 24)
VIDEO = video_signal(
    np.stack([np.stack([RAMP // 2, RAMP // 3, 200 - RAMP // 4], 2) + i for i in range(6)]).astype(
        np.uint8
    ),
    25,
    subsampling="4:2:0",
)
HEADER = b"YUV4MPEG2 W24 H16 F25:1 C420jpeg\n"


@pytest.mark.parametrize("extension", [".y4m", ".mp4", ".mkv"])
def test_file_cut_anywhere_is_an_error_or_whole_frames_from_the_start(extension):
    data = save_video(VIDEO, extension)
    whole = load_video(data)
    for cut in range(0, len(data) - 2, len(data) // 40):
        try:
            found = load_video(data[:cut])
        except BadInput:
            continue
        # Y4M tells no number of frames: one that is cut between two of them is a shorter one.
        assert extension == ".y4m"
        assert np.array_equal(found.planes[0], whole.planes[0][: found.frames])


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("extension", [".y4m", ".mp4", ".mkv"])
def test_changed_bytes_raise_our_errors_only(extension):
    data = save_video(VIDEO, extension)
    generator = np.random.default_rng(1)
    for _ in range(40):
        damaged = bytearray(data)
        damaged[generator.integers(min(len(data), 3000))] ^= 1 << generator.integers(8)
        try:
            load_video(bytes(damaged))
        except InrError:
            continue


def test_h264_that_ffmpeg_had_to_guess_gives_a_warning():
    noise = np.random.default_rng(0).integers(0, 256, (4, 48, 64), np.uint8)
    data = save_video(video_signal(noise, 25), ".mp4")
    warned = 0
    for position in range(2000, len(data) - 2000, 1000):
        damaged = bytearray(data)
        damaged[position : position + 20] = bytes(20)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                load_video(bytes(damaged))
            except InrError:
                continue
        warned += any("damaged: of 4 frames" in str(warning.message) for warning in caught)
    assert warned


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "empty"),
        (b"Dear diary, today I saw nothing.\n", "text .'Dear diary"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a PNG file, expected a video"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "a WAV file, expected a video"),
        (b"\x1aE\xdf\xa3" + bytes(60), "a Matroska or WebM file that is damaged"),
        (b"\0\0\0\x18ftypisom" + bytes(60), "an MP4 or MOV file that is damaged"),
        (b"YUV4MPEG2 W0 H4 F25:1\n", "'W0' for its W"),
        (b"YUV4MPEG2 W4 F25:1\n", "'' for its H"),
        (b"YUV4MPEG2 W4 H4 F25:1 C410\n", "layout C410"),
        (b"YUV4MPEG2 W4 H4 F25:1 C420p99\n", "99 bits"),
        (b"YUV4MPEG2 W4 H4 F25:1", "expected a line"),
        (HEADER, "without a single frame"),
        (HEADER + b"FRAME\n" + bytes(575), "truncated within frame 1"),
        (HEADER + b"FRAME\n" + bytes(576) + b"FRUME\n", "after frame 1, expected FRAME"),
    ],
)
def test_what_is_no_video_is_named_together_with_what_was_found(data, found):
    with pytest.raises(BadInput, match=rf"^film\.mp4: .*({found})"):
        load_video(data, "film.mp4")


def test_y4m_without_a_rate_is_read_at_25_with_a_warning():
    with pytest.warns(UserWarning, match="no frame rate"):
        assert load_video(b"YUV4MPEG2 W1 H1 F0:0 Cmono\nFRAME\n\x07").rate == 25
    with pytest.warns(UserWarning, match="interlaced"):
        load_video(b"YUV4MPEG2 W1 H1 F25:1 It Cmono\nFRAME\n\x07")


def test_samples_above_their_depth_are_an_error():
    data = b"YUV4MPEG2 W1 H1 F25:1 Cmono10\nFRAME\n\xff\xff"
    with pytest.raises(BadInput, match="largest sample of plane Y is 65535, above 1023"):
        load_video(data)


def test_bombs_exceed_the_limit_before_anything_is_allocated(monkeypatch):
    with pytest.raises(LimitExceeded, match="99999x99999"):
        load_video(b"YUV4MPEG2 W99999 H99999 F25:1\nFRAME\n")
    for extension in (".y4m", ".mkv"):
        data = save_video(VIDEO, extension)
        with monkeypatch.context() as patch:
            patch.setattr(limit, "MAX_WHOLE_SAMPLES", 1000)
            with pytest.raises(LimitExceeded, match="read it in segments"):
                load_video(data)
            with open_video(data) as reader:
                assert sum(part.frames for part in reader.segments(1)) == 6
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 100)
    for extension in (".y4m", ".mkv", ".mp4"):
        with pytest.raises(LimitExceeded, match="24x16"):
            load_video(save_video(VIDEO, extension))


def test_frames_of_different_sizes_or_missing_ones_are_errors(tmp_path):
    pattern = tmp_path / "f%d.png"
    write_frames(pattern, [VIDEO])
    (tmp_path / "f3.png").unlink()
    with pytest.raises(BadInput, match="frame 3 is missing"):
        load_video(pattern)
    assert load_video(tmp_path).frames == 5
    write_frames(pattern, [VideoSignal((np.zeros((1, 2, 2), np.uint8),), 25, 8, "4:0:0")], first=3)
    with pytest.raises(BadInput, match="2x2 pixels, expected 24x16"):
        load_video(tmp_path)
    (tmp_path / "f3.png").write_bytes(b"no picture at all, but long enough")
    with pytest.raises(BadInput, match="expected a PNG file"):
        load_video(tmp_path)


def test_missing_files_and_senseless_numbers_are_errors(tmp_path):
    with pytest.raises(BadInput, match="there is no file"):
        load_video(tmp_path / "nothing.mp4")
    with pytest.raises(BadInput, match="no PNG frames there"):
        load_video(tmp_path / "frame_%05d.png")
    with open_video(save_video(VIDEO, ".y4m")) as reader, pytest.raises(BadOption):
        reader.read(0)
    with pytest.raises(BadInput, match="rate is 0"):
        load_video(io.BytesIO(HEADER), rate=0)
