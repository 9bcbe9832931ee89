"""The table of points and the record of a run, which the report and people's scripts read."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from inrcodec.errors import BadInput
from inrcodec.evaluate.points import (
    COLUMNS,
    Point,
    Run,
    read_points,
    read_run,
    write_points,
    write_run,
)

POINT = Point(
    signal="grün\teins",
    kind="image",
    codec="jpeg",
    setting="q30",
    lmbda=None,
    file="files/jpeg/a_q30.jpg",
    decoded="files/jpeg/a_q30.png",
    file_bytes=1000,
    payload_bytes=1000,
    rate=0.5,
    rate_unit="bpp",
    samples=16_000,
    encode_seconds=0.25,
    decode_seconds=0.125,
    metrics={"psnr_db": 30.5},
)


def test_the_columns_are_those_promised():
    promised = (
        "signal kind codec setting lmbda file decoded file_bytes payload_bytes rate rate_unit "
        "samples encode_seconds decode_seconds resolution original_sha256 codec_version settings "
        "commit"
    )
    assert list(COLUMNS) == promised.split()


def test_points_come_back_as_they_were(tmp_path: Path):
    other = replace(
        POINT, codec="inr-e5", lmbda=1e-3, resolution=0.5, metrics={"ms_ssim": math.inf}
    )
    write_points(tmp_path / "points.tsv", [POINT, other])
    assert read_points(tmp_path / "points.tsv") == [POINT, other]


def test_what_was_not_measured_is_an_empty_cell(tmp_path: Path):
    point = replace(POINT, signal="a", metrics={"psnr_db": math.nan, "ms_ssim": 0.5})
    write_points(tmp_path / "points.tsv", [point])
    lines = (tmp_path / "points.tsv").read_text().splitlines()
    assert lines[0].split("\t")[-2:] == ["psnr_db", "ms_ssim"]
    assert lines[1].split("\t")[-2:] == ["", "0.5"]
    assert read_points(tmp_path / "points.tsv")[0].metrics == {"ms_ssim": 0.5}


def test_a_metric_without_a_number_is_not_one_that_was_never_measured(tmp_path: Path):
    tried = replace(POINT, undefined=("ms_ssim",), commit="abc", settings="q=30", codec_version="1")
    untried = replace(POINT, signal="b")
    write_points(tmp_path / "points.tsv", [tried, untried])
    lines = (tmp_path / "points.tsv").read_text().splitlines()
    assert [line.split("\t")[-1] for line in lines] == ["ms_ssim", "n/a", ""]
    assert read_points(tmp_path / "points.tsv") == [tried, untried]


def test_a_folder_without_a_table_has_no_points(tmp_path: Path):
    assert read_points(tmp_path / "points.tsv") == []
    assert read_run(tmp_path / "run.json") == Run()


@pytest.mark.parametrize("text", ["", "a\tb\n1\t2\n", "\t".join(COLUMNS) + "\nx\ty\n"])
def test_other_tables_are_refused_with_their_name(tmp_path: Path, text: str):
    (tmp_path / "points.tsv").write_text(text)
    with pytest.raises(BadInput, match=r"points\.tsv"):
        read_points(tmp_path / "points.tsv")


def test_a_run_comes_back_as_it_was(tmp_path: Path):
    run = Run(command="inrcodec compare a.png", anchor="jpeg", originals={"a": "/x/a.png"})
    write_run(tmp_path / "run.json", run)
    assert read_run(tmp_path / "run.json") == run
    (tmp_path / "run.json").write_text("[1]")
    with pytest.raises(BadInput, match=r"run\.json"):
        read_run(tmp_path / "run.json")
