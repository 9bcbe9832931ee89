"""Curves of others: each has a source, and says what its authors say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inrcodec.errors import BadInput
from inrcodec.evaluate.points import Point
from inrcodec.evaluate.published import curves, dataset_of, datasets, image_curves, is_whole
from inrcodec.evaluate.published_table import published_rows, write_published

KODAK = [f"kodim{number:02d}" for number in range(1, 25)]


def point(signal: str, codec: str, setting: str, rate: float, psnr_db: float) -> Point:
    return Point(
        signal, "image", codec, setting, None, "f", "d", 1, 1, rate, "bpp", 1, 1.0, 1.0,
        metrics={"psnr_db": psnr_db},
    )  # fmt: skip


def test_every_curve_has_a_source_and_rises():
    found = curves("kodak")
    assert len(found) > 20
    for name, curve in found.items():
        assert curve.source.startswith("github.com/"), name
        assert len(curve.points) >= 4, name
        rates = [point.rate_bpp for point in curve.points]
        assert rates == sorted(rates), name
        assert all(0 < rate < 10 for rate in rates), name
        assert all(15 < point.psnr_db < 55 for point in curve.points), name


def test_points_are_those_that_were_published():
    found = curves("kodak")
    cool_chic = {p.rate_bpp: p.psnr_db for p in found["Cool-Chic 5.0"].points}
    assert cool_chic[0.4819] == 34.521
    jpeg = found["JPEG (CompressAI)"].points
    assert len(jpeg) == 19
    assert (jpeg[0].rate_bpp, jpeg[0].psnr_db, jpeg[0].ms_ssim) == (0.22115, 23.7799, 0.803071)


def test_rates_that_no_file_stands_behind_are_marked():
    for name, curve in curves("kodak").items():
        estimated = name.startswith(("C3", "LotteryCodec"))
        assert curve.source.endswith("(rates estimated)") == estimated


def test_single_pictures_have_curves_of_their_own():
    found = image_curves("kodak", "kodim03")
    assert set(found) == {"Cool-Chic 3.4", "Cool-Chic 5.0"}
    assert [len(curve.points) for curve in found.values()] == [5, 5]
    assert image_curves("kodak", "mine") == {}


def test_an_unknown_set_lists_the_known_ones():
    assert datasets() == ("kodak",)
    with pytest.raises(BadInput, match="only for kodak"):
        curves("mine")


def test_a_set_is_known_by_the_names_of_its_pictures():
    assert dataset_of("image", KODAK) == dataset_of("image", ["kodim03"]) == "kodak"
    assert is_whole("kodak", KODAK[::-1])
    assert not is_whole("kodak", KODAK[1:])
    for kind, names in (("audio", KODAK), ("image", []), ("image", ["kodim25"])):
        assert dataset_of(kind, names) is None


def test_measured_curves_are_read_at_the_quality_of_published_points(tmp_path):
    # 3% fewer bits than CompressAI's JPEG at each of its points, as the mean of unlike pictures.
    jpeg = curves("kodak")["JPEG (CompressAI)"].points
    points = [
        point(name, "mine", f"q{place}", 0.97 * p.rate_bpp * (1 + sign / 2), p.psnr_db + sign)
        for place, p in enumerate(jpeg)
        for name, sign in zip(KODAK, [1, -1] * 12, strict=True)
    ]
    points = [replace(p, metrics={"psnr_db": p.metrics["psnr_db"] - 1e-9}) for p in points]
    rows = published_rows(points)
    found = [row for row in rows if row.published == "JPEG (CompressAI)"]
    assert [row.psnr_db for row in found] == [p.psnr_db for p in jpeg[:-1]]
    assert [row.difference_percent for row in found] == pytest.approx([-3.0] * 18)
    assert {round(row.bd_rate_percent, 6) for row in found} == {-3.0}
    reached = [row for row in rows if row.published == "Cool-Chic 5.0"]
    assert all(jpeg[0].psnr_db <= row.psnr_db <= jpeg[-1].psnr_db for row in reached)
    assert published_rows([p for p in points if p.signal != "kodim07"]) == []
    write_published(tmp_path, found)
    lines = (tmp_path / "published.tsv").read_text().splitlines()
    assert lines[1].split("\t") == [
        "JPEG (CompressAI)", "23.7799", "0.22115", "mine", "0.214516", "-3", "-3",
    ]  # fmt: skip
