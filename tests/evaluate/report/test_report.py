"""The page that people open: whole, honest, self-contained, and there whatever is missing."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from inrcodec.errors import BadInput, BadOption
from inrcodec.evaluate.bd import bd_rate_percent
from inrcodec.evaluate.bd_table import bd_rows
from inrcodec.evaluate.points import read_points, write_points
from inrcodec.evaluate.report import write_report

VOID = {"meta", "img", "input", "br", "hr", "link"}
SVG = "{http://www.w3.org/2000/svg}"


class Page(HTMLParser):
    """Text of the body and attributes of a page; refuses elements that do not nest."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def usual(make_folder, tmp_path_factory) -> Path:
    """A folder with two pictures and three codecs, and its report."""
    folder = make_folder(tmp_path_factory.mktemp("usual") / "run")
    write_report(folder)
    return folder


def test_the_page_is_well_formed_and_everything_on_it_has_a_name(usual):
    page = Page(usual / "report.html")
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = {value[1:] for tag, name, value in page.attributes if (tag, name) == ("a", "href")}
    assert targets <= set(ids)
    labels = {value for tag, name, value in page.attributes if (tag, name) == ("label", "for")}
    assert labels <= set(ids)


def test_the_page_asks_for_nothing_from_outside(make_run):
    page = Page(write_report(make_run(skipped={"jxl": "get it from https://example.org/jxl"})))
    for tag, name, value in page.attributes:
        if name in ("src", "href", "srcset", "action", "data", "poster"):
            assert value.startswith(("#", "data:")), (tag, name, value[:60])
    style = page.source.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style and "@import" not in style
    policy = [v for _, name, v in page.attributes if name == "content" and "default-src" in v]
    assert policy and policy[0].startswith("default-src 'none'")
    assert "https://example.org/jxl" in page.words


def test_every_number_of_the_bd_table_is_the_measured_one(usual):
    page = Page(usual / "report.html")
    points = read_points(usual / "points.tsv")

    def curve(codec: str, signal: str) -> list[tuple[float, float]]:
        chosen = [p for p in points if (p.codec, p.signal) == (codec, signal)]
        return [(p.rate, p.metrics["psnr_db"]) for p in chosen]

    for codec in ("inr-e5", "webp"):
        rates = [
            bd_rate_percent(curve("jpeg", signal), curve(codec, signal))[0]
            for signal in ("leaf", "sand")
        ]
        assert f"{sum(rates) / 2:+.1f}%".replace("-", "−") in page.words
        # The interval of two pictures spans both of them.
        low, high = (f"{rate:+.1f}".replace("-", "−") for rate in (min(rates), max(rates)))
        assert f"{low} to {high}%" in page.words
    assert "+3.00" in page.words and "+1.50" in page.words  # BD-PSNR, as it was made up
    assert "610 ms" in page.words or "0.61 s" in page.words


def test_the_page_says_what_the_table_of_bd_rates_says(usual):
    page = Page(usual / "report.html")
    rows = bd_rows(read_points(usual / "points.tsv"), "jpeg")
    averages = [row for row in rows if row.signal in ("mean", "mean-curve")]
    assert len(averages) == 2 * 2 * 2  # codecs, metrics, averages
    for row in averages:
        assert f"{row.bd_rate_percent:+.1f}%".replace("-", "−") in page.words, row


def test_every_point_is_in_the_table_of_points(usual):
    page = Page(usual / "report.html")
    for point in read_points(usual / "points.tsv"):
        assert f"{point.metrics['psnr_db']:.5g}" in page.words
        assert str(point.file_bytes) in page.words


def test_the_plots_have_axes_with_units_and_one_curve_per_codec(usual):
    for name, label in (
        ("image_psnr_db", "PSNR (dB)"),
        ("image_psnr_db_log", "PSNR (dB)"),
        ("image_ms_ssim_db", "MS-SSIM (dB)"),
        ("image_signal001", "PSNR (dB)"),
    ):
        root = ElementTree.fromstring((usual / "plots" / f"{name}.svg").read_text("utf-8"))
        texts = [text.text for text in root.iter(f"{SVG}text")]
        assert label in texts and "Rate (bits per pixel, bpp)" in texts
        curves = [line for line in root.iter(f"{SVG}polyline") if line.get("data-curve")]
        assert sorted(line.get("data-curve") for line in curves) == ["inr-e5", "jpeg", "webp"]
        looks = {(c.get("class"), c.get("stroke-dasharray")) for c in curves}
        assert len(looks) == 3
        assert all(name in texts for name in ("inr-e5", "jpeg", "webp"))


