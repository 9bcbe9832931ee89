"""A comparison that goes on where it was: what is kept, made anew, or refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from comparisons import JPEG, QUICK, Heard, picture, run
from PIL import Image

from inrcodec.errors import BadOption, OutputError
from inrcodec.evaluate.codecs.inr import source_digest
from inrcodec.evaluate.compare import Choices, compare
from inrcodec.evaluate.metrics import catalogue
from inrcodec.evaluate.originals import Original, find_originals
from inrcodec.evaluate.points import read_points, write_points
from inrcodec.media.image import load_image


def test_a_folder_with_a_comparison_is_not_replaced(tmp_path: Path):
    original = picture(tmp_path / "a.png")
    run([original], tmp_path / "out", JPEG)
    with pytest.raises(OutputError, match="--resume"):
        run([original], tmp_path / "out", JPEG)


def test_a_resumed_run_makes_only_what_is_missing(tmp_path: Path):
    original, out = picture(tmp_path / "a.png"), tmp_path / "out"
    first, _ = run([original], out, JPEG)
    again = replace(JPEG, resume=True)
    second, _ = run([original], out, again)
    assert (second.new, second.points) == (0, read_points(out / "points.tsv"))
    (out / first.points[3].file).unlink()
    (out / first.points[4].file).write_bytes(b"cut")
    (out / first.points[5].decoded).unlink()
    third, _ = run([original], out, again)
    assert third.new == 3
    kept = {point.setting: point.encode_seconds for point in second.points}
    same = [point.setting for point in third.points if point.encode_seconds == kept[point.setting]]
    assert len(same) >= 16
    assert [p.file_bytes for p in third.points] == [p.file_bytes for p in first.points]


def test_a_resumed_run_replaces_no_point_of_other_versions_options_or_inputs(tmp_path: Path):
    original, out = picture(tmp_path / "a.png"), tmp_path / "out"
    run([original], out, JPEG)
    table = read_points(out / "points.tsv")
    again = replace(JPEG, resume=True)

    def refused(originals: list[Original]) -> str:
        before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
        with pytest.raises(BadOption) as caught:
            run(originals, out, again)
        assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
        return str(caught.value)

    version = table[3].codec_version
    for changes, words in (
        ({"settings": "quality=30"}, "found with 'quality=30', expected with 'Pillow JPEG: qual"),
        (
            {"codec_version": "Pillow 1"},
            f"found by Pillow 1, made at commit {table[3].commit}, expected by {version}",
        ),
    ):
        write_points(out / "points.tsv", [replace(table[3], **changes), *table[:3], *table[4:]])
        message = refused([original])
        assert "that do not fit this run: 1, which took 0.0 minutes to encode" in message
        assert f"that do: 18. jpeg (1) {words}" in message
        assert message.endswith("name another folder with -o, or replace them by --recompute")
    write_points(out / "points.tsv", table)
    message = refused([picture(tmp_path / "a.png", 32, 40)])
    assert "that do: 0. a (19) has changed: its SHA-256 began with " in message


def test_points_by_another_source_of_ours_say_which(tmp_path: Path):
    original, out = picture(tmp_path / "a.png"), tmp_path / "out"
    ours = Choices(codecs=("inr",), ours=(QUICK,), metrics=("psnr_db",), resume=True)
    (point,) = run([original], out, ours)[0].points
    older = point.codec_version.replace(source_digest(), "84ff9da750ca")
    write_points(out / "points.tsv", [replace(point, codec_version=older, encode_seconds=4500.0)])
    with pytest.raises(BadOption, match="which took 75.0 minutes to encode") as caught:
        run([original], out, ours)
    found, expected = str(caught.value).split("expected by")
    assert "found by inrcodec, " in found
    assert "source 84ff9da750ca" in found
    assert f"source {source_digest()}." in expected
    assert (out / point.file).stat().st_size == point.file_bytes


def test_what_does_not_fit_is_made_anew_where_that_is_asked_for(tmp_path: Path):
    original, out = picture(tmp_path / "a.png"), tmp_path / "out"
    run([original], out, JPEG)
    again = replace(JPEG, recompute=True)
    changed = picture(tmp_path / "a.png", 32, 40)
    assert run([changed], out, again)[0].new == 19
    table = read_points(out / "points.tsv")
    for changes in ({"settings": "quality=30"}, {"codec_version": "Pillow 1"}):
        write_points(out / "points.tsv", [replace(table[3], **changes), *table[:3], *table[4:]])
        outcome, heard = run([changed], out, again)
        assert outcome.new == 1
        assert heard.said[0].startswith("made anew: jpeg (1) found ")
        assert heard.said[1:] == ["points that are there: 18; to make: 1"]


def test_a_resumed_run_says_what_is_there_before_it_begins(tmp_path: Path):
    original, out = picture(tmp_path / "a.png"), tmp_path / "out"
    _, heard = run([original], out, JPEG)
    assert heard.said == []
    points = read_points(out / "points.tsv")
    write_points(out / "points.tsv", [replace(points[0], metrics={}), *points[1:10]])
    _, heard = run([original], out, replace(JPEG, resume=True))
    assert heard.said == [
        "points that are there: 9; to make: 9; to measure again from their files: 1"
    ]


def test_a_lost_decode_is_made_from_its_file(tmp_path: Path):
    original, out = picture(tmp_path / "a.png"), tmp_path / "out"
    first, _ = run([original], out, JPEG)
    point = first.points[5]
    (out / point.decoded).unlink()
    second, _ = run([original], out, replace(JPEG, resume=True))
    assert second.new == 1
    assert (out / point.decoded).exists()
    assert second.points[5].encode_seconds == pytest.approx(point.encode_seconds)


def test_two_runs_at_a_time_do_not_write_into_one_folder(tmp_path: Path):
    pytest.importorskip("fcntl")
    original, out = picture(tmp_path / "a.png"), tmp_path / "out"

    class Second(Heard):
        def finished(self, task, made) -> None:
            with pytest.raises(OutputError, match="another comparison is at work in"):
                compare([original], str(out), replace(JPEG, resume=True))
            self.errors.append("refused")

    heard = Second()
    compare([original], str(out), JPEG, heard)
    assert heard.errors == ["refused"] * 19
    assert run([original], out, replace(JPEG, resume=True))[0].new == 0


def test_a_run_killed_before_any_work_leaves_no_stale_point_as_current(tmp_path: Path):
    out, both = tmp_path / "out", replace(JPEG, codecs=("jpeg", "webp"))
    run([picture(tmp_path / "p.png")], out, both)

    class Killed(Heard):
        def finished(self, task, made) -> None:
            raise KeyboardInterrupt

    samples = np.asarray(Image.open(tmp_path / "p.png"))[::-1]
    Image.fromarray(samples).save(tmp_path / "p.png")
    originals = find_originals([str(tmp_path / "p.png")], print)
    again = replace(both, recompute=True)
    with pytest.raises(KeyboardInterrupt):
        compare(originals, str(out), again, Killed())
    outcome, _ = run(originals, out, again)
    assert (outcome.new, len(outcome.points)) == (37, 38)  # one was made before the kill
    for point in outcome.points:
        decoded = load_image((out / point.decoded).read_bytes())
        pair = catalogue.pair_of(originals[0].load(), decoded)
        found = catalogue.measure(pair, ["psnr_db"]).values["psnr_db"]
        assert point.metrics["psnr_db"] == pytest.approx(found)


def test_a_changed_original_loses_the_points_of_all_codecs(tmp_path: Path):
    out = tmp_path / "out"
    originals = [picture(tmp_path / "a.png"), picture(tmp_path / "b.png")]
    run(originals, out, replace(JPEG, codecs=("jpeg", "webp")))
    again = replace(JPEG, recompute=True)
    outcome, heard = run([picture(tmp_path / "a.png", 32, 40)], out, again)
    kept = {(p.signal, p.codec) for p in outcome.points}
    assert kept == {("a", "jpeg"), ("b", "jpeg"), ("b", "webp")}
    assert heard.said[0].startswith("made anew: a (38) has changed: ")


def test_points_keep_their_own_origin_when_others_are_added(tmp_path: Path):
    original, out = picture(tmp_path / "a.png"), tmp_path / "out"
    run([original], out, JPEG)
    table = [replace(point, commit="earlier") for point in read_points(out / "points.tsv")]
    write_points(out / "points.tsv", table)
    added = replace(JPEG, codecs=("jpeg", "webp"), metrics=("psnr_db", "ssim"), resume=True)
    outcome, _ = run([original], out, added)
    commits = {(point.codec, point.commit) for point in outcome.points}
    assert commits == {("jpeg", "earlier"), ("webp", outcome.run.commit)}
    assert {p.original_sha256 for p in outcome.points} == {original.digest()[:16]}


def test_more_metrics_are_measured_without_coding_again(tmp_path: Path):
    original, out = picture(tmp_path / "a.png"), tmp_path / "out"
    first, _ = run([original], out, JPEG)
    both = replace(JPEG, metrics=("psnr_db", "ssim"), resume=True)
    second, _ = run([original], out, both)
    assert all("ssim" in point.metrics for point in second.points)
    assert [p.encode_seconds for p in second.points] == pytest.approx(
        [p.encode_seconds for p in first.points]
    )


def test_metrics_that_a_kill_left_out_are_measured_by_the_next_run(tmp_path: Path):
    original, out = picture(tmp_path / "a.png"), tmp_path / "out"
    both = replace(JPEG, metrics=("psnr_db", "ssim"), resume=True)
    first, _ = run([original], out, both)
    table = [*first.points[:5], *(replace(p, metrics={"psnr_db": 1.0}) for p in first.points[5:])]
    write_points(out / "points.tsv", table)
    second, _ = run([original], out, both)
    assert second.new == 14
    for before, after in zip(first.points, second.points, strict=True):
        assert after.metrics == pytest.approx(before.metrics)


def test_what_was_measured_stays_when_other_metrics_are_asked_for(tmp_path: Path):
    original, out = picture(tmp_path / "a.png"), tmp_path / "out"
    run([original], out, JPEG)
    outcome, _ = run([original], out, replace(JPEG, metrics=("ssim",), resume=True))
    assert all(set(point.metrics) == {"psnr_db", "ssim"} for point in outcome.points)


def test_a_metric_that_a_picture_cannot_have_is_tried_once(tmp_path: Path):
    original, out = picture(tmp_path / "a.png"), tmp_path / "out"
    choices = replace(JPEG, metrics=("psnr_db", "ms_ssim"))
    first, _ = run([original], out, choices)
    assert {p.undefined for p in first.points} == {("ms_ssim",)}
    assert run([original], out, replace(choices, resume=True))[0].new == 0


def test_codecs_and_signals_add_to_a_resumed_folder(tmp_path: Path):
    out = tmp_path / "out"
    run([picture(tmp_path / "a.png")], out, JPEG)
    other = picture(tmp_path / "b.png", 16, 16)
    outcome, _ = run([other], out, replace(JPEG, codecs=("avif",), resume=True))
    assert {(p.signal, p.codec) for p in outcome.points} == {("a", "jpeg"), ("b", "avif")}
    assert set(outcome.run.codecs) == {"jpeg", "avif"}
    assert set(outcome.run.originals) == {"a", "b"}


def test_a_resumed_record_keeps_who_was_left_out_and_forgets_it_where_it_changed(tmp_path: Path):
    out, both = tmp_path / "out", replace(JPEG, codecs=("jpeg", "webp"))
    run([picture(tmp_path / f"{name}.png", channels=4) for name in "ab"], out, both)
    outcome, _ = run([picture(tmp_path / "a.png")], out, replace(both, recompute=True))
    assert set(outcome.run.left_out["jpeg"]) == {"b"}
    assert {(p.signal, p.codec) for p in outcome.points} == {
        ("a", "jpeg"), ("a", "webp"), ("b", "webp"),
    }  # fmt: skip


def test_a_folder_of_an_earlier_version_is_gone_on_with(tmp_path: Path):
    original, out = picture(tmp_path / "a.png"), tmp_path / "out"
    run([original], out, JPEG)
    later = {"network_bytes", "cost", "encode_cpu_seconds"}
    rows = [line.split("\t") for line in (out / "points.tsv").read_text().splitlines()]
    kept = [place for place, name in enumerate(rows[0]) if name not in later]
    lines = ["\t".join(row[place] for place in kept) for row in rows]
    (out / "points.tsv").write_text("\n".join(lines) + "\n")
    before = read_points(out / "points.tsv")
    assert {point.encode_cpu_seconds for point in before} == {None}
    outcome, _ = run([original], out, replace(JPEG, resume=True))
    assert (outcome.new, outcome.points) == (0, before)
    more, _ = run([original], out, replace(JPEG, metrics=("psnr_db", "ssim"), resume=True))
    assert {p.encode_cpu_seconds for p in more.points} == {None}
    assert [p.encode_seconds for p in more.points] == [p.encode_seconds for p in before]
