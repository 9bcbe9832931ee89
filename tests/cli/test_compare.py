"""`inrcodec compare`: results in a folder, a table on stdout, exit codes that scripts can use."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inrcodec.evaluate.points import read_points, read_run, write_points

JPEG = ("--codecs", "jpeg,webp", "--metrics", "psnr_db")


def some_picture(path: Path, channels: int = 3, height: int = 32, width: int = 48) -> Path:
    noise = np.random.default_rng(5).integers(0, 30, (height, width, channels))
    y, x = np.mgrid[0:height, 0:width]
    waves = (110 + 60 * np.sin(x / 5) + 2 * y)[:, :, None]
    Image.fromarray((waves + noise).clip(0, 255).astype(np.uint8)).save(path)
    return path


def test_a_comparison_leaves_its_files_and_prints_the_table(call, tmp_path):
    out = tmp_path / "out"
    done = call("compare", some_picture(tmp_path / "a.png"), "-o", out, *JPEG)
    assert done.code == 0
    lines = done.out.decode().splitlines()
    assert lines[0].startswith("BD-rate")
    assert lines[2].split()[:4] == ["webp", "jpeg", "psnr_db", "1"]
    found = {path.name for path in out.iterdir()}
    assert {"points.tsv", "run.json", "points.json", "bd.tsv", "curves", "files"} <= found
    assert (out / "report.html").stat().st_size > 1000
    assert "a jpeg q30" in done.err
    assert str(tmp_path) not in read_run(out / "run.json").command


def test_json_is_one_object_and_quiet_is_quiet(call, tmp_path):
    picture = some_picture(tmp_path / "a.png")
    done = call("compare", picture, "-o", tmp_path / "out", *JPEG, "--json", "--quiet")
    assert (done.code, done.err) == (0, "")
    record = json.loads(done.out)
    assert (record["points"], record["anchor"], record["signals"]) == (38, "jpeg", 1)
    assert {row["signal"] for row in record["bd_rates"]} == {"a", "mean", "mean-curve"}


def test_failed_points_are_exit_code_1_after_the_rest_is_done(call, tmp_path):
    picture = some_picture(tmp_path / "a.png", 3, 1, 16400)  # wider than WebP holds
    done = call("compare", picture, "-o", tmp_path / "out", *JPEG)
    assert done.code == 1
    assert "webp cannot hold" in done.err
    assert "18 more" in done.err
    assert len(read_points(tmp_path / "out" / "points.tsv")) == 19
    assert (tmp_path / "out" / "report.html").exists()


def test_failed_points_are_in_the_json_too(call, tmp_path):
    picture = some_picture(tmp_path / "a.png", 3, 1, 16400)
    done = call("compare", picture, "-o", tmp_path / "out", *JPEG, "--json", "--quiet")
    assert done.code == 1
    record = json.loads(done.out)
    assert record["points"] == len(record["failed"]) == 19
    assert "webp cannot hold" in record["failed"]["a webp q5"]


def test_a_transparent_image_is_compared_by_the_codecs_that_take_it(call, tmp_path):
    picture = some_picture(tmp_path / "a.png", 4)
    out = tmp_path / "out"
    codecs = ("--codecs", "jpeg,jpeg2000,webp,avif", "--metrics", "psnr_db")
    done = call("compare", picture, "-o", out, *codecs)
    assert done.code == 0
    assert done.err.startswith("skipped jpeg: jpeg holds L and RGB, the picture is RGBA; ")
    assert done.err.count("the picture is RGBA") == 1
    assert "BD-rates are against webp, as jpeg was skipped" in done.err
    assert done.err.endswith("skipped, as said above and in the report: jpeg\n")
    assert [line.split()[1] for line in done.out.decode().splitlines()[2:]] == ["webp"] * 2
    page = (out / "report.html").read_text()
    assert page.count("jpeg holds L and RGB, the picture is RGBA") == 1
    refused = call("compare", picture, "-o", tmp_path / "two", *codecs, "--anchor", "jpeg")
    assert (refused.code, refused.out) == (2, b"")
    assert "the anchor 'jpeg' cannot be used" in refused.err


def test_json_says_what_was_left_out(call, tmp_path):
    picture = some_picture(tmp_path / "a.png", 4)
    done = call("compare", picture, "-o", tmp_path / "out", *JPEG, "--json", "--quiet")
    assert (done.code, done.err) == (0, "")
    record = json.loads(done.out)
    assert record["left_out"]["jpeg"]["a"].startswith("jpeg holds L and RGB")
    assert (record["failed"], record["anchor"]) == ({}, "webp")


def test_our_codec_is_one_of_them(call, tmp_path):
    picture = some_picture(tmp_path / "a.png")
    options = ("-e", 1, "--lmbda", 0.02, "--engine", "reference", "--device", "cpu")
    out = tmp_path / "out"
    assert call("compare", picture, "-o", out, "--codecs", "inr", *options).code == 0
    found = [(p.codec, p.setting, p.lmbda) for p in read_points(out / "points.tsv")]
    assert found == [("inr-e1", "lmbda0.02", 0.02)]


def test_resume_refuses_to_replace_points_and_recompute_does(call, tmp_path):
    picture, out = some_picture(tmp_path / "a.png"), tmp_path / "out"
    words = ("compare", picture, "-o", out, *JPEG)
    assert call(*words).code == 0
    some_picture(tmp_path / "a.png", height=33)
    before = (out / "points.tsv").read_bytes()
    refused = call(*words, "--resume")
    assert (refused.code, refused.out) == (2, b"")
    assert "a (38) has changed" in refused.err
    assert "name another folder with -o, or replace them by --recompute" in refused.err
    assert (out / "points.tsv").read_bytes() == before
    done = call(*words, "--recompute")
    assert done.code == 0
    assert "38 of them new" in done.err
    assert "--recompute" not in read_run(out / "run.json").command


def test_points_of_one_codec_by_two_versions_are_told(call, tmp_path):
    out = tmp_path / "out"
    assert call("compare", some_picture(tmp_path / "a.png"), "-o", out, *JPEG).code == 0
    points = [replace(point, codec_version="other") for point in read_points(out / "points.tsv")]
    write_points(out / "points.tsv", points)
    done = call("compare", some_picture(tmp_path / "b.png"), "-o", out, *JPEG, "--resume")
    assert done.code == 0
    assert "the points of jpeg are by 2 versions: other; Pillow" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("no.png", "-o", "out"), 3, "there is no file 'no.png'"),
        (("a.png", "-o", "out", "--codecs", "gif"), 2, "there is no codec 'gif'"),
        (("a.png", "-o", "out", "--codecs", "jpeg,"), 2, "--codecs is 'jpeg,'"),
        (("a.png", "-o", "out", "--effort", "12"), 2, "effort is 12"),
        (("a.png", "-o", "out", "--resolutions", "1.5"), 2, "resolution '1.5'"),
        (("a.png", "-o", "out", "--metrics", "loudness"), 2, "no metric 'loudness'"),
        (("a.png",), 2, "-o/--output"),
    ],
)
def test_mistakes_are_told_before_any_work(call, tmp_path, monkeypatch, arguments, code, message):
    some_picture(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    done = call("compare", *arguments)
    assert done.code == code
    assert message in done.err
    assert not (tmp_path / "out").exists()


def test_a_killed_run_goes_on_where_it_was(command, environment, tmp_path):
    picture, out = some_picture(tmp_path / "a.png"), tmp_path / "out"
    words = [*command, "compare", str(picture), "-o", str(out), *JPEG, "--quiet"]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
    table = out / "points.tsv"
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if table.exists() and table.read_text().count("\n") > 4:
            break
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = read_points(table)  # whole, whenever the kill came
    assert before
    done = subprocess.run([*words, "--resume"], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    after = {point.key: point for point in read_points(table)}
    assert len(after) == 38
    assert all(after[point.key] == point for point in before)
