"""Video that FFmpeg reads: pixel formats, turned frames, and times."""

from __future__ import annotations

import io
import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from inrcodec.errors import BadInput
from inrcodec.media.kind import kind_of
from inrcodec.media.orientation import Orientation
from inrcodec.media.video import load_video, open_video
from inrcodec.signal import Colour, video_signal

HEIGHT, WIDTH = 12, 20


def encoded(
    array: np.ndarray, pixels: str, codec: str = "rawvideo", container: str = "nut"
) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixels
        for i, samples in enumerate(array):
            frame = av.VideoFrame.from_ndarray(samples, format=pixels)
            frame.pts = i
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, np.uint8)


def test_interleaved_chroma_is_taken_apart_exactly():
    stored = random(2, HEIGHT * 3 // 2, WIDTH)
    video = load_video(encoded(stored, "nv12"))
    chroma = stored[:, HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2, 2)
    assert video.subsampling == "4:2:0"
    assert np.array_equal(video.planes[0], stored[:, :HEIGHT])
    assert np.array_equal(video.planes[1], chroma[..., 0])
    assert np.array_equal(video.planes[2], chroma[..., 1])


@pytest.mark.parametrize("pixels", ["rgb24", "bgr24", "gbrp"])
def test_rgb_video_becomes_y_cb_cr_by_bt709(pixels):
    rgb = random(2, HEIGHT, WIDTH, 3)
    video = load_video(encoded(rgb[..., ::-1] if pixels == "bgr24" else rgb, pixels))
    wanted = video_signal(rgb, 25)
    assert video.colour == wanted.colour == Colour(1, 1, 1)
    for plane, other in zip(video.planes, wanted.planes, strict=True):
        assert np.array_equal(plane, other)


def test_transparency_is_left_out_with_a_warning():
    rgba = random(1, HEIGHT, WIDTH, 4)
    frame = av.VideoFrame.from_ndarray(rgba[0], format="rgba").reformat(format="yuva420p")
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as file:
        stream = file.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuva420p"
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    with pytest.warns(UserWarning, match="transparency"):
        video = load_video(out.getvalue())
    lines = np.frombuffer(frame.planes[0], np.uint8).reshape(-1, frame.planes[0].line_size)
    assert np.array_equal(video.planes[0][0], lines[:HEIGHT, :WIDTH])


@pytest.mark.parametrize("container", ["matroska", "avi", "mov", "mpegts", "nut"])
def test_containers_are_video_and_give_the_rate(container):
    codec = "libx264" if container in ("mpegts", "mov") else "ffv1"
    data = encoded(random(5, HEIGHT * 3 // 2, WIDTH), "yuv420p", codec, container)
    assert kind_of(data) == "video"
    with open_video(data) as reader:
        info = reader.info
        assert (info.width, info.height, info.rate, info.frames) == (WIDTH, HEIGHT, 25, 5)
        assert reader.read(99).times_seconds == [Fraction(i, 25) for i in range(5)]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), [[1, 2, 3], [4, 5, 6]]),
        ((0, 1, -1, 0), [[4, 1], [5, 2], [6, 3]]),  # as phones held upright store it
        ((-1, 0, 0, -1), [[6, 5, 4], [3, 2, 1]]),
        ((0, -1, 1, 0), [[3, 6], [2, 5], [1, 4]]),
        ((-1, 0, 0, 1), [[3, 2, 1], [6, 5, 4]]),
    ],
)
def test_planes_are_turned_as_the_display_matrix_says(matrix, expected):
    a, b, c, d = (v << 16 for v in matrix)
    turn = Orientation.of_matrix(struct.pack("9i", a, b, 0, c, d, 0, 0, 0, 1 << 30))
    assert turn.plane(np.array([[1, 2, 3], [4, 5, 6]])).tolist() == expected


def test_what_is_no_quarter_turn_has_no_orientation():
    assert (
        Orientation.of_matrix(struct.pack("9i", *(46341, 46341, 0, -46341, 46341, 0, 0, 0, 1)))
        is None
    )
    assert Orientation.of_matrix(b"short") is None


def test_turned_planes_keep_the_meaning_of_their_chroma():
    quarter = Orientation(True, True, False)
    assert quarter.subsampling("4:2:2") == "4:4:0"
    assert quarter.subsampling("4:2:0") == "4:2:0"
    assert quarter.subsampling("4:1:1") is None
    assert quarter.colour(Colour(chroma_location="left")).chroma_location == "top"


@pytest.mark.skipif(
    not hasattr(av.VideoStream, "set_display_rotation"), reason="this PyAV writes no rotation"
)
@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_video_lying_on_its_side_is_read_upright(degrees):
    out = io.BytesIO()
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:4, :4] = 255
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.set_display_rotation(degrees)
        file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))
    with open_video(out.getvalue()) as reader:
        assert reader.info.turned
        video = reader.read(1)
    white = np.rot90(picture[..., 0], degrees // 90) > 128
    assert np.array_equal(video.planes[0][0] > 128, white)


def test_a_file_without_pictures_says_what_it_holds():
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as file:
        stream = file.add_stream("flac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 99), np.int16), layout="mono")
        frame.sample_rate = 8000
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    assert kind_of(out.getvalue()) == "audio"
    with pytest.raises(BadInput, match=r"^song\.mka: holds no moving pictures \(found audio\)"):
        load_video(out.getvalue(), "song.mka")
