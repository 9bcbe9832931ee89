"""Sound that FFmpeg reads: containers, padding, depths, and the sound of a video."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from inrcodec.errors import BadInput
from inrcodec.media.audio import load_audio, read_audio
from inrcodec.media.kind import kind_of
from inrcodec.media.sound_file import flac_depth

FRAMES = 20_000
WAVE = 9000 * np.sin(np.arange(FRAMES)[:, None] * [0.05, 0.08])
SAMPLES = WAVE.astype(np.int16)


def encoded(codec: str, container: str, rate_hz: int = 48000, picture: bool = False) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate_hz, layout="stereo")
        if picture:
            moving = file.add_stream("ffv1", rate=25)
            moving.width, moving.height, moving.pix_fmt = 16, 16, "yuv420p"
            file.mux(moving.encode(av.VideoFrame(16, 16, "yuv420p")))
            file.mux(moving.encode(None))
        frame = av.AudioFrame.from_ndarray(SAMPLES.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, 0, Fraction(1, rate_hz)
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


@pytest.mark.parametrize(
    ("codec", "container", "bit_depth"),
    [
        ("flac", "matroska", 16),
        ("flac", "flac", 16),
        ("flac", "ogg", 16),
        ("alac", "ipod", 24),  # PyAV hands the samples to this encoder as 24-bit ones
        ("pcm_s16be", "mov", 16),
        ("pcm_s24le", "mov", 24),
        ("pcm_f32le", "matroska", 24),
    ],
)
def test_lossless_codecs_are_exact_in_every_container(codec, container, bit_depth):
    data = encoded(codec, container)
    signal = load_audio(data)
    assert kind_of(data) == "audio"
    assert (signal.bit_depth, signal.rate_hz) == (bit_depth, 48000)
    assert np.array_equal(signal.samples, SAMPLES.astype(np.int32) << (bit_depth - 16))


@pytest.mark.parametrize(
    ("codec", "container", "frames"),
    [
        ("aac", "mp4", range(FRAMES, FRAMES + 97)),  # its edit list counts in milliseconds
        ("libopus", "mp4", range(FRAMES, FRAMES + 97)),
        ("libopus", "webm", range(FRAMES, FRAMES + 1)),
        ("libmp3lame", "mp3", range(FRAMES, FRAMES + 1)),
    ],
)
def test_what_encoders_put_before_and_after_is_cut_as_the_container_says(codec, container, frames):
    signal = load_audio(encoded(codec, container))
    assert signal.frames in frames
    error = signal.samples[5000:15000].astype(float) - SAMPLES[5000:15000]
    assert np.sqrt(np.mean(error**2)) < 500


def test_parts_of_a_stream_are_those_of_the_whole():
    data = encoded("aac", "mp4")
    part = read_audio(data, 7000, 3000)
    assert np.array_equal(part.samples, load_audio(data).samples[7000:10_000])


def test_the_sound_of_a_video_is_read_and_the_file_is_a_video():
    data = encoded("flac", "matroska", picture=True)
    assert kind_of(data) == "video"
    assert np.array_equal(load_audio(data).samples, SAMPLES)


@pytest.mark.parametrize("bit_depth", [4, 12, 20, 32])
def test_the_depth_of_flac_is_that_of_its_first_block(bit_depth):
    data = bytearray(encoded("flac", "flac"))
    assert flac_depth(bytes(data[:64])) == 16
    data[20] = data[20] & 0xFE | (bit_depth - 1) >> 4
    data[21] = data[21] & 0x0F | ((bit_depth - 1) & 15) << 4
    assert flac_depth(bytes(data[:64])) == bit_depth


def test_a_file_without_sound_says_what_it_holds():
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as file:
        moving = file.add_stream("ffv1", rate=25)
        moving.width, moving.height, moving.pix_fmt = 16, 16, "yuv420p"
        file.mux(moving.encode(av.VideoFrame(16, 16, "yuv420p")))
        file.mux(moving.encode(None))
    with pytest.raises(BadInput, match=r"^film\.mkv: holds no sound \(found video\)"):
        load_audio(out.getvalue(), "film.mkv")
