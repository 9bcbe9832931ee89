"""Which part of a file is looked at, and in which units."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import inrcodec
from inrcodec.evaluate.spectra import view as view_module
from inrcodec.evaluate.spectra.view import View, first_part, read_view
from inrcodec.media.audio import save_audio
from inrcodec.media.image import save_image
from inrcodec.media.video import save_video
from inrcodec.signal import AudioSignal, Signal, VideoSignal

QUICK = {"effort": 1, "engine": "reference", "device": "cpu"}


@pytest.fixture
def samples() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (12, 16, 4), dtype=np.uint8)


def test_colours_lie_between_0_and_1_and_alpha_is_left_out(samples, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(save_image(Signal(samples), ".png"))
    found = read_view(str(path))
    assert found.samples == pytest.approx(samples[..., :3] / 255)
    assert found.taken == "all 16x12 pixels without alpha"
    assert (found.grid, found.dimensions, found.rate_hz) == ((12, 16), 2, None)


def test_the_decode_of_an_inr_file_is_looked_at(samples, tmp_path):
    path = tmp_path / "a.inr"
    inrcodec.write(path, samples[..., :3], **QUICK)
    found = read_view(str(path))
    assert found.samples == pytest.approx(inrcodec.read(path) / 255)


def long_sound() -> AudioSignal:
    wave = np.random.default_rng(1).integers(-9000, 9000, (1000, 2)).astype(np.int16)
    return AudioSignal(wave, 8000)


def test_of_a_long_sound_the_beginning_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(view_module, "MOST_SAMPLES", 300)
    path = tmp_path / "a.wav"
    path.write_bytes(save_audio(long_sound(), ".wav"))
    found = read_view(str(path))
    assert found.taken == "the first 300 of 1000 frames"
    assert found.samples == pytest.approx(long_sound().samples[:300] / 2**15)
    assert (found.rate_hz, found.quality_name) == (8000, "snr_db")


def test_of_a_long_video_the_luma_of_the_first_frames_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(view_module, "MOST_SAMPLES", 3 * 10 * 12)
    luma = np.random.default_rng(2).integers(16, 236, (7, 10, 12), dtype=np.uint8)
    path = tmp_path / "a.y4m"
    path.write_bytes(save_video(VideoSignal((luma,), rate=25, subsampling="4:0:0"), ".y4m"))
    found = read_view(str(path))
    assert found.taken.startswith("luma of the first 3 ")
    assert found.samples[..., 0] == pytest.approx(luma[:3] / 255)


def test_of_a_long_inr_file_no_more_segments_are_decoded_than_needed(tmp_path, monkeypatch):
    path = tmp_path / "a.inr"
    inrcodec.write(path, long_sound().samples, rate_hz=8000, segment_seconds=0.025, **QUICK)
    whole = inrcodec.read(path)
    monkeypatch.setattr(view_module, "MOST_SAMPLES", 300)
    found = read_view(str(path))
    assert found.samples == pytest.approx(whole[:300] / 2**15)
    assert found.taken == "the first 300 of 1000 frames"


def test_a_segment_says_that_it_is_one():
    found = first_part(View.of(long_sound()), 250)
    assert found.grid == (250,)
    assert found.taken == "the first 250 frames, as a segment is fitted"


def test_closeness_is_psnr_of_pictures_and_snr_of_sound(samples):
    picture = View.of(Signal(samples))
    assert picture.quality_db(picture.samples + 0.01) == pytest.approx(40)
    assert picture.quality_db(picture.samples) == math.inf
    sound = View.of(long_sound())
    assert sound.quality_db(0.9 * sound.samples) == pytest.approx(20)


def test_standard_input_is_a_file_too(samples, monkeypatch, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(save_image(Signal(samples), ".png"))
    monkeypatch.setattr("sys.stdin", open(path))  # noqa: SIM115 - closed with the process
    assert read_view("-").samples == pytest.approx(read_view(str(Path(path))).samples)
