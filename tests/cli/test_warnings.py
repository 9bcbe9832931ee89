"""Warnings: one line each, once, whatever else is told."""

from __future__ import annotations

import io
import json
import warnings

import numpy as np
import pytest
import soundfile

from inrcodec.cli import console
from inrcodec.media.image import save_image
from inrcodec.signal import image_signal


def said(capsys: pytest.CaptureFixture[str], **how: bool) -> list[str]:
    """The lines that a warning of ours, given twice, and one of numpy in our code become."""
    capsys.readouterr()
    with console.warnings_shown(**{"quiet": False} | how):
        for text, category in (("cut", UserWarning), ("cut", UserWarning), ("x", RuntimeWarning)):
            warnings.warn_explicit(text, category, "inrcodec/a.py", 1, module="inrcodec.a")
    return capsys.readouterr().err.splitlines()


def test_each_of_ours_is_one_line_and_those_of_libraries_are_for_who_asks(capsys) -> None:
    assert said(capsys) == ["inrcodec: warning: cut"]
    assert said(capsys, verbose=True) == ["inrcodec: warning: cut", "inrcodec: warning: x"]
    assert said(capsys, quiet=True) == []


def test_programs_that_read_progress_get_objects(capsys) -> None:
    assert list(map(json.loads, said(capsys, as_json=True))) == [{"warning": "cut"}]


@pytest.mark.usefixtures("cosine_field")
def test_a_search_for_a_size_says_once_what_it_reads_several_times(call, tmp_path) -> None:
    out = io.BytesIO()
    soundfile.write(out, np.full((900, 1), 1.5), 8000, format="WAV", subtype="FLOAT")
    (tmp_path / "loud.wav").write_bytes(out.getvalue())
    done = call("encode", tmp_path / "loud.wav", "--field", "cosine", "--target-bytes", "9000")
    assert done.err.count("900 samples beyond full scale were clipped") == 1


@pytest.mark.parametrize("style", ["none", "json", "lines"])
def test_that_next_to_nothing_was_learned_is_told_with_any_progress(call, tmp_path, style) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    (tmp_path / "noise.png").write_bytes(save_image(image_signal(noise), ".png"))
    size = ("--hidden-features", "4", "--hidden-layers", "1")
    done = call(
        "encode", tmp_path / "noise.png", "--field", "siren", *size, "-e", "1", "--progress", style
    )
    assert done.code == 0
    told = [line for line in done.err.splitlines() if "learned next to nothing" in line]
    mark = '{"warning": "the network' if style == "json" else "inrcodec: warning: the network"
    assert len(told) == 1 and told[0].startswith(mark)


@pytest.mark.slow
@pytest.mark.parametrize(("how", "times"), [((), 1), (("--quiet",), 0)])
def test_processes_tell_warnings_the_same_way(spawn, tmp_path, how, times: int) -> None:
    sources = [tmp_path / f"{name}.wav" for name in ("a", "b")]
    for source in sources:
        soundfile.write(source, np.full((900, 1), 1.5), 8000, format="WAV", subtype="FLOAT")
    size = ("--hidden-features", "4", "--hidden-layers", "1", "-e", "1", "--field", "siren")
    many = ("--into", tmp_path, "--batch", "2", "--device", "cpu")
    done = spawn("encode", *sources, *many, *size, *how)
    assert done.code == 0, done.err
    for source in sources:
        text = f"{source.name}: 900 samples beyond full scale were clipped"
        assert done.err.count(text) == times
        assert done.err.splitlines().count(f"inrcodec: warning: {text}") == times
