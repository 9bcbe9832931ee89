"""`inrcodec compare --remedy`: each remedy, or combination, is a codec beside the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from inrcodec import codec as whole
from inrcodec.cli.main import main
from inrcodec.errors import BadOption
from inrcodec.evaluate.codecs.inr import InrCodec
from inrcodec.evaluate.points import read_points, read_run
from inrcodec.files import write_atomic
from inrcodec.media.image import save_image
from inrcodec.signal import Signal

TINY = ["--codecs", "inr", "-e", "1", "--lmbda", "0.01", "--engine", "reference", "--metrics",
        "psnr_db", "--set", "hidden_features=6", "--set", "hidden_layers=1", "--quiet"]  # fmt: skip


@pytest.fixture
def png(picture: Signal, tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    write_atomic(str(path), save_image(picture, "png"), False)
    return path


def test_every_remedy_is_a_codec_and_none_is_one_without(png: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["compare", str(png), "-o", str(out), *TINY, "--field", "siren"]
    command += ["--remedy", "none", "ws", "ws,decay", "--set", "ws.alpha=1.5"]
    assert main(command) == 0
    points = {point.codec: point for point in read_points(out / "points.tsv")}
    assert set(points) == {"inr-siren-e1", "inr-siren+ws-e1", "inr-siren+ws+decay-e1"}
    assert len({point.file_bytes for point in points.values()}) > 1  # they are other fits
    run = read_run(out / "run.json")
    assert "--remedy none ws ws,decay" in run.command
    assert "--set hidden_layers=1 --set ws.alpha=1.5" in run.command
    assert (out / "report.html").stat().st_size > 1000


def test_files_are_those_of_encode_with_the_same_remedy(picture: Signal) -> None:
    made = InrCodec(
        "siren", 1, (1e-2,), engine="reference", remedies=("ws", "decay"),
        network=(("hidden_features", 6), ("hidden_layers", 1), ("ws.alpha", 1.5)),
    )  # fmt: skip
    (setting,) = made.settings(picture)
    assert setting.text.endswith(
        "remedies ws+decay, hidden_features 6, hidden_layers 1, ws.alpha 1.5"
    )
    data = made.encode(picture, setting)
    own = made._options(1e-2)
    assert own.remedies == ("ws", "decay")
    assert own.remedy_options == {"ws.alpha": 1.5}
    assert data == whole.encode(picture, own).data
    plain = InrCodec("siren", 1, (1e-2,), engine="reference", network=made.network[:2])
    assert plain.encode(picture, plain.settings(picture)[0]) != data


def test_what_cannot_be_combined_is_refused_before_any_work() -> None:
    for field, remedies, said in (
        ("siren", ("bn",), "the remedy bn cannot apply here"),
        ("", ("iga",), "its parameters are latents"),
        ("siren", ("ws", "winner"), "both change the starting weights"),
    ):
        with pytest.raises(BadOption, match=said):
            InrCodec(field, remedies=remedies).check()
    InrCodec("siren", remedies=("iga",)).check()


def test_an_option_of_a_remedy_that_no_codec_has_is_refused(
    png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", str(png), "-o", str(tmp_path / "out"), *TINY, "--field", "siren"]
    assert main([*command, "--remedy", "ws", "--set", "iga.end=3"]) == 2
    assert "the remedy iga was not asked for; add --remedy iga" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
