"""What the inputs of a comparison are taken for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inrcodec.bitstream.container import MAGIC
from inrcodec.errors import BadInput
from inrcodec.evaluate.originals import find_originals
from inrcodec.media.audio import save_audio
from inrcodec.signal import AudioSignal


def picture(path: Path) -> str:
    Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(path)
    return str(path)


def sound(path: Path) -> str:
    path.write_bytes(save_audio(AudioSignal(np.zeros((400, 1), np.int16), 8000), ".wav"))
    return str(path)


def never(text: str) -> None:
    raise AssertionError(text)


def test_a_folder_stands_for_its_files_in_order_and_others_are_named(tmp_path: Path):
    for name in ("b.png", "a.png"):
        picture(tmp_path / name)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "inner").mkdir()
    said: list[str] = []
    found = find_originals([str(tmp_path)], said.append)
    assert [(original.name, original.kind) for original in found] == [
        ("a", "image"),
        ("b", "image"),
    ]
    assert len(said) == 1
    assert "notes.txt" in said[0]


def test_kinds_are_not_mixed(tmp_path: Path):
    inputs = [picture(tmp_path / "a.png"), sound(tmp_path / "b.wav")]
    with pytest.raises(BadInput, match="different kinds: image 'a.png', audio 'b.wav'"):
        find_originals(inputs, never)


def test_two_inputs_of_one_name_are_refused(tmp_path: Path):
    (tmp_path / "x").mkdir()
    inputs = [picture(tmp_path / "a.png"), picture(tmp_path / "x" / "a.png")]
    with pytest.raises(BadInput, match="same name 'a'"):
        find_originals(inputs, never)


def test_what_is_missing_empty_or_coded_already_is_refused(tmp_path: Path):
    with pytest.raises(BadInput, match="there is no file"):
        find_originals([str(tmp_path / "no.png")], never)
    with pytest.raises(BadInput, match="holds no image, sound or video"):
        find_originals([str(tmp_path)], never)
    (tmp_path / "a.inr").write_bytes(MAGIC)
    with pytest.raises(BadInput, match="expected an original"):
        find_originals([str(tmp_path / "a.inr")], never)


def test_frames_of_a_video_are_named_by_a_pattern(tmp_path: Path):
    for i in range(3):
        picture(tmp_path / f"f{i}.png")
    (found,) = find_originals([str(tmp_path / "f%d.png")], never)
    assert found.kind == "video"
    assert found.load().frames == 3
    before = found.digest()
    Image.fromarray(np.full((8, 8, 3), 91, np.uint8)).save(tmp_path / "f2.png")
    assert found.digest() != before


def test_names_cannot_break_a_table(tmp_path: Path):
    (found,) = find_originals([picture(tmp_path / "a\tb\nc.png")], never)
    assert found.name == "a_b_c"


@pytest.mark.parametrize("inputs", [5, None, "a.png", [], [5], b"a.png"])
def test_what_is_no_list_of_paths_is_refused(inputs):
    with pytest.raises(BadInput, match="expected a list of paths"):
        find_originals(inputs, never)


def test_an_original_that_is_gone_is_told_by_name(tmp_path: Path):
    (found,) = find_originals([picture(tmp_path / "a.png")], never)
    (tmp_path / "a.png").unlink()
    with pytest.raises(BadInput, match=r"a\.png' cannot be read: No such file"):
        found.digest()