def test_every_plot_is_there_as_svg_and_as_png(usual):
    folder = usual
    names = {path.stem for path in (folder / "plots").glob("*.svg")}
    assert {"image_encode_seconds", "image_decode_seconds", "image_spectrum_error"} <= names
    assert names == {path.stem for path in (folder / "plots").glob("*.png")}
    assert all(
        path.read_bytes().startswith(b"\x89PNG") for path in (folder / "plots").glob("*.png")
    )


def test_crops_say_their_bytes_and_how_far_those_are_from_equal(make_run):
    def larger(point):
        return (
            replace(point, file_bytes=point.file_bytes * 3 // 2) if point.codec == "webp" else point
        )

    page = Page(write_report(make_run(change=larger)))
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', page.source)
    pictures = json.loads(text)
    assert [picture["signal"] for picture in pictures] == ["leaf", "sand"]
    assert all(p["original"].startswith("data:image/webp;base64,") for p in pictures)
    captions = pictures[0]["rates"][0]["codecs"]
    assert captions["jpeg"]["caption"] == "q1 · 400 bytes · PSNR 29.00 dB"
    assert captions["webp"]["caption"].startswith("q0 · 300 bytes (−25.0%) · PSNR 27.50 dB")
    assert captions["webp"]["caption"].endswith("no point is nearer in bytes")


def test_names_with_html_in_them_are_text(make_run):
    evil = "<img src=x onerror=alert(1)>'\"&</script>"
    folder = make_run(
        {evil: "image", "b": "image"},
        ["jpeg", "inr-<b>"],
        command=f"compare {evil}",
        skipped={evil: evil},
        failed={evil: evil},
        versions={evil: evil},
        codecs={"inr-<b>": {"library": evil, "version": evil, "settings": {evil: evil}}},
    )
    page = Page(write_report(folder))
    assert not [value for tag, _, value in page.attributes if tag == "img" and "alert" in value]
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert "<img src=x" not in page.source
    assert html.escape(evil) in page.source
    assert len(list((folder / "plots").glob("image_signal*.svg"))) == 2


def test_curves_without_common_quality_are_shown_with_the_reason(make_run):
    def far(point):
        if point.codec != "webp":
            return point
        return replace(point, metrics={"psnr_db": point.metrics["psnr_db"] + 40})

    page = Page(write_report(make_run(change=far)))
    assert "not comparable" in page.words
    assert "no quality in common" in page.words
    assert "webp" in page.words


def test_a_codec_with_too_few_points_does_not_hide_the_others(make_run):
    def few(point):
        return None if point.codec == "webp" and point.setting > "q1" else point

    page = Page(write_report(make_run(change=few)))
    assert "has 2 points, expected at least 4" in page.words
    assert "inr-e5 needs" in page.words


@pytest.mark.parametrize(
    ("signals", "codecs"),
    [({"leaf": "image"}, None), ({"leaf": "image"}, ["jpeg"]), (None, ["inr-e5"])],
)
def test_one_picture_or_one_codec_is_enough(make_run, signals, codecs):
    page = Page(write_report(make_run(signals, codecs)))
    assert "leaf" in page.words
    if codecs:
        assert f"Only {codecs[0]} was measured" in page.words


def test_no_points_at_all_make_a_page_that_says_so(make_run):
    assert "No points were measured" in Page(write_report(make_run({}))).words


def test_plain_ms_ssim_is_shown_in_decibels(make_run):
    def plain(point):
        return replace(point, metrics={"ms_ssim": point.metrics["ms_ssim"]})

    folder = make_run(change=plain, with_files=False)
    page = Page(write_report(folder))
    assert "at the same MS-SSIM" in page.words
    assert "MS-SSIM (dB)" in (folder / "plots" / "image_ms_ssim_db.svg").read_text("utf-8")


def test_missing_metrics_times_and_files_leave_the_rest(make_run):
    def bare(point):
        return replace(point, metrics={"psnr_db": point.metrics["psnr_db"]}, encode_seconds=None)

    folder = make_run(change=bare, with_files=False)
    page = Page(write_report(folder))
    assert "Images that cannot be shown (2)" in page.words
    assert "there is no file" in page.words
    assert "MS-SSIM" not in page.words
    assert not (folder / "plots" / "image_encode_seconds.svg").exists()
    assert (folder / "plots" / "image_decode_seconds.svg").exists()


def test_points_without_any_metric_are_still_listed(make_run):
    page = Page(write_report(make_run(change=lambda point: replace(point, metrics={}))))
    assert "No metric of images was measured" in page.words
    assert "All 30 points" in page.words


def test_points_without_loss_do_not_break_the_curves(make_run):
    def lossless(point):
        metrics = dict.fromkeys(point.metrics, float("inf")) if point.setting == "q4" else None
        return replace(point, metrics=metrics or point.metrics)

    assert "inr-e5 needs" in Page(write_report(make_run(change=lossless))).words


def test_sounds_are_drawn_in_kbps_and_can_be_heard(make_run):
    folder = make_run({"bell": "audio", "gong": "audio"})
    page = Page(write_report(folder))
    players = [v for tag, name, v in page.attributes if (tag, name) == ("audio", "src")]
    assert len(players) == 2 * 4  # the original and three codecs of each
    assert all(value.startswith("data:audio/flac;base64,") for value in players)
    assert "Rate (kbps)" in (folder / "plots" / "audio_snr_db.svg").read_text("utf-8")
    assert "Frequency (kHz)" in (folder / "plots" / "audio_spectrum_error.svg").read_text("utf-8")


def test_videos_are_drawn_with_a_frame_of_each(make_run):
    folder = make_run({"run": "video"})
    page = Page(write_report(folder))
    assert "PSNR-YUV" in page.words
    assert page.source.count('"signal": "run"') == 1
    assert (folder / "plots" / "video_psnr_yuv_db.svg").exists()


def test_several_kinds_of_signals_share_a_page(make_run):
    page = Page(write_report(make_run({"leaf": "image", "bell": "audio"})))
    assert "Image: Results" in page.words and "Audio: Results" in page.words


def test_other_resolutions_have_their_own_table_and_chart(make_run):
    folder = make_run()
    points = read_points(folder / "points.tsv")
    doubled = [
        replace(p, codec=p.codec if p.codec == "inr-e5" else f"{p.codec}+lanczos", resolution=2.0)
        for p in points
    ]
    write_points(folder / "points.tsv", points + doubled)
    page = Page(write_report(folder))
    assert "2× the coded resolution" in page.words
    assert "jpeg+lanczos" in page.words
    assert (folder / "plots" / "image_psnr_db_x2.png").exists()
    # Those points belong nowhere else.
    svg = (folder / "plots" / "image_psnr_db.svg").read_text("utf-8")
    assert "lanczos" not in svg


def test_published_curves_are_drawn_and_named_only_where_they_can_be_compared(make_run):
    signals = {"kodim03": "image", "kodim23": "image"}
    folder = make_run(signals, published=True)
    page = Page(write_report(folder))
    svg = (folder / "plots" / "image_psnr_db.svg").read_text("utf-8")
    assert "Cool-Chic 5.0" in svg and "COIN" not in svg
    assert "means over the same 2 of the 24 Kodak pictures" in page.words
    assert "not their heights" in page.words
    assert (folder / "plots" / "image_psnr_db_published.svg").exists()


def test_published_curves_of_all_kodak_pictures_are_those_of_the_short_list(make_run):
    signals = {f"kodim{i:02}": "image" for i in range(1, 25)}
    folder = make_run(signals, ["jpeg", "inr-e5"], with_files=False, published=True)
    page = Page(write_report(folder))
    svg = (folder / "plots" / "image_psnr_db.svg").read_text("utf-8")
    assert "COIN" in svg and "VVC (VTM)" in svg and "COIN++" not in svg
    assert "not their heights" not in page.words


def test_published_curves_of_other_pictures_are_not_there(make_run):
    page = Page(write_report(make_run(published=True)))
    assert "published" not in page.words


def test_the_page_stays_small_and_can_be_made_again(usual):
    path = usual / "report.html"
    first = path.read_bytes()
    assert write_report(usual) == path
    assert path.read_bytes() == first
    assert len(first) < 2 << 20


def test_what_was_left_out_is_said_with_its_reason(make_run):
    left_out = {"jpeg": {"leaf": "no room for alpha"}, "webp": {"leaf": "no", "sand": "no"}}
    page = Page(write_report(make_run(left_out=left_out)))
    assert "Not measured here jpeg for leaf : no room for alpha webp : no" in page.words


def test_costs_and_networks_have_a_column_where_there_are_any(make_run):
    def ours(point):
        if point.codec != "inr-e5":
            return point
        return replace(point, lmbda=1e-3, network_bytes=123, encode_cpu_seconds=7.5)

    words = Page(write_report(make_run(change=ours))).words
    assert "Network bytes bpp J Encode s Encode CPU s Decode s psnr_db" in words


def test_columns_without_anything_in_them_are_left_out(usual):
    words = Page(usual / "report.html").words
    assert "Signal Codec Setting Resolution Bytes bpp Encode s Decode s psnr_db" in words


def test_other_things_than_folders_are_refused():
    with pytest.raises(BadOption, match="folder of the run is 5, expected a path"):
        write_report(5)


def test_a_table_that_is_none_is_refused(tmp_path):
    (tmp_path / "points.tsv").write_text("signal\tkind\n")
    with pytest.raises(BadInput, match="has no column"):
        write_report(tmp_path)
