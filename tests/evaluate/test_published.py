"""Curves of others: each has a source, and says what its authors say."""

from __future__ import annotations

import pytest

from inrcodec.errors import BadInput
from inrcodec.evaluate.published import curves, datasets, image_curves


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
