"""`inrcodec metrics`: two files of a kind, one number per line or one JSON object."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

import inrcodec
from inrcodec.evaluate.metrics import psnr_db
from inrcodec.evaluate.metrics.catalogue import CATALOGUE
from inrcodec.media.video import save_video
from inrcodec.signal import video_signal


@pytest.fixture
def damaged(tmp_path: Path, samples: np.ndarray) -> Path:
    """The picture with an error of one level."""
    path = tmp_path / "other.png"
    Image.fromarray(samples ^ np.uint8(1)).save(path)
    return path


def names(kind: str) -> list[str]:
    return [name for metric in CATALOGUE[kind] for name in metric.names]


def test_pictures_have_fixed_json(call, picture, damaged):
    facts = json.loads(call("metrics", picture, damaged, "--json").out)
    metrics = facts.pop("metrics")
    notes = facts.pop("notes")
    size = damaged.stat().st_size
    assert facts == {
        "reference": str(picture),
        "reconstruction": str(damaged),
        "kind": "image",
        "width": 24,
        "height": 16,
        "channels": 3,
        "bit_depth": 8,
        "file_bytes": size,
        "rate_bpp": 8 * size / (24 * 16),
    }
    assert list(metrics) == names("image")
    assert metrics["psnr_db"] == pytest.approx(48.1308, abs=1e-4)
    assert metrics["psnr_channels_db"] == pytest.approx([48.1308] * 3, abs=1e-4)
    assert (metrics["ms_ssim"], list(notes)) == (None, ["ms_ssim", "ms_ssim_db"])


def test_for_people_it_is_one_fact_per_line(call, picture, damaged):
    done = call("metrics", picture, damaged)
    lines = dict(line.split(": ", 1) for line in done.out.decode().splitlines())
    facts = json.loads(call("metrics", picture, damaged, "--json").out)
    assert lines.keys() == {*facts, *facts["metrics"]} - {"metrics", "notes"}
    assert lines["psnr_db"] == "48.1308"
    assert lines["ms_ssim"] == "none"
    assert "ms_ssim: needs sides of at least 161 pixels" in done.err
    assert call("metrics", picture, damaged, "--quiet").err == ""


def test_inr_files_are_decoded(call, picture, samples, inr, encoded):
    facts = json.loads(call("metrics", picture, inr, "--json").out)
    decoded = inrcodec.decode(encoded).samples
    assert facts["metrics"]["psnr_db"] == psnr_db(samples, decoded)
    assert facts["rate_bpp"] == 8 * len(encoded) / (24 * 16)


def test_nothing_lost_is_null_in_json_with_a_note(call, picture):
    facts = json.loads(call("metrics", picture, picture, "--json").out)
    assert facts["metrics"]["psnr_db"] is None
    assert facts["metrics"]["psnr_channels_db"] == [None] * 3
    assert facts["notes"]["psnr_db"] == "infinite: nothing was lost"
    assert facts["metrics"]["ssim"] == 1
    assert b"psnr_db: inf\n" in call("metrics", picture, picture).out


def test_one_of_the_files_may_come_from_a_pipe(spawn, picture, damaged, call):
    piped = json.loads(spawn("metrics", picture, "-", "--json", stdin=damaged.read_bytes()).out)
    named = json.loads(call("metrics", picture, damaged, "--json").out)
    assert piped["reconstruction"] == "-"
    assert piped["metrics"] == named["metrics"]


def test_sounds_are_measured(call, tmp_path):
    tone = np.rint(9000 * np.sin(np.arange(6000)[:, None] / [7, 9])).astype(np.int16)
    for name, sound in (("a.wav", tone), ("b.flac", tone + np.int16(5))):
        soundfile.write(tmp_path / name, sound, 8000)
    facts = json.loads(call("metrics", tmp_path / "a.wav", tmp_path / "b.flac", "--json").out)
    assert list(facts["metrics"]) == names("audio")
    assert facts["metrics"]["snr_db"] == pytest.approx(62.1, abs=0.1)
    size = (tmp_path / "b.flac").stat().st_size
    assert facts["rate_kbps"] == pytest.approx(8 * size / 0.75 / 1000)
    assert (facts["kind"], facts["frames"], facts["rate_hz"]) == ("audio", 6000, 8000)


def test_videos_are_measured(call, tmp_path):
    frames = np.random.default_rng(0).integers(16, 236, (3, 20, 24, 3), dtype=np.uint8)
    (tmp_path / "a.y4m").write_bytes(save_video(video_signal(frames, 25), ".y4m"))
    (tmp_path / "b.y4m").write_bytes(save_video(video_signal(255 - frames, 25), ".y4m"))
    facts = json.loads(call("metrics", tmp_path / "a.y4m", tmp_path / "b.y4m", "--json").out)
    assert list(facts["metrics"]) == names("video")
    assert 0 < facts["metrics"]["psnr_yuv_db"] < 20
    assert (facts["kind"], facts["frames"], facts["width"]) == ("video", 3, 24)


def test_pictures_of_other_sizes_depths_and_channels_are_refused(call, picture, samples, tmp_path):
    cases = {
        "size": (samples[:, :-1], r"(16, 24, 3), the reconstruction (16, 23, 3); both must"),
        "grey": (samples[..., 0], "(16, 24, 1)"),
        "deep": (samples[..., 0].astype(np.uint16) << 8, "the bit depth of the reference is 8"),
    }
    for name, (other, words) in cases.items():
        path = tmp_path / f"{name}.png"
        Image.fromarray(other).save(path)
        done = call("metrics", picture, path)
        assert (done.code, done.out) == (3, b"")
        assert words in done.err


def test_files_of_different_kinds_are_refused(call, picture, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((100, 1), np.int16), 8000)
    done = call("metrics", picture, tmp_path / "a.wav")
    assert done.code == 3
    assert "kind of the reference is image, that of the reconstruction audio" in done.err


def test_the_faulty_one_of_two_files_is_named(call, picture, inr, tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("just words, and more of them\n")
    cut = tmp_path / "cut.inr"
    cut.write_bytes(inr.read_bytes()[:-9])
    for faulty, code, words in (
        (tmp_path / "none.png", 3, "there is no file"),
        (tmp_path, 3, "is a folder"),
        (text, 3, "notes.txt: found text"),
        (cut, 4, "cut.inr: "),
    ):
        for files in ((faulty, picture), (picture, faulty)):
            done = call("metrics", *files)
            assert (done.code, done.out) == (code, b"")
            assert words in done.err
            assert faulty.name in done.err


def test_two_pipes_are_one_too_many(call):
    done = call("metrics", "-", "-")
    assert done.code == 2
    assert "both standard input" in done.err


def test_json_tells_of_failures_too(call, picture, tmp_path):
    failure = json.loads(call("metrics", picture, tmp_path / "none", "--json").out)
    assert (failure["error"], failure["exit_code"]) == ("BadInput", 3)
