"""BD-rates and mean curves of a comparison."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from inrcodec.evaluate.points import Point
from inrcodec.evaluate.summary import (
    bd_rows,
    bd_text,
    mean_curves,
    rising,
    write_bd,
    write_curves,
)

RATES = (0.25, 0.5, 1.0, 2.0, 4.0)


def points(
    codec: str, signal: str, factor: float, resolution: float = 1.0, rates: Sequence[float] = RATES
) -> list[Point]:
    """A curve that gains 6 dB when the rate doubles, at `factor` times the rates."""
    return [
        Point(
            signal, "image", codec, f"q{i}", None, "f", "d", 1, 1, factor * rate, "bpp", 100,
            1.0, 0.5, resolution, {"psnr_db": 30 + 6 * math.log2(rate), "ms_ssim": 0.9},
        )
        for i, rate in enumerate(rates)
    ]  # fmt: skip


def test_half_the_bits_are_minus_fifty_percent():
    table = points("jpeg", "a", 1) + points("jpeg", "b", 1)
    table += points("avif", "a", 0.5) + points("avif", "b", 0.7)
    rows = {row.signal: row for row in bd_rows(table, "jpeg")}
    assert rows["a"].bd_rate_percent == pytest.approx(-50)
    assert rows["b"].bd_rate_percent == pytest.approx(-30)
    assert rows["a"].overlap_percent == pytest.approx(100)
    assert rows["mean"].bd_rate_percent == pytest.approx(-40)
    assert rows["mean"].low_percent == pytest.approx(-50)
    assert rows["mean"].high_percent == pytest.approx(-30)
    assert rows["mean-curve"].bd_rate_percent == pytest.approx(-40)


def test_a_single_signal_has_no_interval():
    rows = bd_rows(points("jpeg", "a", 1) + points("avif", "a", 0.5), "jpeg")
    (mean,) = (row for row in rows if row.signal == "mean")
    assert (mean.low_percent, mean.high_percent) == (None, None)
    assert mean.bd_rate_percent == pytest.approx(-50)


def test_every_resolution_has_its_own_anchor():
    table = points("jpeg", "a", 1) + points("inr-e5", "a", 0.5)
    table += points("jpeg+bicubic", "a", 1, 2.0) + points("jpeg+lanczos", "a", 0.9, 2.0)
    table += points("inr-e5", "a", 0.25, 2.0)
    found = {
        (row.anchor, row.codec, row.resolution): row.bd_rate_percent
        for row in bd_rows(table, "jpeg")
        if row.signal == "mean"
    }
    assert found == {
        ("jpeg", "inr-e5", 1.0): pytest.approx(-50),
        ("jpeg+bicubic", "jpeg+lanczos", 2.0): pytest.approx(-10),
        ("jpeg+bicubic", "inr-e5", 2.0): pytest.approx(-75),
    }


def test_points_that_cost_more_for_nothing_are_left_out_and_counted():
    assert rising([(1, 30), (2, 29), (3, 31), (2, 30.5), (4, math.inf)]) == [
        (1, 30), (2, 30.5), (3, 31),
    ]  # fmt: skip
    worse = Point(
        "a", "image", "avif", "q9", None, "f", "d", 1, 1, 3.0, "bpp", 100, 1.0, 0.5, 1.0,
        {"psnr_db": 20.0},
    )  # fmt: skip
    rows = bd_rows([*points("jpeg", "a", 1), *points("avif", "a", 0.5), worse], "jpeg")
    assert rows[0].bd_rate_percent == pytest.approx(-50)
    assert rows[0].note.startswith("1 points left out")


def test_a_signal_without_a_bd_rate_says_why_and_does_not_cost_the_others():
    table = points("jpeg", "a", 1) + points("jpeg", "b", 1) + points("avif", "a", 0.5)
    table += points("avif", "b", 0.5)[:3]
    rows = {row.signal: row for row in bd_rows(table, "jpeg")}
    assert rows["b"].bd_rate_percent is None
    assert "expected at least 4" in rows["b"].note
    assert rows["mean"].bd_rate_percent == pytest.approx(-50)
    assert rows["mean"].note == "1 of 2 signals have no BD-rate"
    assert rows["mean-curve"].bd_rate_percent is None


def test_the_table_for_people_has_the_averages(tmp_path: Path):
    rows = bd_rows(points("jpeg", "a", 1) + points("avif", "a", 0.5), "jpeg")
    text = bd_text(rows)
    assert "-50.0%" in text
    assert ".." not in text
    assert bd_text([]) == ""
    write_bd(tmp_path, rows)
    lines = (tmp_path / "bd.tsv").read_text().splitlines()
    assert lines[0].split("\t")[:6] == [
        "anchor", "codec", "metric", "resolution", "signal", "bd_rate_percent",
    ]  # fmt: skip
    assert [line.split("\t")[4] for line in lines[1:]] == ["a", "mean", "mean-curve"]


def test_mean_curves_have_the_schema_of_compressai(tmp_path: Path):
    table = points("jpeg", "a", 1) + points("jpeg", "b", 3)[1:]
    table = [replace(p, codec_version=f"Pillow {1 + (p.signal == 'b')}") for p in table]
    (curve,) = mean_curves(table)
    assert set(curve) == {"name", "description", "results"}
    assert curve["description"].startswith("Pillow 1; Pillow 2; means over 2 signals")
    assert curve["results"]["bpp"] == pytest.approx([1.0, 2.0, 4.0, 8.0])
    assert curve["results"]["psnr-rgb"] == pytest.approx([24, 30, 36, 42])
    assert curve["results"]["ms-ssim-rgb"] == pytest.approx([0.9] * 4)
    assert curve["results"]["encoding_time"] == [1.0] * 4
    write_curves(tmp_path, [curve])
    assert json.loads((tmp_path / "points.json").read_text()) == [curve]
    assert json.loads((tmp_path / "curves" / "jpeg.json").read_text()) == curve
