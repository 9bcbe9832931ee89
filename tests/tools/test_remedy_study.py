"""The remedy study: cells that fit, files of the same size, honest rankings of what is there."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from remedy_study_cells import (
    PLAIN,
    StudyCell,
    cells,
    estimate_seconds,
    fits,
    load,
    measure,
    study_fields,
    study_remedies,
    target_bytes,
)
from remedy_study_report import groups, losses, ranking, write_report

from inrcodec.signal import audio_signal, image_signal

TOOL = [sys.executable, str(Path(__file__).parents[2] / "tools" / "remedy_study")]


def picture(height: int = 32, width: int = 40) -> np.ndarray:
    y, x = np.mgrid[:height, :width] / 8
    waves = np.stack([np.sin(2 * x + y), np.cos(y * x), np.sin(y)], axis=-1)
    return (127 + 100 * waves).astype(np.uint8)


@pytest.fixture
def media(tmp_path: Path) -> list[str]:
    """Two pictures and a sound, as files."""
    paths = [tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c.wav"]
    Image.fromarray(picture()).save(paths[0])
    Image.fromarray(picture(48, 32)).save(paths[1])
    t = np.arange(4000) / 8000
    soundfile.write(paths[2], 0.5 * np.sin(2 * np.pi * 200 * t * (1 + t)), 8000)
    return [str(path) for path in paths]


def study(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TOOL, *words], capture_output=True, text=True, check=False)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_only_remedies_that_fit_are_tried() -> None:
    assert fits("siren", "winner", "image") and not fits("relu", "winner", "image")
    assert fits("pe", "bn", "image") and not fits("siren", "bn", "image")
    assert fits("siren", "sec", "image") and not fits("siren", "sec", "audio")
    assert fits("siren", "tuner", "image") and not fits("pe", "tuner", "audio")
    assert fits("grid", PLAIN, "image") and not fits("grid", "iga", "image")
    assert not {"soap", "auto"} & {*study_remedies()} and "grid" not in study_fields("audio")


def test_every_field_has_a_row_without_a_remedy_and_each_cell_is_there_once() -> None:
    signals = {"a": image_signal(picture()), "c": audio_signal(np.zeros(100), 8000)}
    found = list(cells(signals, [], [], {"image": (0.3,), "audio": (32.0,)}, 1))
    assert len(set(found)) == len(found)
    for name, kind in (("a", "image"), ("c", "audio")):
        mine = {(c.field, c.remedy) for c in found if c.signal == name}
        assert {field for field, _ in mine} == set(study_fields(kind))
        assert {(field, PLAIN) for field in study_fields(kind)} <= mine


def test_sizes_follow_the_rate_of_the_kind() -> None:
    assert target_bytes(image_signal(picture(40, 50)), 0.8) == 200
    assert target_bytes(audio_signal(np.zeros(16_000), 8000), 32) == 8000


def test_a_cell_has_a_file_of_its_size_and_the_quality_before_it() -> None:
    signal = image_signal(picture())
    cell = StudyCell("a", "image", "siren", "ws", 2.0, 0)
    found = measure(cell, signal, 1, "cpu")
    assert 0.8 * found["target_bytes"] <= found["file_bytes"] <= found["target_bytes"]
    assert found["float_db"] > found["file_db"] - 1 > 5
    assert found["file_db"] == found["psnr_db"]
    assert found["sec_error"] > -1 and 0 < found["rho_ag"] <= 1


def test_float_quality_is_that_of_the_signal_itself_behind_a_power_curve() -> None:
    signal = image_signal((picture() // 3).astype(np.uint8))
    found = measure(StudyCell("a", "image", "siren", "sympower", 3.0, 0), signal, 1, "cpu")
    assert abs(found["float_db"] - found["file_db"]) < 4  # of the bent values: 9 dB less


def test_a_size_that_cannot_be_reached_is_a_row_that_says_so() -> None:
    found = measure(
        StudyCell("a", "image", "siren", PLAIN, 0.01, 0), image_signal(picture()), 1, "cpu"
    )
    assert "smallest file" in found["failed"] and "file_bytes" not in found


def test_the_estimate_grows_with_work_and_with_what_a_remedy_costs() -> None:
    signal = image_signal(picture())

    def seconds(remedy: str, rate: float, effort: int) -> float:
        return estimate_seconds(
            StudyCell("a", "image", "siren", remedy, rate, 0), signal, effort, 1
        )

    assert seconds(PLAIN, 0.6, 5) == pytest.approx(2 * seconds(PLAIN, 0.3, 5))
    assert seconds(PLAIN, 0.3, 6) > 2 * seconds(PLAIN, 0.3, 5)
    assert seconds("iga", 0.3, 5) == pytest.approx(3.6 * seconds(PLAIN, 0.3, 5))


@pytest.mark.slow
def test_a_study_of_two_signals_resumes_and_reports(media: list[str], tmp_path: Path) -> None:
    output = tmp_path / "study"
    words = ["-o", str(output), "--effort", "1", "--fields", "siren", "relu", "--remedies", "ws"]
    first = study(media[0], media[2], *words, "--rates", "3")
    assert first.returncode == 0, first.stderr
    assert "files to make, about" in first.stderr
    rows = rows_of(output / "study.tsv")
    assert {(r["signal"], r["field"], r["remedy"]) for r in rows} == {
        (s, f, m) for s in "ac" for f, m in (("siren", "none"), ("siren", "ws"), ("relu", "none"))
    }
    assert all(r["failed"] or int(r["file_bytes"]) <= int(r["target_bytes"]) for r in rows)
    before = (output / "study.tsv").read_text()
    second = study(*media, *words, "--rates", "3", "--report")
    assert second.returncode == 0, second.stderr
    assert "3 files to make" in second.stderr
    assert (output / "study.tsv").read_text().startswith(before)
    ranked = list(csv.DictReader(second.stdout.splitlines(), delimiter="\t"))
    assert {r["signals"] for r in ranked if r["kind"] == "image"} == {"2"}
    for name in ("ranking.tsv", "losses.tsv", "image_quality.svg", "image_gains.png"):
        assert (output / name).stat().st_size
    about = json.loads((output / "study.json").read_text())
    assert about["runs"][int(rows[0]["run"])]["versions"]["python"]


def test_mistakes_are_refused_in_words(media: list[str], tmp_path: Path) -> None:
    words = ("-o", str(tmp_path / "s"))
    assert "there is no sirens" in study(media[0], *words, "--fields", "sirens").stderr
    assert "name pictures or sounds" in study(*words).stderr
    empty = study(*words, "--report")
    assert empty.returncode == 3 and "has no rows" in empty.stderr
    assert study(str(tmp_path / "none.png"), *words).returncode == 3


def test_smaller_signals_are_pieces_of_sounds_and_small_pictures(media: list[str]) -> None:
    small, piece = load(Path(media[0]), 4), load(Path(media[2]), 4)
    assert (small.height, small.width) == (8, 10)
    assert piece.frames == 1000


def made_up(numbers: dict[tuple[str, str, str], tuple[str, str]]) -> list[dict[str, str]]:
    """Rows with these (float_db, file_db) of (field, remedy, signal)."""
    return [
        {"kind": "image", "rate": "0.3", "signal": signal, "field": field, "remedy": remedy,
         "float_db": before, "file_db": after, "encode_seconds": "2", "failed": ""}
        for (field, remedy, signal), (before, after) in numbers.items()
    ]  # fmt: skip


TABLE = {
    ("siren", "none", "a"): ("30", "28"),
    ("siren", "none", "b"): ("34", "32"),
    ("siren", "iga", "a"): ("33", "29"),
    ("siren", "iga", "b"): ("36", "32"),
    ("pe", "none", "a"): ("28", "27"),
    ("pe", "none", "b"): ("30", "29"),
    ("pe", "iga", "a"): ("31", "29.5"),
    ("grid", "none", "a"): ("", "35"),
    ("grid", "none", "b"): ("", "37"),
}


def test_the_ranking_is_by_the_files_and_only_of_what_all_signals_have() -> None:
    (group,) = groups(made_up(TABLE))
    ranked = ranking(group)
    assert [(r["rank"], r["field"], r["remedy"]) for r in ranked] == [
        ("1", "grid", "none"), ("2", "siren", "iga"), ("3", "siren", "none"), ("4", "pe", "none"),
    ]  # fmt: skip
    grid, iga, plain, _ = ranked
    assert grid["quality_db"] == "36" and not grid["loss_db"] and not grid["gain_db"]
    assert (iga["quality_db"], iga["gain_db"], iga["float_gain_db"]) == ("30.5", "0.5", "2.5")
    assert float(iga["gain_low_db"]) == 0 and float(iga["gain_high_db"]) == 1
    assert iga["loss_db"] == "4" and plain["loss_db"] == "2" and not plain["gain_db"]


def test_losses_are_means_over_fields_with_intervals_over_signals() -> None:
    (group,) = groups(made_up(TABLE))
    by_remedy = {row["remedy"]: row for row in losses(group)}
    assert by_remedy["none"]["loss_db"] == "1.5" and by_remedy["none"]["fields"] == "2"
    assert not by_remedy["none"]["file_gain_db"]
    iga = by_remedy["iga"]
    assert (iga["float_gain_db"], iga["file_gain_db"], iga["fields"]) == ("2.5", "0.5", "1")


def test_what_is_missing_or_failed_is_said_and_not_ranked(tmp_path: Path) -> None:
    rows = made_up(TABLE)
    failed = rows[0] | {"signal": "b", "field": "wire", "failed": "diverged"}
    notes = write_report(tmp_path, [*rows, failed])
    assert any("pe with iga has 1 of 2 signals" in note for note in notes)
    assert any("wire with none failed: diverged" in note for note in notes)
    assert "wire" not in (tmp_path / "ranking.tsv").read_text()


def test_seeds_are_averaged_before_signals() -> None:
    rows = made_up({("siren", "none", "a"): ("30", "28"), ("siren", "none", "b"): ("30", "20")})
    (group,) = groups([*rows, rows[0] | {"file_db": "30"}])
    (row,) = ranking(group)
    assert row["quality_db"] == "24.5"
