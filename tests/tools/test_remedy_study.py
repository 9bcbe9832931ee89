"""The remedy study: cells that fit, files around the sizes compared, comparisons that are fair."""

from __future__ import annotations

import csv
import itertools
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pictures import loudest
from PIL import Image
from remedy_study_cells import (
    MORE,
    PLAIN,
    RATES,
    RUNGS,
    WHOLE,
    Cell,
    Ladder,
    cells,
    fits,
    load,
    measure,
    pairs,
    rate_of,
    study_fields,
    study_remedies,
)
from remedy_study_ranking import at_rate, losses, ranking
from remedy_study_report import write_report

from inrcodec import codec
from inrcodec.media.audio import load_audio
from inrcodec.signal import Signal, audio_signal, image_signal

TOOL = [sys.executable, str(Path(__file__).parents[2] / "tools" / "remedy_study")]


def picture(height: int = 32, width: int = 40) -> np.ndarray:
    y, x = np.mgrid[:height, :width] / 8
    waves = np.stack([np.sin(2 * x + y), np.cos(y * x), np.sin(y)], axis=-1)
    return (127 + 100 * waves).astype(np.uint8)


def noisy(height: int = 192, width: int = 192) -> Signal:
    noise = np.random.default_rng(0).normal(0, 20, (height, width, 3))
    return image_signal((picture(height, width) // 2 + noise).clip(0, 255).astype(np.uint8))


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


def test_what_others_are_compared_to_is_always_made() -> None:
    assert pairs("image", ["pe"], ["rwf"]) == [("siren", PLAIN), ("pe", PLAIN), ("pe", "rwf")]
    for kind in RATES:
        found = pairs(kind, [], ["none", "ws"])
        assert len(set(found)) == len(found)
        assert {(field, PLAIN) for field in study_fields(kind)} <= {*found}


def test_steps_of_all_samples_have_their_own_control_where_other_steps_draw_some() -> None:
    signals = {"small": image_signal(picture()), "large": image_signal(picture(128, 128))}
    found = [(c.signal, c.remedy) for c in cells(signals, ["siren"], ["iga", "ws"], 1)]
    assert ("large", WHOLE) in found and ("small", WHOLE) not in found
    assert WHOLE not in {c.remedy for c in cells(signals, ["siren"], ["ws"], 1)}


def test_rates_are_those_of_the_kind() -> None:
    assert rate_of(image_signal(picture(40, 50)), 200) == 0.8
    assert rate_of(audio_signal(np.zeros(16_000), 8000), 8000) == 32


def test_a_sound_is_studied_where_it_is_loudest(tmp_path: Path) -> None:
    t = np.arange(4000)
    sound = audio_signal(np.where(t // 1000 == 2, 0.5, 0.01) * np.sin(t / 3), 1000)
    np.testing.assert_array_equal(loudest(sound, 1).samples, sound.samples[2000:3000])
    assert loudest(sound, 10).frames == 4000
    path = tmp_path / "c.wav"
    soundfile.write(path, sound.samples, 1000)
    whole = load_audio(str(path)).samples
    np.testing.assert_array_equal(load(path, 1, 1).samples, whole[2000:3000])


def test_the_ladder_of_a_signal_is_fixed_and_falls() -> None:
    ladder = Ladder(noisy(), RATES["image"])
    assert len(ladder.rungs) == RUNGS
    assert all(a > b for a, b in itertools.pairwise(ladder.rungs))
    tried: dict[float, float] = {}
    for rung, rate in zip(ladder.rungs, (0.05, 0.2, 0.5, 0.9), strict=True):
        assert ladder.next(tried) == rung
        tried[rung] = rate
    assert ladder.next(tried) is None


@pytest.mark.parametrize(("factor", "is_finer"), [(0.5, True), (4.0, False)])
def test_a_ladder_goes_on_where_files_do_not_enclose_the_rates(
    factor: float, is_finer: bool
) -> None:
    ladder = Ladder(noisy(), RATES["image"])
    rates = [factor * rate for rate in (0.05, 0.15, 0.4, 1.0)]
    tried = dict(zip(ladder.rungs, rates, strict=True))
    further = ladder.next(tried)
    assert further < min(tried) if is_finer else further > max(tried)
    assert ladder.next(tried | {further: 0.9 if is_finer else 0.09}) is None


def test_a_ladder_ends_where_more_lambdas_do_not_help() -> None:
    ladder, tried = Ladder(noisy(), RATES["image"]), {}
    while (lmbda := ladder.next(tried)) is not None:
        tried[lmbda] = 0.2
    assert len(tried) <= RUNGS + MORE
    assert ladder.next(dict.fromkeys(ladder.rungs, math.nan)) is None


def test_a_row_is_of_the_file_on_disk(tmp_path: Path) -> None:
    signal, path = image_signal(picture()), tmp_path / "a.inr"
    found = measure(Cell("a", "image", "siren", "ws", 0), signal, 1e-3, path, 1, "cpu")
    assert found["file_bytes"] == path.stat().st_size
    decoded = codec.decode(path.read_bytes()).samples.astype(float)
    error = np.square(decoded - signal.samples).mean()
    assert found["psnr_db"] == pytest.approx(10 * math.log10(255**2 / error))
    assert found["unrounded_db"] > found["psnr_db"] > 10 and found["float_db"] > 10
    assert found["sec_error"] > -1 and 0 < found["rho_ag"] <= 1
    assert "ms_ssim_db: needs sides" in found["missing"]


def test_the_control_sees_all_samples_and_is_no_remedy(tmp_path: Path) -> None:
    signal, path = image_signal(picture()), tmp_path / "a.inr"
    found = [
        measure(Cell("a", "image", "siren", remedy, 0), signal, 1e-3, path, 1, "cpu")
        for remedy in (PLAIN, WHOLE)
    ]
    assert found[0]["float_db"] == found[1]["float_db"]  # a small picture is fitted whole anyway


def test_float_quality_is_that_of_the_signal_itself_behind_a_power_curve(tmp_path: Path) -> None:
    signal = image_signal((picture() // 3).astype(np.uint8))
    cell = Cell("a", "image", "siren", "sympower", 0)
    found = measure(cell, signal, 1e-3, tmp_path / "a.inr", 1, "cpu")
    assert abs(found["unrounded_db"] - found["psnr_db"]) < 4  # of the bent values: 9 dB less


def test_a_fit_that_is_refused_is_a_row_that_says_so(tmp_path: Path) -> None:
    cell = Cell("a", "image", "relu", "winner", 0)
    found = measure(cell, image_signal(picture()), 1e-3, tmp_path / "a.inr", 1, "cpu")
    assert "winner cannot apply" in found["failed"] and "file_bytes" not in found


@pytest.mark.slow
def test_a_study_resumes_and_folders_are_reported_together(media: list[str], tmp_path: Path):
    first, second, output = (tmp_path / name for name in ("first", "second", "report"))
    words = ["--effort", "1", "--fields", "siren", "relu", "--remedies", "ws", "--rates", "3", "6"]
    ran = study(media[0], media[2], "-o", str(first), *words, "--seconds", "0.25")
    assert ran.returncode == 0, ran.stderr
    rows = rows_of(first / "study.tsv")
    assert {(r["signal"], r["field"], r["remedy"]) for r in rows} == {
        (s, f, m) for s in "ac" for f, m in (("siren", "none"), ("siren", "ws"), ("relu", "none"))
    }
    assert {r["part"] for r in rows} == {"1/1", "0.25 s"}
    assert not any(r["failed"] for r in rows)
    cut = (first / "study.tsv").read_text().splitlines(keepends=True)[:-2]
    (first / "study.tsv").write_text("".join(cut))
    again = study(media[0], media[2], "-o", str(first), *words, "--seconds", "0.25")
    assert again.returncode == 0 and again.stderr.count("CPU s") == 2
    made = [{k: v for k, v in r.items() if "seconds" not in k} for r in rows]
    assert made == [
        {k: v for k, v in r.items() if "seconds" not in k} for r in rows_of(first / "study.tsv")
    ]
    table = (first / "study.tsv").read_text()
    lacking = table.replace(rows[0]["rho_ag"], "").splitlines(keepends=True)
    lacking[1] = lacking[1].rstrip() + " | rho_ag: the package numpy is not installed\n"
    (first / "study.tsv").write_text("".join(lacking))
    third = study(media[0], media[2], "-o", str(first), *words, "--seconds", "0.25")
    assert third.returncode == 0 and "CPU s" not in third.stderr
    assert (first / "study.tsv").read_text() == table
    study(media[1], "-o", str(second), *words)
    both = study("--report", str(first), str(second), "-o", str(output), "--least", "2",
                 "--rates", "3", "6")  # fmt: skip
    assert both.returncode == 0, both.stderr
    ranked = list(csv.DictReader(both.stdout.splitlines(), delimiter="\t"))
    assert {r["over_siren_signals"] for r in ranked if r["kind"] == "image"} == {"", "2"}
    for name in ("ranking.tsv", "losses.tsv", "image_ranking.svg", "image_gains.png"):
        assert (output / name).stat().st_size
    about = json.loads((output / "report.json").read_text())
    assert about["signals"] == {"image": ["a", "b"], "audio": ["c"]}
    assert about["runs"][str(first)][int(rows[0]["run"])]["versions"]["python"]


def test_mistakes_are_refused_in_words(media: list[str], tmp_path: Path) -> None:
    words = ("-o", str(tmp_path / "s"))
    assert "there is no sirens" in study(media[0], *words, "--fields", "sirens").stderr
    assert "name pictures or sounds" in study(*words).stderr
    empty = study(*words, "--report", str(tmp_path / "none"))
    assert empty.returncode == 3 and "has no rows" in empty.stderr
    assert study(str(tmp_path / "none.png"), *words).returncode == 3


def made_up(
    quality_db: dict[tuple[str, str, str], float], rates: tuple[float, ...] = (0.1, 0.3, 0.9)
) -> list[dict[str, str]]:
    """Rows of (field, remedy, signal), each tripling of the rate a decibel better than named."""
    return [
        {"kind": "image", "rate": str(rate), "signal": signal, "field": field, "remedy": remedy,
         "seed": "0", "lmbda": str(i), "psnr_db": str(quality + i), "ms_ssim_db": "",
         "rho_ag": "0.9", "sec_error": str(-quality / 100),
         "float_db": "" if field == "grid" else str(quality + i + 3),
         "unrounded_db": "" if field == "grid" else str(quality + i + 2),
         "encode_cpu_seconds": "2", "failed": "", "missing": ""}
        for (field, remedy, signal), quality in quality_db.items()
        for i, rate in enumerate(rates)
    ]  # fmt: skip


TABLE = {
    ("siren", "none", "a"): 28, ("siren", "none", "b"): 32, ("siren", "none", "c"): 30,
    ("siren", "iga", "a"): 28.8, ("siren", "iga", "b"): 33, ("siren", "iga", "c"): 31.2,
    ("pe", "none", "b"): 29, ("pe", "none", "c"): 28,
    ("grid", "none", "a"): 35, ("grid", "none", "b"): 36, ("grid", "none", "c"): 40,
}  # fmt: skip


def test_quality_at_a_rate_lies_between_files_around_it_and_nowhere_else() -> None:
    rows = made_up({("siren", "none", "a"): 30})
    there = {("siren", "none"): {"a": pytest.approx(30.5)}}
    assert at_rate(rows, math.sqrt(0.1 * 0.3), "psnr_db") == there
    assert not at_rate(rows, 0.09, "psnr_db") and not at_rate(rows, 1.0, "psnr_db")
    assert not at_rate(rows[:2], 0.2, "psnr_db")
    assert not at_rate(rows, 0.2, "ms_ssim_db")
    assert at_rate(rows, 0.2, "sec_error") == {("siren", "none"): {"a": pytest.approx(0.3)}}


def test_seeds_are_averaged_before_signals() -> None:
    rows = made_up({("siren", "none", "a"): 30})
    others = [row | {"seed": "1", "psnr_db": str(float(row["psnr_db"]) + 4)} for row in rows]
    assert at_rate([*rows, *others], 0.3, "psnr_db") == {("siren", "none"): {"a": 33}}


def test_the_ranking_is_by_paired_differences_of_the_signals_that_both_have() -> None:
    places = ranking(at_rate(made_up(TABLE), 0.3, "psnr_db"), "psnr_db", 2)
    assert [p.pair for p in places] == [
        ("grid", "none"), ("siren", "iga"), ("siren", "none"), ("pe", "none"),
    ]  # fmt: skip
    grid, iga, plain, pe = places
    assert grid.value == 38 and plain.over_siren is None
    assert not any(place.over_none for place in (grid, plain, pe))
    (gain, p), (over_none, alone) = iga.over_siren, iga.over_none
    assert gain == over_none and gain.count == 3
    # Student's 95% for two degrees of freedom is 4.3027; the standard error is 0.2 / sqrt(3).
    assert (gain.low, gain.mean, gain.high) == pytest.approx((0.50317, 1.0, 1.49683), abs=1e-5)
    assert alone == pytest.approx(0.013072, abs=1e-6) and p == pytest.approx(3 * alone)
    assert (pe.over_siren[0].count, pe.over_siren[0].mean) == (2, -2.5)
    fewer = ranking(at_rate(made_up(TABLE), 0.3, "psnr_db"), "psnr_db", 3)
    assert ("pe", "none") not in [place.pair for place in fewer]


def test_less_is_better_of_an_error() -> None:
    places = ranking(at_rate(made_up(TABLE), 0.3, "sec_error"), "sec_error", 3)
    assert [p.pair[0] for p in places] == ["siren", "siren", "grid"]
    assert places[0].pair[1] == PLAIN


def test_the_loss_is_of_rounding_alone_and_gains_are_shown_before_and_after() -> None:
    rows = made_up(TABLE)
    for row in rows:
        if row["remedy"] == "iga":
            row["float_db"] = str(float(row["float_db"]) + 0.5)
    found = {loss.pair: loss for loss in losses("image", 0.3, rows, 2)}
    assert ("grid", "none") not in found
    assert found["siren", "none"].lost.mean == 2 and found["siren", "none"].gains == (None,) * 3
    iga = found["siren", "iga"]
    assert (iga.lost.count, iga.lost.low) == (3, pytest.approx(2))
    assert [gain.mean for gain in iga.gains] == pytest.approx([1.5, 1, 1])


def test_tables_for_people_have_the_intervals_and_are_bold_where_chance_is_unlikely(tmp_path: Path):
    write_report(tmp_path, made_up(TABLE), {"image": (0.3, 0.5)}, 2)
    assert (tmp_path / "tables.md").read_text().splitlines() == [
        "| PSNR over `siren`, dB | 0.3 bpp | 0.5 bpp |",
        "| --- | --- | --- |",
        "| `grid` | +7.00 (-0.45 to +14.45) | +7.00 (-0.45 to +14.45) |",
        "| `siren` | 31.00 dB itself | 31.46 dB itself |",
        "| `pe` | -2.50 (-8.85 to +3.85) | -2.50 (-8.85 to +3.85) |",
        "",
        "| PSNR over no remedy, dB | 0.3 bpp | 0.5 bpp | in float, 0.5 bpp |",
        "| --- | --- | --- | --- |",
        "| `siren` `iga` | **+1.00** (+0.50 to +1.50) | **+1.00** (+0.50 to +1.50) | +1.00 |",
        "",
        "| PSNR at 0.5 bpp, dB | a | b | c |",
        "| --- | --- | --- | --- |",
        "| `grid` | **36.46** | **37.46** | **41.46** |",
        "| `siren` `iga` | 30.26 | 34.46 | 32.66 |",
        "| `siren` | 29.46 | 33.46 | 31.46 |",
        "| `pe` | — | 30.46 | 29.46 |",
    ]
    write_report(tmp_path, made_up(TABLE), {"image": (2.0,)}, 2)
    assert (tmp_path / "tables.md").read_text() == ""


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    rows = made_up(TABLE)
    late = made_up({("wire", "none", "a"): 20, ("wire", "none", "b"): 20}, (0.4, 0.5, 0.6))
    failed = dict.fromkeys(rows[0], "") | {
        "kind": "image", "signal": "b", "field": "bacon", "remedy": "none", "lmbda": "1",
        "failed": "diverged",
    }  # fmt: skip
    late[0]["missing"] = "ms_ssim_db: too small"
    late[1]["psnr_db"] = "19.5"
    ranked, notes = write_report(tmp_path, [*rows, *late, failed], {"image": (0.3, 0.5)}, 2)
    assert (
        "wire with none at 0.3 bpp: 0 of 2 signals have files around it, not a, b; left out"
    ) in notes
    assert not any(note.startswith(("siren with iga", "wire with none at 0.5")) for note in notes)
    assert "b: bacon with none at lambda 1 failed: diverged" in notes
    assert "wire with none has files that are worse than a smaller one, of a" in notes
    assert f"1 of {len(rows) + 7} files have no ms_ssim_db: too small" in notes
    assert {r["rate"] for r in ranked if r["field"] == "wire"} == {"0.5"}
    assert {r["metric"] for r in ranked} == {"psnr_db", "rho_ag", "sec_error"}
