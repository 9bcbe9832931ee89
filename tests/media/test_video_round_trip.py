"""Video in and out: exact formats keep every sample and time, MP4 looks the same."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings
from fractions import Fraction

import numpy as np
import pytest

from inrcodec.errors import BadOption, OutputError
from inrcodec.media.frames import write_frames
from inrcodec.media.video import load_video, open_video, read_video, save_video, write_video
from inrcodec.signal import Colour, VideoSignal, video_signal
from inrcodec.signal.colour import SUBSAMPLINGS, chroma_shape

NTSC = Fraction(30000, 1001)


def noise(
    frames: int = 4,
    size: tuple[int, int] = (11, 17),
    subsampling: str = "4:2:0",
    bit_depth: int = 8,
    rate: Fraction = Fraction(25),
    **rest: object,
) -> VideoSignal:
    generator = np.random.default_rng(frames + bit_depth)
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    shapes = [size] + [chroma_shape(*size, subsampling)] * (2 * (subsampling != "4:0:0"))
    planes = tuple(generator.integers(0, 1 << bit_depth, (frames, *s), dtype) for s in shapes)
    return VideoSignal(planes, rate, bit_depth, subsampling, **rest)


def smooth(frames: int = 4, size: tuple[int, int] = (24, 36)) -> VideoSignal:
    y, x = np.mgrid[: size[0], : size[1]]
    base = np.stack([y * 6, x * 4, 200 - y * 3], axis=2)
    rgb = np.stack([base + 5 * i for i in range(frames)]).clip(0, 255).astype(np.uint8)
    return video_signal(rgb, 25, subsampling="4:2:0")


def assert_same(found: VideoSignal, wanted: VideoSignal) -> None:
    assert (found.subsampling, found.bit_depth) == (wanted.subsampling, wanted.bit_depth)
    for plane, other in zip(found.planes, wanted.planes, strict=True):
        assert np.array_equal(plane, other)
    assert (found.rate, found.times_seconds) == (wanted.rate, wanted.times_seconds)


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("bit_depth", [8, 10, 16])
@pytest.mark.parametrize("size", [(1, 1), (2, 4), (11, 17)])
def test_y4m_keeps_every_sample(subsampling, bit_depth, size):
    video = noise(3, size, subsampling, bit_depth, NTSC)
    if subsampling == "4:4:0":
        with pytest.raises(BadOption, match=r"choose \.mkv"):
            save_video(video, ".y4m")
    else:
        assert_same(load_video(save_video(video, ".y4m")), video)


@pytest.mark.parametrize("subsampling", ["4:0:0", "4:2:0", "4:2:2", "4:4:0", "4:4:4"])
@pytest.mark.parametrize("bit_depth", [8, 10, 12])
def test_mkv_keeps_every_sample(subsampling, bit_depth):
    video = noise(3, (11, 17), subsampling, bit_depth, NTSC)
    assert_same(load_video(save_video(video, ".mkv")), video)


@pytest.mark.parametrize("size", [(1, 1), (1, 8), (3, 3), (7, 5), (16, 15)])
def test_mkv_keeps_very_small_frames(size):
    for subsampling in ("4:2:0", "4:4:4", "4:0:0"):
        video = noise(2, size, subsampling)
        assert_same(load_video(save_video(video, ".mkv")), video)


@pytest.mark.parametrize("width", [4, 7, 16])
def test_mkv_keeps_4_1_1_where_ffmpeg_does_and_refuses_it_elsewhere(width):
    video = noise(2, (6, width), "4:1:1")
    assert_same(load_video(save_video(video, ".mkv")), video)
    with pytest.raises(BadOption, match=r"choose \.y4m"):
        save_video(noise(2, (6, width + 1 + (width == 7)), "4:1:1"), ".mkv")


def test_a_y4m_file_written_by_another_program_comes_out_as_it_was():
    header = b"YUV4MPEG2 W6 H4 F30000:1001 Ip A1:1 C420mpeg2 XCOLORRANGE=LIMITED\n"
    frames = b"".join(b"FRAME\n" + bytes(range(i, i + 36)) for i in range(3))
    assert save_video(load_video(header + frames), ".y4m") == header + frames


@pytest.mark.parametrize(
    ("tag", "location"), [("420", "center"), ("420jpeg", "center"), ("420paldv", "topleft")]
)
def test_y4m_keeps_where_chroma_lies(tag, location):
    data = f"YUV4MPEG2 W2 H2 F25:1 C{tag} XCOLORRANGE=FULL\nFRAME\n".encode() + bytes(6)
    video = load_video(data)
    assert video.colour == Colour(full_range=True, chroma_location=location)
    assert load_video(save_video(video, "y4m")).colour == video.colour


@pytest.mark.parametrize("rate", [NTSC, Fraction(24000, 1001), Fraction(50), Fraction(1, 2)])
@pytest.mark.parametrize("extension", [".mp4", ".mkv", ".y4m"])
def test_a_constant_rate_is_kept_exactly(rate, extension):
    video = noise(7, (16, 16), rate=rate)
    again = load_video(save_video(video, extension))
    assert again.is_constant_rate
    assert again.rate == rate
    assert again.times_seconds == video.times_seconds


def test_a_variable_rate_is_kept_exactly_by_mp4_and_to_the_millisecond_by_mkv():
    ticks = np.array([0, 3000, 4500, 12_000, 27_000])
    video = noise(5, (16, 16), ticks=ticks, time_base=Fraction(1, 90_000))
    assert not video.is_constant_rate
    again = load_video(save_video(video, ".mp4"))
    assert again.times_seconds == video.times_seconds
    assert again.rate == 4 / Fraction(27_000, 90_000)
    again = load_video(save_video(video, ".mkv"))
    for found, wanted in zip(again.times_seconds, video.times_seconds, strict=True):
        assert abs(found - wanted) <= Fraction(1, 2000)
    with pytest.raises(BadOption, match="one frame rate only"):
        save_video(video, ".y4m")


@pytest.mark.parametrize("extension", [".mp4", ".mkv"])
def test_colour_is_kept_and_pixel_aspect_where_the_format_has_room_for_it(extension):
    colour = Colour(9, 9, 16, full_range=True)
    video = noise(2, (16, 16), colour=colour, pixel_aspect=Fraction(4, 3))
    again = load_video(save_video(video, extension))
    assert again.colour == colour
    assert again.pixel_aspect == (Fraction(4, 3) if extension == ".mp4" else 1)


def test_mp4_looks_the_same():
    video = smooth()
    again = load_video(save_video(video, ".mp4"))
    assert (again.subsampling, again.bit_depth) == ("4:2:0", 8)
    for plane, other in zip(again.planes, video.planes, strict=True):
        assert np.mean((plane.astype(float) - other) ** 2) < 2


def test_mp4_keeps_10_bits():
    video = smooth()
    wide = VideoSignal(tuple(p.astype(np.uint16) * 4 for p in video.planes), video.rate, 10)
    again = load_video(save_video(wide, ".mp4"))
    assert again.bit_depth == 10
    assert np.mean((again.planes[0].astype(float) - wide.planes[0]) ** 2) < 32


def test_mp4_of_odd_size_repeats_the_last_row_and_column_with_a_warning():
    with pytest.warns(UserWarning, match="even sizes"):
        again = load_video(save_video(smooth(size=(23, 35)), ".mp4"))
    assert (again.height, again.width) == (24, 36)


def test_mp4_of_grey_frames_is_grey():
    grey = video_signal(np.full((2, 16, 16), 90, np.uint8), 25)
    again = load_video(save_video(grey, ".mp4"))
    assert again.colour.full_range
    assert {int(v) for v in np.unique(again.rgb())} <= {89, 90, 91}


@pytest.mark.parametrize("extension", [".y4m", ".mkv", ".mp4"])
def test_segments_are_parts_of_the_whole_at_the_times_they_have_there(tmp_path, extension):
    path = tmp_path / f"film{extension}"
    path.write_bytes(save_video(smooth(11), extension))
    whole = load_video(path)
    for n_frames in (1, 4, 50):
        with open_video(path) as reader:
            parts = list(reader.segments(n_frames))
        for i in range(3):
            joined = np.concatenate([part.planes[i] for part in parts])
            assert np.array_equal(joined, whole.planes[i])
        assert sum((p.times_seconds for p in parts), []) == whole.times_seconds
    part = read_video(path, 5, 3)
    assert_same(part, whole.part(5, 8))
    with pytest.raises(BadOption, match="ends before frame 11"):
        read_video(path, 11, 1)


@pytest.mark.parametrize("extension", [".y4m", ".mkv"])
def test_a_video_written_in_segments_is_the_video_written_at_once(extension):
    video = noise(7)
    out = io.BytesIO()
    write_video(out, extension, [video.part(0, 3), video.part(3, 4), video.part(4, 7)])
    assert_same(load_video(out.getvalue()), video)


def test_a_part_of_a_video_begins_at_zero_in_its_own_file():
    again = load_video(save_video(noise(7).part(3, 7), ".mkv"))
    assert again.times_seconds == [Fraction(i, 25) for i in range(4)]


def test_segments_that_differ_are_refused():
    for parts in ([noise(2), noise(2, (8, 8))], [noise(2), noise(2)], []):
        with pytest.raises(BadOption, match="differ|no segments"):
            write_video(io.BytesIO(), ".mkv", parts)


def test_unknown_extensions_are_refused_with_those_that_are_written():
    with pytest.raises(BadOption, match=r"choose one of \.y4m \.mp4 \.mov \.mkv, or a folder"):
        save_video(noise(), ".gif")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_frames_give_back_what_rgb_shows(tmp_path, dtype):
    rgb = smooth().rgb().astype(dtype) * (257 if dtype == np.uint16 else 1)
    video = video_signal(rgb, 30)
    assert write_frames(tmp_path, [video.part(0, 3), video.part(3, 4)]) == 4
    assert sorted(p.name for p in tmp_path.iterdir())[::3] == ["frame_00001.png", "frame_00004.png"]
    again = load_video(tmp_path, rate=30)
    assert (again.rate, again.subsampling, again.colour) == (30, "4:4:4", video.colour)
    step = 1 if dtype == np.uint8 else 2
    assert np.abs(again.rgb().astype(int) - video.rgb()).max() <= 2 * step


def test_grey_png_frames_are_exact(tmp_path):
    video = video_signal(np.random.default_rng(0).integers(0, 256, (3, 5, 7), np.uint8), 25)
    pattern = tmp_path / "grey %03d.png"
    write_frames(pattern, [video])
    assert_same(load_video(pattern), video)
    with pytest.raises(OutputError, match="exists"):
        write_frames(pattern, [video])
    write_frames(pattern, [video], force=True)


def test_frames_are_read_in_the_order_of_their_numbers(tmp_path):
    for i in range(12):
        (tmp_path / "part").mkdir(exist_ok=True)
        video = video_signal(np.full((1, 2, 2), 10 * i, np.uint8), 25)
        write_frames(tmp_path / "part" / "f%d.png", [video], first=i)
    for source in (tmp_path / "part", tmp_path / "part" / "f%d.png"):
        assert load_video(source).planes[0][:, 0, 0].tolist() == [10 * i for i in range(12)]


def test_exact_formats_give_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for extension in (".y4m", ".mkv", ".mp4", ".mov"):
            load_video(save_video(smooth(), extension))


@pytest.mark.parametrize("extension", [".y4m", ".mkv"])
def test_video_comes_through_a_pipe_and_y4m_goes_into_one(tmp_path, extension):
    video = noise(5)
    (tmp_path / "in").write_bytes(save_video(video, extension))
    code = (
        "import sys; from inrcodec.media.video import open_video, write_video\n"
        "with open_video(sys.stdin.buffer) as reader:\n"
        "    write_video(sys.stdout.buffer, '.y4m', reader.segments(2))\n"
    )
    with subprocess.Popen(["cat", tmp_path / "in"], stdout=subprocess.PIPE) as source:
        run = subprocess.run([sys.executable, "-c", code], stdin=source.stdout, capture_output=True)
    assert not run.stderr
    assert_same(load_video(run.stdout), video)


def test_another_rate_may_be_asked_for():
    again = load_video(save_video(noise(3), ".mkv"), rate=50)
    assert again.is_constant_rate
    assert again.times_seconds == [0, Fraction(1, 50), Fraction(2, 50)]
