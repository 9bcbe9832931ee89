"""Remedies by name: what combines, what cannot apply, and that all of them end in files."""

from __future__ import annotations

import csv
import json
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inrcodec
from inrcodec import registry
from inrcodec.cli.main import main
from inrcodec.errors import BadOption
from inrcodec.fields import fields_table
from inrcodec.fit import EncodeOptions
from inrcodec.remedies.combined import Combined, remedies_table
from inrcodec.signal import Signal

FIELDS = [row["name"] for row in fields_table() if row["name"] not in ("grid", "mlp", "mfn", "loe")]
FIELDS += ["loe"]
REMEDIES = [entry.name for entry in registry.entries("remedies")]
QUICK = ["iga.every=8", "iga.groups=9", "iga.end=3", "fr.low=4", "fr.high=4", "fr.phases=2",
         "fresh.draws=1", "sgd.rate=10"]  # fmt: skip
# Who takes all fields, and who only some.
EVERYWHERE = {"adam", "auto", "muon", "sgd", "soap", "decay", "evos", "iga", "sec-loss"}
OF_SINES = {"siren", "spder", "finer"}
EXPECTED = {
    "winner": OF_SINES,
    "ws": OF_SINES | {"tuner"},
    "tuner": OF_SINES | {"tuner"},
    "sec": {"siren"},
    "fresh": OF_SINES | {"ffn"},
    "bn": {"gauss", "relu", "pe", "ffn", "ngp"},
    "fr": set(FIELDS) - {"wire", "bacon", "fouriernet", "gabornet", "loe"},
    "rwf": set(FIELDS) - {"bacon", "fouriernet", "gabornet", "loe"},
    "sympower": set(FIELDS) - {"bacon", "fouriernet", "gabornet", "loe"},
}


OF_PICTURES = {"fresh", "sec"}
# Pictures with every field; other kinds with those that between them take every remedy.
CASES = [("image", field) for field in FIELDS]
CASES += [
    (kind, field)
    for kind in ("audio", "video")
    for field in ("siren", "relu", "wire", "tuner", "fouriernet", "loe")
]


