"""`inrcodec spectrum`: facts on stdout, figures in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

import inrcodec
from inrcodec.evaluate.metrics.spectral import spectral_energy_centroid
from inrcodec.evaluate.report.spectral_figures import NAMES

FIT = ("--field", "siren", "--hidden-features", 8, "--hidden-layers", 2)
NETWORK_FIGURES = {"climb", "error_spectra", "tangent_kernel", "activations", "activation_spectra"}


@pytest.fixture(scope="module")
def square(tmp_path_factory) -> Path:
    """A picture of 24x24 pixels."""
    y, x = np.mgrid[0:24, 0:24]
    planes = [128 + 90 * np.sin(x / 2), 128 + 90 * np.cos(y / 3), 5 * x + 4 * y]
    path = tmp_path_factory.mktemp("square") / "square.png"
    Image.fromarray(np.stack(planes, -1).astype(np.uint8)).save(path)
    return path


def figures(folder: Path) -> set[str]:
    """Names of the figures in a folder, each of which is there as PNG and as SVG."""
    pngs, svgs = ({p.stem for p in folder.glob(f"*.{end}")} for end in ("png", "svg"))
    assert pngs == svgs
    assert {p.name for p in folder.iterdir()} == {
        "spectrum.json", *(f"{name}.{end}" for name in pngs for end in ("png", "svg"))
    }  # fmt: skip
    return pngs


def test_json_has_the_facts_of_the_signal(call, picture, samples):
    facts = json.loads(call("spectrum", picture, "--json").out)
    assert facts["sec"] == pytest.approx(spectral_energy_centroid(samples))
    assert list(facts) == [
        "file", "kind", "taken", "sec", "psi", "s0", "s1", "slope", "spectrum",
    ]  # fmt: skip
    spectrum = facts["spectrum"]
    rings = len(spectrum["frequency_cycles_per_sample"])
    assert len(spectrum["power"]) == len(spectrum["coefficients"]) == rings == 12
    assert sum(spectrum["power"]) == pytest.approx(float(((samples / 255) ** 2).mean()))


def test_for_people_it_is_one_fact_per_line(call, picture):
    done = call("spectrum", picture)
    lines = dict(line.split(": ", 1) for line in done.out.decode().splitlines())
    assert list(lines) == ["file", "kind", "taken", "sec", "psi", "s0", "s1", "slope"]
    assert lines["taken"] == "all 24x16 pixels"
    assert done.err == ""


def test_a_file_stands_beside_its_original(call, picture, samples, inr, encoded, tmp_path):
    out = tmp_path / "figures"
    facts = json.loads(call("spectrum", inr, "--against", picture, "-o", out, "--json").out)
    decoded = inrcodec.decode(encoded).samples
    assert facts["sec"] == pytest.approx(spectral_energy_centroid(decoded))
    assert facts["original"]["sec"] == pytest.approx(spectral_energy_centroid(samples))
    measured = json.loads(call("metrics", picture, inr, "--json").out)["metrics"]
    found = facts["comparison"]
    assert found["rho_ag"] == pytest.approx(measured["rho_ag"])
    assert found["psnr_db"] == pytest.approx(measured["psnr_db"])
    assert figures(out) == {"spectrum", "error_ratio", "gradients"}
    assert json.loads((out / "spectrum.json").read_text("utf-8")) == facts


def test_a_fit_is_looked_at_from_its_beginning_to_its_end(call, square, quick, tmp_path):
    out = tmp_path / "figures"
    done = call("spectrum", square, *FIT, "--remedy", "decay", *quick, "-o", out, "--quiet")
    assert (done.code, done.err) == (0, "")
    assert "step 112: sec=" in done.out.decode()
    facts = json.loads((out / "spectrum.json").read_text("utf-8"))
    assert facts["fit"]["remedies"] == ["decay"]
    assert facts["fit"]["options"] == {"hidden_features": 8, "hidden_layers": 2}
    assert [moment["step"] for moment in facts["climb"]][:3] == [0, 1, 2]
    assert [each["step"] for each in facts["inspections"]] == [0, 112]
    assert facts["reconstruction"]["sec"] > 0
    assert figures(out) == set(NAMES)
    climb = (out / "climb.svg").read_text("utf-8")
    assert "Spectral Energy Centroid (cycles per picture)" in climb
    assert "PSNR (dB)" in climb
    with Image.open(out / "gradients.png") as shown:
        assert len(set(shown.convert("L").tobytes())) > 20


def test_a_sound_has_frequencies_in_khz_and_no_gradients(call, tmp_path):
    tone = np.rint(9000 * np.sin(np.arange(3000)[:, None] / [7, 9])).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", tone, 8000)
    out = tmp_path / "figures"
    done = call("spectrum", tmp_path / "a.wav", "-o", out)
    assert "taken: all 3000 frames\n" in done.out.decode()
    assert done.err == f"{out}: spectrum.json; as PNG and SVG spectrum\n"
    assert figures(out) == {"spectrum"}
    assert "Frequency (kHz)" in (out / "spectrum.svg").read_text("utf-8")


def test_nothing_is_replaced_without_force(call, picture, tmp_path):
    out = tmp_path / "figures"
    out.mkdir()
    kept = out / "climb.png"
    kept.write_bytes(b"mine")
    done = call("spectrum", picture, "-o", out)
    assert (done.code, done.out) == (7, b"")
    assert "climb.png" in done.err
    assert [path.name for path in out.iterdir()] == ["climb.png"]
    assert call("spectrum", picture, "-o", out, "-f").code == 0
    assert call("spectrum", picture, "-o", picture).code == 7


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--field", "grid"), 2, "encode first, and look at the result"),
        (("--field", "nothing"), 2, "there is no field 'nothing'"),
        (("--remedy", "decay"), 2, "remedy was given, and nothing is fitted; add --field"),
        (("--hidden-features", 8), 2, "hidden_features was given"),
        (("--effort", 2), 2, "effort was given"),
        (("--field", "siren", "--against", "b.png"), 2, "leave one of them out"),
        (("--field", "siren", "--effort", 12), 2, "effort is 12"),
        (("--field", "siren", "--remedy", "luck"), 2, "there is no remedy 'luck'"),
        (("--against", "none.png"), 3, "none.png"),
    ],
)
def test_mistakes_are_told_before_any_work(call, picture, tmp_path, arguments, code, words):
    out = tmp_path / "figures"
    done = call("spectrum", picture, "-o", out, *arguments)
    assert (done.code, done.out) == (code, b"")
    assert words in done.err
    assert not out.exists()


def test_a_second_name_is_not_taken_for_the_folder(call, picture, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call("spectrum", picture, "other")
    assert done.code == 2
    assert not (tmp_path / "other").exists()


def test_two_pipes_are_one_too_many(call):
    assert call("spectrum", "-", "--against", "-").code == 2
