"""Sound and video through the command line: every kind in, every format out, at any pace."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import inrcodec
from inrcodec.media.audio import load_audio, save_audio
from inrcodec.media.kind import kind_of
from inrcodec.media.video import load_video, save_video
from inrcodec.signal import audio_signal, video_signal

pytestmark = pytest.mark.usefixtures("cosine_field")
FIELD = ("--field", "cosine")


@pytest.fixture(scope="module")
def sound() -> bytes:
    """0.25 s of stereo at 8000 Hz as FLAC."""
    t = np.arange(2000)[:, None] / 2000
    return save_audio(audio_signal(0.4 * np.sin(20 * t + [0, 1]), 8000, 16), ".flac")


@pytest.fixture(scope="module")
def film() -> bytes:
    """12 frames of 24x16 at 25 per second as MKV."""
    t, y, x = np.mgrid[:12, :16, :24]
    rgb = np.stack([t * 10 + x * 3, y * 8 + t * 3, x * 4 + y * 2], -1).astype(np.uint8)
    return save_video(video_signal(rgb, 25, subsampling="4:2:0"), ".mkv")


@pytest.fixture
def song(call, tmp_path, sound) -> Path:
    """An .inr file of that sound in five segments."""
    (tmp_path / "song.flac").write_bytes(sound)
    assert call("encode", tmp_path / "song.flac", *FIELD, "--segment", "0.05").code == 0
    return tmp_path / "song.inr"


@pytest.fixture
def movie(call, tmp_path, film) -> Path:
    """An .inr file of that film in three segments."""
    (tmp_path / "film.mkv").write_bytes(film)
    assert call("encode", tmp_path / "film.mkv", *FIELD, "--segment", "0.16").code == 0
    return tmp_path / "film.inr"


def test_a_sound_goes_in_and_comes_out(call, song):
    done = call("decode", song)
    assert done.code == 0
    assert "0.250 s at 8000 Hz, 2 channels, 16 bits" in done.err
    found = load_audio(song.with_suffix(".wav"))
    assert np.array_equal(found.samples, inrcodec.read(song.read_bytes()))
    assert found.rate_hz == 8000


def test_a_video_goes_in_and_comes_out(call, movie):
    done = call("decode", movie)
    assert done.code == 0
    assert "24x16, 12 frames at 25 fps" in done.err
    assert kind_of(movie.with_suffix(".mp4")) == "video"
    assert call("decode", movie, movie.with_suffix(".y4m")).code == 0
    exact, found = inrcodec.decode(movie.read_bytes()), load_video(movie.with_suffix(".y4m"))
    for plane, expected in zip(found.planes, exact.planes, strict=True):
        assert np.array_equal(plane, expected)


def test_what_encode_tells_of_a_sound(call, tmp_path, sound):
    (tmp_path / "a.flac").write_bytes(sound)
    done = call("encode", tmp_path / "a.flac", *FIELD, "--json", "-v")
    facts = json.loads(done.out)
    size = (tmp_path / "a.inr").stat().st_size
    assert facts["kind"] == "audio"
    assert (facts["frames"], facts["rate_hz"], facts["channels"]) == (2000, 8000, 2)
    assert facts["rate_kbps"] == pytest.approx(8 * size / 250)
    assert facts["snr_db"] < facts["psnr_db"]
    assert "rate_bpp" not in facts
    assert f"{size} bytes, {facts['rate_kbps']:.2f} kbps, {facts['snr_db']:.2f} dB SNR" in done.err


def test_what_encode_and_verify_tell_of_a_video(call, movie):
    facts = json.loads(call("info", movie, "--json").out)
    assert facts["kind"] == "video" and facts["segments"] == 3
    assert facts["rate_bpp"] == pytest.approx(8 * facts["file_bytes"] / (12 * 24 * 16))
    assert facts["rate_kbps"] == pytest.approx(8 * facts["file_bytes"] / 480)
    assert facts["duration_seconds"] == 0.48
    done = call("verify", movie, "--json")
    assert json.loads(done.out)["decode_hash"] == facts["decode_hash"]
    assert "ok, 24x16, 12 frames at 25 fps, 8 bits" in done.err


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3", "aiff", "w64", "opus"])
def test_sounds_are_written_in_every_format(call, song, extension):
    out = song.with_suffix("." + extension)
    rate = ("--rate", "48000") if extension == "opus" else ()
    done = call("decode", song, out, *rate, "--json", "-f")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts["output_bytes"] == out.stat().st_size
    found = load_audio(out)
    assert found.rate_hz == facts["rate_hz"]
    assert abs(found.frames - facts["frames"]) < 3000


@pytest.mark.parametrize(
    ("options", "frames", "rate_hz"),
    [
        (("--rate", "11025"), 2756, 11025),
        (("--time", "0.05:0.1"), 400, 8000),
        (("--time", "0.2:"), 400, 8000),
        (("--time", ":0.1", "--rate", "16000"), 1600, 16000),
        (("--bit-depth", "24"), 2000, 8000),
    ],
)
def test_rate_and_time_of_a_sound(call, song, options, frames, rate_hz):
    assert call("decode", song, song.with_suffix(".wav"), *options).code == 0
    found = load_audio(song.with_suffix(".wav"))
    assert (found.frames, found.rate_hz) == (frames, rate_hz)


@pytest.mark.parametrize(
    ("options", "shape", "rate"),
    [
        (("--fps", "50"), (24, 16, 24), 50),
        (("--fps", "30000/1001"), (14, 16, 24), Fraction(30000, 1001)),
        (("--fps", "29.97002997003"), (14, 16, 24), Fraction(30000, 1001)),
        (("--time", "0.08:0.24"), (4, 16, 24), 25),
        (("--scale", "2", "--time", "0.4:"), (2, 32, 48), 25),
        (("--size", "12x8", "--region", "0,0,12,8"), (12, 8, 12), 25),
    ],
)
def test_pace_size_and_time_of_a_video(call, movie, options, shape, rate):
    assert call("decode", movie, movie.with_suffix(".y4m"), *options).code == 0
    found = load_video(movie.with_suffix(".y4m"))
    assert found.planes[0].shape == shape
    assert found.rate == rate


def test_frames_of_png_go_in_and_come_out(call, movie):
    folder = movie.parent / "frames"
    folder.mkdir()
    done = call("decode", movie, folder / "f%03d.png", "--json")
    assert done.code == 0, done.err
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"f{i:03d}.png" for i in range(1, 13)]
    sizes = sum(path.stat().st_size for path in folder.iterdir())
    assert json.loads(done.out)["output_bytes"] == sizes
    refused = call("decode", movie, folder / "f%03d.png")
    assert (refused.code, "use -f" in refused.err) == (7, True)
    out = movie.parent / "again.inr"
    assert call("encode", folder, out, *FIELD, "--fps", "10").code == 0
    facts = json.loads(call("info", out, "--json").out)
    assert (facts["frames"], facts["fps"], facts["subsampling"]) == (12, 10, "4:4:4")


def test_a_rate_that_is_asked_for_replaces_that_of_a_video(call, movie):
    out = movie.parent / "slow.inr"
    assert call("encode", movie.with_suffix(".mkv"), out, *FIELD, "--fps", "10").code == 0
    facts = json.loads(call("info", out, "--json").out)
    assert (facts["frames"], facts["fps"], facts["variable_rate"]) == (12, 10, False)


def test_frames_that_were_written_before_a_failure_are_removed(call, movie):
    folder = movie.parent / "frames"
    folder.mkdir()
    (folder / "frame_00007.png").write_bytes(b"precious")
    assert call("decode", movie, folder).code == 7
    assert [path.name for path in folder.iterdir()] == ["frame_00007.png"]


def test_standard_output_takes_wav_and_y4m(call, song, movie):
    done = call("decode", song, "-", "--quiet")
    assert load_audio(done.out).frames == 2000
    done = call("decode", movie, "-", "--quiet")
    assert load_video(done.out).frames == 12
    done = call("decode", movie, "-", "--quiet", "--format", "mkv")
    assert load_video(done.out).frames == 12


class Pipe(io.BufferedReader):
    """Bytes that can be read once."""

    def __init__(self, data: bytes) -> None:
        raw = io.BytesIO(data)
        raw.seekable = lambda: False
        super().__init__(raw)

    def seekable(self) -> bool:
        return False


@pytest.mark.parametrize("kind", ["flac", "mkv", "y4m"])
def test_standard_input_may_be_of_any_kind(call, tmp_path, sound, film, kind, monkeypatch):
    data = {"flac": sound, "mkv": film, "y4m": save_video(load_video(film), ".y4m")}[kind]
    (tmp_path / f"in.{kind}").write_bytes(data)
    assert call("encode", tmp_path / f"in.{kind}", *FIELD).code == 0

    class Stdin:
        buffer = Pipe(data)

    monkeypatch.setattr("sys.stdin", Stdin)
    done = call("encode", "-", tmp_path / "out.inr", *FIELD)
    assert done.code == 0, done.err
    if kind != "y4m":  # whose frames are not counted before they are read
        assert (tmp_path / "out.inr").read_bytes() == (tmp_path / "in.inr").read_bytes()
    assert call("verify", tmp_path / "out.inr").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("decode", "song.inr", "a.png"), "expected one of .wav"),
        (("decode", "song.inr", "a.wav", "--scale", "2"), "a scale was given"),
        (("decode", "song.inr", "a.wav", "--fps", "2"), "a frame rate was given"),
        (("decode", "song.inr", "a.wav", "--time", "1:2"), "does not lie inside the sound"),
        (("decode", "song.inr", "a.wav", "--time", "1"), "not T0:T1"),
        (("decode", "song.inr", "a.wav", "--time", "a:b"), "not T0:T1"),
        (("decode", "song.inr", "a.wav", "--time", "1e400:"), "not T0:T1"),
        (("decode", "song.inr", "a.wav", "--time", "0:1e999999999"), "not T0:T1"),
        (("decode", "song.inr", "a.wav", "--time", "0:1e-999999999"), "does not lie inside"),
        (("decode", "song.inr", "a.wav", "--rate", "0"), "not a sample rate"),
        (("decode", "song.inr", "a.opus", "--rate", "11025"), ".opus holds 8000"),
        (("decode", "film.inr", "a.wav"), "expected one of .y4m"),
        (("decode", "film.inr", "a.mp4", "--rate", "8000"), "a sample rate was given"),
        (("decode", "film.inr", "a.mp4", "--fps", "1/0"), "not a frame rate"),
        (("decode", "film.inr", "a.mp4", "--region", "9,9,9,9"), "inside the 24x16 pixels"),
        (("decode", "film.inr", "a.mp4", "--fps", "1e-300"), "not a frame rate"),
        (("decode", "film.inr", "a.mkv", "--fps", "9999.999999"), ".mkv cannot hold a rate of"),
        (("decode", "film.inr", "a.mp4", "--fps", "1e999999999"), "not a frame rate"),
        (("decode", "film.inr", "a.mp4", "--bit-depth", "24"), "from 8 to 16"),
        (("encode", "song.flac", "a.inr", "--field", "grid"), "represents image signals"),
        (("encode", "song.flac", "a.inr", "--field", "nerf"), "there is no field 'nerf'"),
        (
            ("encode", "song.flac", "a.inr", *FIELD, "--fps", "3"),
            "--fps is for video, song.flac is a sound",
        ),
        (("encode", "song.flac", "a.inr", *FIELD, "--segment", "0"), "not a positive number"),
    ],
)
def test_what_does_not_fit_ends_with_code_2(
    call, song, movie, tmp_path, monkeypatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    done = call(*arguments)
    assert (done.code, done.out) == (2, b"")
    assert words in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("search", [(), ("--target-bytes", "900")])
@pytest.mark.parametrize("name", ["cut.flac", "words.txt", "a.inr", "nothing.y4m", "nothing.wav"])
def test_what_cannot_be_read_ends_with_code_3(call, tmp_path, song, sound, name, search):
    content = {
        "cut.flac": sound[: len(sound) // 2],
        "words.txt": b"just words\n",
        "a.inr": song.read_bytes(),
        "nothing.y4m": b"YUV4MPEG2 W4 H4 F25:1 Ip C420\n",
        "nothing.wav": bytes.fromhex("52494646 24000000 57415645 666d7420 10000000 01000100")
        + bytes.fromhex("401f0000 803e0000 02001000 64617461 00000000"),
    }[name]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(content)
    done = call("encode", folder / name, folder / "out.inr", *FIELD, *search)
    assert done.code == 3
    assert name in done.err
    assert [path.name for path in folder.iterdir()] == [name]


def test_damaged_segments_are_named(call, song):
    data = bytearray(song.read_bytes())
    data[len(data) // 2] ^= 1
    song.write_bytes(data)
    done = call("decode", song)
    assert done.code == 4
    assert "segment 2 of 0..4 is damaged" in done.err


def test_work_beyond_the_limits_is_refused_and_can_be_allowed(call, song):
    done = call("decode", song, "--max-macs", "1000")
    assert done.code == 5
    assert "on the command line that is --max-macs N" in done.err
    assert call("verify", song, "--max-macs", "1000").code == 5
    assert call("decode", song, "--max-macs", "16000").code == 0


def test_progress_of_all_segments_is_told_as_one(call, tmp_path, sound):
    (tmp_path / "a.flac").write_bytes(sound)
    done = call("encode", tmp_path / "a.flac", *FIELD, "--segment", "0.05", "--progress", "json")
    records = [json.loads(line) for line in done.err.splitlines()]
    assert records[-1]["step"] == records[-1]["steps"] == 10