pytestmark = pytest.mark.usefixtures("short_fits")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kind -> a file of waves."""
    folder = tmp_path_factory.mktemp("remedies")
    paths = {k: folder / n for k, n in (("image", "a.png"), ("audio", "a.wav"), ("video", "a.y4m"))}
    t, y, x = np.mgrid[:2, :8, :12]
    film = (127 + 90 * np.sin(t + x + 2 * y)).astype(np.uint8)
    Image.fromarray(film[0]).save(paths["image"])
    with wave.open(str(paths["audio"]), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes((9000 * np.sin(np.arange(60))).astype("<i2").tobytes())
    frames = b"".join(b"FRAME\n" + f.tobytes() + 2 * f[::2, ::2].tobytes() for f in film)
    paths["video"].write_bytes(b"YUV4MPEG2 W12 H8 F25:1 Ip A1:1 C420jpeg\n" + frames)
    return paths


def held(kind: str, path: Path) -> object:
    """What a decoded file holds as much of as its original."""
    if kind == "image":
        return Image.open(path).size
    if kind == "audio":
        with wave.open(str(path)) as sound:
            return sound.getparams()[:4]
    header, _, frames = path.read_bytes().partition(b"\n")
    return header.split()[1:4], frames.count(b"FRAME"), len(frames)


@pytest.mark.parametrize(("kind", "field"), CASES)
@pytest.mark.parametrize("remedy", REMEDIES)
def test_every_remedy_encodes_with_every_field_it_fits_and_says_why_not_elsewhere(
    remedy: str,
    kind: str,
    field: str,
    inputs: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = inputs[kind]
    out, back = tmp_path / "a.inr", tmp_path / source.name
    settings = [s for s in QUICK if s.startswith(remedy + ".")]
    sizes = ["--set", "levels=2", "--set", "log2_entries=4"] if field == "ngp" else []
    command = ["encode", str(source), str(out), "--field", field, "--remedy", remedy, "-e", "1"]
    command += ["--hidden-features", "6", "--hidden-layers", "1", *sizes]
    code = main(command + [word for s in settings for word in ("--set", s)] + ["--quiet"])
    suits = kind == "image" or remedy not in OF_PICTURES
    if suits and (remedy in EVERYWHERE or field in EXPECTED[remedy]):
        assert code == 0, capsys.readouterr().err
        assert main(["verify", str(out), "--quiet"]) == 0
        assert main(["decode", str(out), str(back), "--quiet"]) == 0
        assert held(kind, back) == held(kind, source)
    else:
        assert code == 2
        assert f"the remedy {remedy} cannot apply here" in capsys.readouterr().err
        assert not out.exists()


@pytest.mark.parametrize("remedy", [r for r in REMEDIES if r not in ("auto", "sec", "soap")])
def test_what_changes_networks_is_refused_for_latents(remedy: str, picture: Signal) -> None:
    with pytest.raises(BadOption, match=f"remedy {remedy} cannot apply"):
        inrcodec.encode(picture, field="grid", remedies=[remedy], effort=1)


@pytest.mark.parametrize("remedy", ["winner", "fr"])
def test_what_changes_hidden_layers_is_refused_where_there_is_none(
    remedy: str, picture: Signal
) -> None:
    network = {"hidden_features": 6, "hidden_layers": 0}
    with pytest.raises(BadOption, match="a hidden layer|hidden layers.*add --hidden-layers"):
        inrcodec.encode(picture, field="siren", remedies=[remedy], effort=1, network=network)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("winner", "ws"), "both change the starting weights"),
        (("adam", "muon"), "both change the optimiser"),
        (("iga", "evos"), "both change the residual and the samples of a step"),
        (("iga", "bn"), "both change the residual"),
        (("fresh", "sec"), "both change the frequencies of the first layer"),
        (("fr", "winner"), "both change the starting weights"),
        (("winner", "fresh"), "both change the frequencies of the first layer"),
        (("bn", "winner"), "bn and winner cannot be combined: no field takes both"),
        (("sec", "bn"), "sec and bn cannot be combined: no field takes both"),
        (("ws", "ws"), "named twice"),
    ],
)
def test_remedies_that_contradict_each_other_are_refused_with_the_reason(names, said) -> None:
    with pytest.raises(BadOption, match=said):
        EncodeOptions(remedies=names)


@pytest.mark.parametrize(
    ("names", "settings", "said"),
    [
        (("nix",), {}, "there is no remedy 'nix'"),
        (("iga",), {"iga.nix": 1}, "there is no option iga.nix; the remedy has iga.start"),
        (("iga",), {"iga.end": 0}, r"iga.end is 0, expected a whole number, 1\.\.4096"),
        (("iga",), {"iga.end": 2.5}, "iga.end is 2.5, expected a whole number"),
        ((), {"ws.alpha": 2}, "the remedy ws was not asked for; add --remedy ws"),
    ],
)
def test_wrong_names_and_options_are_refused(names, settings, said) -> None:
    with pytest.raises(BadOption, match=said):
        Combined.of(names, settings)


def test_several_remedies_work_together(picture: Signal) -> None:
    data = inrcodec.encode(
        picture, field="siren", effort=1, lmbda=1e-3, remedies=("winner", "iga", "muon", "decay"),
        network={"iga.every": 40, "iga.groups": 12, "hidden_features": 8, "hidden_layers": 1},
    )  # fmt: skip
    assert inrcodec.decode(data).samples.shape == picture.samples.shape


def test_the_same_seed_gives_the_same_bytes(picture: Signal) -> None:
    def encoded() -> bytes:
        return inrcodec.encode(
            picture, field="siren", effort=1, seed=3, remedies=("winner", "evos", "rwf"),
            network={"hidden_features": 6, "hidden_layers": 1},
        )  # fmt: skip

    assert encoded() == encoded()


def test_the_list_says_all_there_is_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["remedies", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["remedies"]
    assert [row["name"] for row in rows] == [row["name"] for row in remedies_table()]
    for row in rows:
        assert all(row[key] for key in ("summary", "source", "cost", "combines"))
    assert [row["name"] for row in rows if row["decoder"]] == ["sympower"]


def test_the_list_says_which_remedies_are_refused_together() -> None:
    for row in remedies_table():
        refused = []
        for other in REMEDIES:
            try:
                EncodeOptions(remedies=(row["name"], other))
            except BadOption:
                refused += [other] if other != row["name"] else []
        said = {"none": set(REMEDIES) - {row["name"]}, "all others": set()}.get(row["combines"])
        if said is None:
            said = set(row["combines"].removeprefix("all but ").split(", "))
        assert set(refused) == said


def test_the_costs_that_the_list_gives_are_those_that_were_measured() -> None:
    path = Path(__file__).parents[2] / "results" / "remedies" / "cost.tsv"
    with path.open() as stream:
        measured = {r["remedy"]: float(r["ratio"]) for r in csv.DictReader(stream, delimiter="\t")}
    said = {row["name"]: row["cost"] for row in remedies_table()}
    assert set(said) - set(measured) == {"auto", "soap"}  # what is picked, and the measure of all
    for name, ratio in measured.items():
        assert float(said[name].split()[0]) == pytest.approx(ratio, rel=0.06), name
