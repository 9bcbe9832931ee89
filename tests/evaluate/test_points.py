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
        "signal kind codec setting lmbda file decoded file_bytes payload_bytes network_bytes rate "
        "rate_unit samples cost encode_seconds encode_cpu_seconds decode_seconds resolution "
        "original_sha256 codec_version settings commit"
    )
    assert list(COLUMNS) == promised.split()


def test_points_come_back_as_they_were(tmp_path: Path):
    other = replace(
        POINT, codec="inr-e5", lmbda=1e-3, resolution=0.5, metrics={"ms_ssim": math.inf}
    )
    write_points(tmp_path / "points.tsv", [POINT, other])
    assert read_points(tmp_path / "points.tsv") == [POINT, other]


def test_the_cost_is_what_our_encoder_minimises(tmp_path: Path):
    jpeg = replace(POINT, signal="a")
    ours = replace(jpeg, codec="inr-e5", lmbda=1e-3, encode_cpu_seconds=4.5, network_bytes=600)
    assert ours.cost == pytest.approx(10**-3.05 / 1e-3 + 0.5)
    assert replace(ours, metrics={"psnr_db": math.inf}).cost == 0.5
    others = [
        jpeg,
        replace(ours, kind="audio"),
        replace(ours, resolution=2.0),
        replace(ours, metrics={"ssim": 0.5}),
    ]
    assert [point.cost for point in others] == [None] * 4
    write_points(tmp_path / "points.tsv", [ours, jpeg])
    header, *rows = (line.split("\t") for line in (tmp_path / "points.tsv").open())
    place = header.index("cost")
    assert [row[place] for row in rows] == [f"{ours.cost:.10g}", ""]
    assert read_points(tmp_path / "points.tsv") == [ours, jpeg]


def test_tables_of_earlier_versions_are_read(tmp_path: Path):
    later = {"network_bytes", "cost", "encode_cpu_seconds"}
    point = replace(POINT, signal="a")
    write_points(tmp_path / "points.tsv", [point])
    names, cells = (line.split("\t") for line in (tmp_path / "points.tsv").read_text().splitlines())
    kept = [place for place, name in enumerate(names) if name not in later]
    lines = ["\t".join(row[place] for place in kept) for row in (names, cells)]
    (tmp_path / "points.tsv").write_text("\n".join(lines) + "\n")
    assert read_points(tmp_path / "points.tsv") == [point]


def test_a_row_without_a_size_is_refused_with_its_line(tmp_path: Path):
    write_points(tmp_path / "points.tsv", [POINT])
    text = (tmp_path / "points.tsv").read_text().replace("\t1000\t1000\t", "\t\t1000\t")
    (tmp_path / "points.tsv").write_text(text)
    with pytest.raises(BadInput, match=r"line 2: file_bytes is empty; .* delete the line"):
        read_points(tmp_path / "points.tsv")


def test_what_is_no_path_is_refused():
    for read in (read_points, read_run):
        with pytest.raises(BadInput, match="is 5, expected a string or path"):
            read(5)


def test_skips_are_told_once_per_reason_with_the_signals():
    run = Run(
        originals=dict.fromkeys("abcdefghi", "x"),
        skipped={"jxl": "not installed"},
        left_out={
            "jpeg": {"a": "no RGBA", "b": "no LA", "c": "no RGBA"},
            "webp": dict.fromkeys("abcdefghi", "no"),
            "avif": dict.fromkeys("abcdefgh", "no"),
        },
    )
    assert run.not_measured == {
        "jxl": "not installed",
        "jpeg for a, c": "no RGBA",
        "jpeg for b": "no LA",
        "webp": "no",
        "avif for a, b, c, d, e, f and 2 more": "no",
    }


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
