"""Comparisons: all points, all files, who is left out, every kind of signal."""

from __future__ import annotations

from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from comparisons import JPEG, QUICK, picture, run
from PIL import Image

from inrcodec.errors import BadOption, InrError
from inrcodec.evaluate.codecs import InrCodec, choose
from inrcodec.evaluate.codecs.inr import source_digest
from inrcodec.evaluate.compare import Choices, compare
from inrcodec.evaluate.metrics import catalogue
from inrcodec.evaluate.originals import Original, find_originals
from inrcodec.evaluate.plan import plan_of, tasks_of
from inrcodec.evaluate.points import read_points, read_run
from inrcodec.evaluate.record import new_run
from inrcodec.media.audio import load_audio, save_audio
from inrcodec.media.image import load_image
from inrcodec.media.video import load_video, save_video
from inrcodec.signal import AudioSignal, video_signal


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


def test_our_codec_is_another_version_when_its_source_is():
    version = InrCodec().probe().version
    assert version.endswith(f"source {source_digest()}")
    assert len(source_digest()) == 12


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
