"""BD-rates of a comparison: one table for scripts, people and the report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from inrcodec.evaluate.bd import rising
from inrcodec.evaluate.bd_table import bd_rows, bd_text, write_bd
from inrcodec.evaluate.points import Point
from inrcodec.evaluate.results import results_by_kind, results_of

RATES = (0.25, 0.5, 1.0, 2.0, 4.0)


def points(
    codec: str, signal: str, factor: float, resolution: float = 1.0, rates: Sequence[float] = RATES
) -> list[Point]:
    """A curve that gains 6 dB when the rate doubles, at `factor` times the rates."""
    return [
        Point(
            signal, "image", codec, f"q{i}", None, "f", "d", 1, 1, factor * rate, "bpp", 100,
            1.0, 0.5, resolution, {"psnr_db": 30 + 6 * math.log2(rate)},
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


def test_quality_at_equal_rate_has_a_column():
    rows = bd_rows(points("jpeg", "a", 1) + points("avif", "a", 0.5), "jpeg")
    assert [row.bd_quality for row in rows] == [pytest.approx(6)] * 3


def test_ms_ssim_is_compared_in_decibels_also_where_only_the_plain_one_was_measured():
    def plain(codec: str, factor: float) -> list[Point]:
        return [
            replace(p, metrics={"ms_ssim": 1 - 10 ** (-p.metrics["psnr_db"] / 20)})
            for p in points(codec, "a", factor)
        ]

    rows = bd_rows(plain("jpeg", 1) + plain("avif", 0.5), "jpeg")
    assert {row.metric for row in rows} == {"ms_ssim_db"}
    assert rows[0].bd_rate_percent == pytest.approx(-50)


def test_a_signal_that_a_codec_does_not_take_is_no_row_of_it():
    table = points("jpeg", "a", 1) + points("jpeg", "b", 1) + points("avif", "a", 0.5)
    rows = bd_rows(table, "jpeg")
    assert [row.signal for row in rows] == ["a", "mean", "mean-curve"]
    assert rows[2].bd_rate_percent == pytest.approx(-50)


def test_where_the_anchor_has_no_point_another_codec_takes_its_place():
    table = points("inr-e5", "a", 0.5) + points("webp", "a", 1)
    assert {(row.anchor, row.codec) for row in bd_rows(table, "jpeg")} == {("webp", "inr-e5")}


def test_the_report_and_the_table_are_made_of_the_same_results():
    table = points("jpeg", "a", 1) + points("avif", "a", 0.5)
    table += points("jpeg+bicubic", "a", 1, 2.0) + points("avif+bicubic", "a", 0.5, 2.0)
    (native,) = results_by_kind(table, "jpeg")
    assert [native.resolution, *(r.resolution for r in native.scaled)] == [1, 2]
    assert [r.anchor for r in results_of(table, "jpeg")] == ["jpeg", "jpeg+bicubic"]
