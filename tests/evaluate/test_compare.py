"""Runs of a comparison: all points, all files, again from where it was."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inrcodec.errors import BadOption, InrError, OutputError
from inrcodec.evaluate.codecs import InrCodec, choose
from inrcodec.evaluate.codecs.inr import source_digest
from inrcodec.evaluate.compare import Choices, Outcome, Progress, compare
from inrcodec.evaluate.metrics import catalogue
from inrcodec.evaluate.originals import Original, find_originals
from inrcodec.evaluate.plan import plan_of, tasks_of
from inrcodec.evaluate.points import read_points, read_run, write_points
from inrcodec.evaluate.record import new_run
from inrcodec.media.audio import load_audio, save_audio
from inrcodec.media.image import load_image
from inrcodec.media.video import load_video, save_video
from inrcodec.signal import AudioSignal, video_signal

QUICK = InrCodec(effort=1, lmbdas=(1e-2,), device="cpu", engine="reference")
JPEG = Choices(codecs=("jpeg",), metrics=("psnr_db",))


@dataclass
class Heard(Progress):
    """Keeps what it was told."""

    said: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.said.append(text)

    def finished(self, task, made) -> None:
        self.errors += [f"{label}: {error}" for label, error in made.errors.items()]


def picture(path: Path, height: int = 32, width: int = 48, channels: int = 3) -> Original:
    y, x = np.mgrid[0:height, 0:width]
    planes = [100 + 80 * np.sin(x / 5), 90 + 2 * y + x, 128 + 60 * np.cos((x + y) / 7), 200 + 0 * x]
    samples = np.stack(planes[:channels], axis=-1).clip(0, 255).astype(np.uint8)
    Image.fromarray(samples).save(path)
    return find_originals([str(path)], print)[0]


def run(originals: list[Original], folder: Path, choices: Choices) -> tuple[Outcome, Heard]:
    heard = Heard()
    return compare(originals, str(folder), choices, heard), heard


def test_every_point_can_be_checked_by_hand(tmp_path: Path):
    original = picture(tmp_path / "a.png")
    outcome, _ = run([original], tmp_path / "out", JPEG)
    assert len(outcome.points) == 19
    for point in outcome.points:
        file, decoded = tmp_path / "out" / point.file, tmp_path / "out" / point.decoded
        assert file.stat().st_size == point.file_bytes
        assert point.rate == pytest.approx(8 * point.file_bytes / (32 * 48))
        pair = catalogue.pair_of(original.load(), load_image(decoded.read_bytes()))
        found = catalogue.measure(pair, ["psnr_db"]).values["psnr_db"]
        assert point.metrics == {"psnr_db": pytest.approx(found)}
        with Image.open(file) as image:
            np.testing.assert_array_equal(
                np.asarray(image), load_image(decoded.read_bytes()).samples
            )


def test_the_table_holds_what_was_returned_and_the_record_how(tmp_path: Path):
    outcome, _ = run([picture(tmp_path / "a.png")], tmp_path / "out", JPEG)
    table = read_points(tmp_path / "out" / "points.tsv")
    assert [point.key for point in table] == [point.key for point in outcome.points]
    record = read_run(tmp_path / "out" / "run.json")
    assert record == outcome.run
    assert record.anchor == "jpeg"
    assert record.codecs["jpeg"]["settings"]["q5"] == "Pillow JPEG: quality=5, optimize=True"
    assert record.originals == {"a": str(tmp_path / "a.png")}
    assert record.machine["cores"] >= 1


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


def test_our_codec_is_another_version_when_its_source_is():
    version = InrCodec().probe().version
    assert version.endswith(f"source {source_digest()}")
    assert len(source_digest()) == 12


def test_codecs_and_signals_add_to_a_resumed_folder(tmp_path: Path):
    out = tmp_path / "out"
    run([picture(tmp_path / "a.png")], out, JPEG)
    other = picture(tmp_path / "b.png", 16, 16)
    outcome, _ = run([other], out, replace(JPEG, codecs=("avif",), resume=True))
    assert {(p.signal, p.codec) for p in outcome.points} == {("a", "jpeg"), ("b", "avif")}
    assert set(outcome.run.codecs) == {"jpeg", "avif"}
    assert set(outcome.run.originals) == {"a", "b"}


def test_a_point_that_fails_does_not_cost_the_others(tmp_path: Path):
    # WebP holds 16383 pixels across.
    originals = [picture(tmp_path / "a.png", 1, 16400), picture(tmp_path / "b.png")]
    choices = replace(JPEG, codecs=("jpeg", "webp"))
    outcome, heard = run(originals, tmp_path / "out", choices)
    assert {(p.signal, p.codec) for p in outcome.points} == {
        ("a", "jpeg"), ("b", "jpeg"), ("b", "webp"),
    }  # fmt: skip
    assert len(outcome.run.failed) == len(heard.errors) == 19
    assert "webp cannot hold" in heard.errors[0]
    assert read_run(tmp_path / "out" / "run.json").failed == outcome.run.failed


def test_a_codec_that_does_not_take_a_signal_is_skipped_for_it_with_one_reason(tmp_path: Path):
    originals = [
        picture(tmp_path / "a.png", channels=4),
        picture(tmp_path / "b.png"),
        picture(tmp_path / "c.png", channels=4),
    ]
    outcome, heard = run(originals, tmp_path / "out", replace(JPEG, codecs=("jpeg", "webp")))
    assert {(p.signal, p.codec) for p in outcome.points} == {
        ("b", "jpeg"), ("a", "webp"), ("b", "webp"), ("c", "webp"),
    }  # fmt: skip
    assert (heard.errors, outcome.run.failed) == ([], {})
    reason = (
        "jpeg holds L and RGB, the picture is RGBA; leave the codec out, or convert the picture"
    )
    assert heard.said == [
        f"skipped jpeg for a, c: {reason}",
        "BD-rates are against webp, as jpeg was skipped",
    ]
    assert read_run(tmp_path / "out" / "run.json").left_out == {"jpeg": {"a": reason, "c": reason}}


def test_where_the_usual_anchor_is_skipped_the_next_one_takes_its_place(tmp_path: Path):
    original = picture(tmp_path / "a.png", channels=4)
    choices = replace(JPEG, codecs=("jpeg", "jpeg2000", "avif", "webp"))
    outcome, heard = run([original], tmp_path / "out", choices)
    assert outcome.run.anchor == "webp"
    assert "BD-rates are against webp, as jpeg was skipped" in heard.said
    assert set(outcome.run.codecs) == {"jpeg2000", "avif", "webp"}


def test_an_anchor_that_somebody_chose_must_take_the_signals(tmp_path: Path):
    original = picture(tmp_path / "a.png", channels=4)
    choices = replace(JPEG, codecs=("jpeg", "webp"), anchor="jpeg")
    with pytest.raises(BadOption, match="'jpeg' cannot be used: .*is RGBA.* choose one of webp"):
        run([original], tmp_path / "out", choices)
    with pytest.raises(BadOption, match="none of the codecs takes any of the inputs: jpeg holds"):
        run([original], tmp_path / "out", JPEG)
    assert not (tmp_path / "out").exists()


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


def test_processor_time_is_taken_beside_wall_time_and_networks_are_weighed(tmp_path: Path):
    choices = Choices(codecs=("jpeg", "inr"), ours=(QUICK,), metrics=("psnr_db",))
    outcome, _ = run([picture(tmp_path / "a.png")], tmp_path / "out", choices)
    (ours,) = (point for point in outcome.points if point.codec == "inr-e1")
    assert ours.encode_cpu_seconds > 0
    assert 100 < ours.network_bytes < ours.file_bytes
    assert ours.cost == pytest.approx(10 ** (-ours.metrics["psnr_db"] / 10) / 1e-2 + ours.rate)
    jpeg = [point for point in outcome.points if point.codec == "jpeg"]
    assert {(point.network_bytes, point.cost) for point in jpeg} == {(None, None)}
    assert all(point.encode_cpu_seconds is not None for point in jpeg)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5, "out"), "the originals are 5, expected a list .* find_originals"),
        (([], "out"), r"the originals are \[\], expected"),
        (("a.png", "out"), "the originals are 'a.png', expected"),
        ((["a.png"], "out"), "expected a list with one or more of what find_originals gives"),
        (([Original("a", "a", "image"), Original("b", "b", "audio")], "out"), "different kinds"),
        (([Original("a", "a.png", "image")], None), "the folder is None, expected a path"),
        (([Original("a", "a.png", "image")], "out", 5), r"choices are 5, expected Choices"),
        (([Original("a", "a.png", "image")], "out", Choices(codecs="jpeg")), "codecs is 'jpeg'"),
        (([Original("a", "a.png", "image")], "out", Choices(metrics=None)), "metrics is None"),
        (([Original("a", "a.png", "image")], "out", Choices(jobs=0)), "jobs is 0, expected"),
    ],
)
def test_odd_arguments_are_refused_by_name(arguments, message):
    with pytest.raises(InrError, match=message):
        compare(*arguments)


def test_the_plan_does_not_touch_the_record(tmp_path: Path):
    original = picture(tmp_path / "a.png")
    codecs, _ = choose(("jpeg", "webp"), "image", ())
    plan = plan_of([original], codecs)
    record = new_run(plan, [original], str(tmp_path))
    before = asdict(record)
    tasks = tasks_of(plan, [original], record, str(tmp_path), ())
    assert len(tasks) == 38
    assert asdict(record) == before
    assert record.codecs["webp"]["settings"]["q5"] == "Pillow WEBP: quality=5, method=6"


def test_several_at_a_time_give_the_same_points(tmp_path: Path):
    originals = [picture(tmp_path / "a.png"), picture(tmp_path / "b.png", 24, 24)]
    alone, _ = run(originals, tmp_path / "one", JPEG)
    together, _ = run(originals, tmp_path / "two", replace(JPEG, jobs=2))
    plain = [
        [
            replace(point, encode_seconds=0.0, encode_cpu_seconds=0.0, decode_seconds=0.0)
            for point in outcome.points
        ]
        for outcome in (alone, together)
    ]
    assert plain[0] == plain[1]


def test_other_resolutions_are_judged_beside_upscales(tmp_path: Path):
    original, out = picture(tmp_path / "a.png", 33, 48), tmp_path / "out"
    choices = Choices(
        codecs=("jpeg", "inr"),
        ours=(QUICK,),
        metrics=("psnr_db",),
        resolutions=(Fraction(1, 2), Fraction(2)),
    )
    outcome, _ = run([original], out, choices)
    by_name = {(p.codec, p.resolution): p for p in outcome.points}
    assert set(by_name) == {
        ("jpeg", 1), ("jpeg+area", 0.5), ("jpeg+bicubic", 2), ("jpeg+lanczos", 2),
        ("inr-e1", 1), ("inr-e1", 0.5), ("inr-e1", 2),
    }  # fmt: skip
    sizes = {}
    for key, point in by_name.items():
        decoded = load_image((out / point.decoded).read_bytes())
        sizes[key] = (decoded.height, decoded.width)
        assert point.metrics["psnr_db"] > 20
        assert point.rate == pytest.approx(8 * point.file_bytes / point.samples)
    assert {size for (_, factor), size in sizes.items() if factor == 1} == {(33, 48)}
    assert {size for (_, factor), size in sizes.items() if factor == 2} == {(32, 48)}
    assert {size for (_, factor), size in sizes.items() if factor < 1} == {(16, 24)}
    # Two rows of pixels are one, from the top on: an odd last one must not stretch the others.
    assert by_name["inr-e1", 0.5].metrics["psnr_db"] > by_name["inr-e1", 1].metrics["psnr_db"]
    # The same bytes are the same rate, at whatever size they are looked at.
    assert by_name["inr-e1", 0.5].rate == by_name["inr-e1", 1].rate
    assert by_name["inr-e1", 0.5].file == by_name["inr-e1", 1].file
    assert by_name["inr-e1", 2].file_bytes < by_name["inr-e1", 1].file_bytes
    assert sorted(p.name for p in (out / "files" / "originals").iterdir()) == [
        "a_x0.5.png", "a_x2.png",
    ]  # fmt: skip


def test_what_views_are_judged_against_follows_the_original(tmp_path: Path):
    out = tmp_path / "out"
    choices = replace(JPEG, resolutions=(Fraction(2),))
    run([picture(tmp_path / "a.png")], out, choices)
    changed = picture(tmp_path / "a.png", 32, 40)
    run([changed], out, replace(choices, recompute=True))
    kept = load_image((out / "files" / "originals" / "a_x2.png").read_bytes())
    assert (kept.height, kept.width) == (32, 40)


def test_sound_is_compared_with_our_codec_at_any_rate(tmp_path: Path):
    out, times = tmp_path / "out", np.arange(2001)[:, None]
    samples = np.rint(9000 * np.sin(times / [17, 19])).astype(np.int16)
    (tmp_path / "a.wav").write_bytes(save_audio(AudioSignal(samples, 8000), ".wav"))
    originals = find_originals([str(tmp_path / "a.wav")], print)
    factors = (Fraction(1, 2), Fraction(2))
    ours = replace(QUICK, effort=3, lmbdas=(1e-6,))
    choices = Choices(("flac", "inr"), (ours,), metrics=("snr_db",), resolutions=factors)
    outcome, heard = run(originals, out, choices)
    assert (heard.errors, outcome.run.skipped) == ([], {})
    found = {(p.codec, p.resolution): p for p in outcome.points}
    assert found["flac", 1].metrics["snr_db"] == np.inf
    sizes = {}
    for factor in (0.5, 1, 2):
        point = found["inr-e3", factor]
        decoded = load_audio((out / point.decoded).read_bytes(), "a.wav")
        sizes[factor] = (decoded.rate_hz, decoded.frames, decoded.channels)
        assert np.isfinite(point.metrics["snr_db"])
        assert (point.rate_unit, point.cost) == ("kbps", None)
    # Between samples a network that learned this little may do anything.
    assert found["inr-e3", 1].metrics["snr_db"] > 3
    assert sizes == {0.5: (4000, 1000, 2), 1: (8000, 2001, 2), 2: (8000, 2000, 2)}


def test_video_is_compared_with_our_codec_as_with_others(tmp_path: Path):
    out = tmp_path / "out"
    y, x = np.mgrid[0:16, 0:24]
    frames = np.stack([100 + 3 * x + 2 * y + 5 * t for t in range(5)]).astype(np.uint8)
    video = video_signal(np.repeat(frames[..., None], 3, axis=3), 25)
    (tmp_path / "v.y4m").write_bytes(save_video(video, ".y4m"))
    originals = find_originals([str(tmp_path / "v.y4m")], print)
    factors = (Fraction(1, 2), Fraction(2))
    choices = Choices(("inr",), (QUICK,), metrics=("psnr_yuv_db",), resolutions=factors)
    outcome, heard = run(originals, out, choices)
    assert heard.errors == []
    sizes = {}
    for point in outcome.points:
        decoded = load_video(str(out / point.decoded))
        sizes[point.codec, point.resolution] = (float(decoded.rate), decoded.frames)
        assert point.metrics["psnr_yuv_db"] > 20
    assert sizes == {
        ("inr-e1", 1): (25.0, 5),
        ("inr-e1", 0.5): (12.5, 2),
        ("inr-e1", 2): (25.0, 4),
    }


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (Choices(codecs=("gif",)), "no codec 'gif'; for image there are: jpeg, .*inr"),
        (Choices(codecs=("aac",)), "codec 'aac' is for audio, the inputs are image"),
        (Choices(codecs=("jpeg", "jpeg")), "'jpeg' is chosen twice"),
        (Choices(codecs=("inr",), ours=(InrCodec("sirene"),)), "there is no field 'sirene'"),
        (Choices(codecs=("inr",), ours=(InrCodec(lmbdas=(20.0,)),)), "lmbda is 20.0, expected"),
        (
            Choices(codecs=("jpeg",), metrics=("vmaf",)),
            "no metric 'vmaf' for image; there are: psn",
        ),
        (Choices(codecs=("webp",), anchor="jpeg"), "'jpeg' cannot be used: it is not among"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(tmp_path: Path, choices, message):
    with pytest.raises(BadOption, match=message):
        run([picture(tmp_path / "a.png")], tmp_path / "out", choices)
    assert not (tmp_path / "out").exists()
