"""`inrcodec fields`, and every name in it through encode, verify and decode."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

import inrcodec
from inrcodec.fields import family_of, fields_table
from inrcodec.fit import EncodeOptions
from inrcodec.fit.presets import TIERS
from inrcodec.media.audio import load_audio, save_audio
from inrcodec.media.image import load_image, save_image
from inrcodec.media.video import load_video, save_video
from inrcodec.signal import (
    AudioSignal,
    VideoSignal,
    audio_signal,
    image_signal,
    video_signal,
)

ROWS = {row["name"]: row for row in fields_table()}
NETWORKS = [name for name, row in ROWS.items() if row["family"] != "grid"]
QUICK = ("-e", "1", "--quiet", "--hidden-features", "8", "--hidden-layers", "2")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A picture of 20x12, 0.02 s of a low tone and a film of 3 frames, as files."""
    folder = tmp_path_factory.mktemp("media")
    y, x = np.mgrid[:12, :20]
    rgb = np.stack([x * 12, y * 20, 120 + 100 * np.sin(x / 3)], -1).astype(np.uint8)
    tone = 0.4 * np.sin(np.arange(320)[:, None] / 20)
    film = np.stack([np.roll(rgb, shift, axis=1) for shift in range(3)])
    contents = {
        "picture.png": save_image(image_signal(rgb), ".png"),
        "tone.wav": save_audio(audio_signal(tone, 16_000, 16), ".wav"),
        "film.mkv": save_video(video_signal(film, 25, subsampling="4:2:0"), ".mkv"),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return {name: folder / name for name in contents}


def test_it_lists_every_field_with_what_it_costs(call) -> None:
    listed = json.loads(call("fields", "--json").out)["fields"]
    assert [row["name"] for row in listed] == list(ROWS)
    assert len(set(ROWS)) == len(listed)
    text = call("fields").out.decode()
    for row in listed:
        assert f"{row['name']:11s} {row['summary']}" in text
        assert row["source"] in text
        assert f"options: {', '.join(row['options']) or 'none'}\n" in text
        assert row["parameters"] > 100
        assert row["macs_per_sample"] > 100


def test_the_options_listed_are_those_that_a_field_takes() -> None:
    y, x = np.mgrid[:12, :20]
    picture = image_signal((x * 12 + y).astype(np.uint8))
    size = {"hidden_features": 8, "hidden_layers": 2}
    known = {name for row in ROWS.values() for name in row["options"]}
    for name in NETWORKS:
        row, entry = ROWS[name], family_of(name)
        start_of = importlib.import_module(entry.part.fit_module).start_of
        shown = row["config"] | {"omega_0": 30, "first_omega_0": 30, "input_scale": 9}
        for option in known:
            options = EncodeOptions(field=name, network=size | {option: shown.get(option, 1)})
            if option in row["options"]:
                start_of(picture, options)
            else:
                with pytest.raises(inrcodec.BadOption, match=f"no option {option}"):
                    start_of(picture, options)
    assert ROWS["grid"]["options"] == ["first_level"]
    with pytest.raises(inrcodec.BadOption, match="grid has no option taps; it has first_level"):
        inrcodec.encode(np.zeros((4, 4), np.uint8), network={"taps": 1})


def test_the_grid_shown_is_one_that_encodes_choose() -> None:
    assert family_of("grid").part.variants()["grid"].config in TIERS.values()


def test_the_issue_names_are_all_there() -> None:
    wanted = {
        "grid", "siren", "spder", "finer", "wire", "gauss", "relu", "pe", "ffn", "tuner", "ngp",
        "loe", "bacon", "fouriernet", "gabornet",
    }  # fmt: skip
    assert wanted <= set(ROWS)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_carries_a_picture(call, tmp_path, media, name: str) -> None:
    out, back = tmp_path / "p.inr", tmp_path / "p.png"
    found = call("encode", media["picture.png"], out, "--field", name, *QUICK)
    assert found.code == 0, found.err
    assert inrcodec.info(out)["field"] == ROWS[name]["family"]
    assert call("verify", out, "--quiet").code == 0
    assert call("decode", out, back, "--quiet").code == 0
    original, decoded = (
        load_image(p.read_bytes(), p.name).samples.astype(float)
        for p in (media["picture.png"], back)
    )
    mean = original.mean(axis=(0, 1))
    # Better than the mean colour: it has learned something.
    assert ((decoded - original) ** 2).mean() < 0.9 * ((original - mean) ** 2).mean()
    assert call("decode", out, tmp_path / "big.png", "--scale", "2.5", "--quiet").code == 0
    assert load_image((tmp_path / "big.png").read_bytes(), "big.png").samples.shape[:2] == (30, 50)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("source", ["tone.wav", "film.mkv"])
def test_every_network_carries_sound_and_video(call, tmp_path, media, source, name: str) -> None:
    out = tmp_path / "t.inr"
    found = call("encode", media[source], out, "--field", name, *QUICK, "-q", "60")
    assert found.code == 0, found.err
    assert call("verify", out, "--quiet").code == 0
    sound = source == "tone.wav"
    original = planes_of(load_audio(media[source]) if sound else load_video(media[source]))
    pairs = list(zip(original, planes_of(inrcodec.decode(out)), strict=True))
    error = sum(np.square(found - plane).sum() for plane, found in pairs)
    # Better than silence, or than the mean colour: it has learned something.
    assert error < 0.9 * sum(np.square(plane - plane.mean()).sum() for plane, _ in pairs)
    faster = ("--rate", "24000") if sound else ("--fps", "50")
    back = tmp_path / ("t.wav" if sound else "t.mkv")
    assert call("decode", out, back, *faster, "--quiet").code == 0
    assert (load_audio(back) if sound else load_video(back)).frames == (480 if sound else 6)


def planes_of(signal: AudioSignal | VideoSignal) -> list[np.ndarray]:
    planes = signal.planes if signal.kind == "video" else (signal.samples,)
    return [plane.astype(np.float64) for plane in planes]


def test_options_shape_the_network(call, tmp_path, media) -> None:
    out = tmp_path / "p.inr"
    flags = ("--field", "pe", "--activation", "sine", "--set", "bands=3", "--omega-0", "10")
    assert call("encode", media["picture.png"], out, *flags, *QUICK).code == 0
    config = inrcodec.info(out)["config"]
    assert config["activation"] == "sine"
    assert config["encoding"] == "positional"
    assert (config["bands"], config["hidden_features"], config["hidden_layers"]) == (3, 8, 2)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--field", "sirene"), "there is no field 'sirene'; there are: grid"),
        (("--field", "siren", "--set", "bands=3"), "siren has no option bands"),
        (("--field", "pe", "--set", "bands=99"), "bands is 99, expected a whole number, 1..24"),
        (("--field", "pe", "--set", "bands=1.5"), "bands is 1.5, expected"),
        (
            ("--field", "siren", "--omega-0", "-3"),
            "omega_0 is -3.0, expected more than 0",
        ),
        (("--field", "siren", "--omega-0", "nan"), "omega_0 is nan"),
        (("--field", "siren", "--activation", "tan"), "there is no activation 'tan'; there are:"),
        (("--field", "siren", "--encoding", "none"), "there is no encoding 'none'; there are:"),
        (("--field", "siren", "--hidden-features", "5000"), "hidden_features is 5000, expected"),
        (("--field", "siren", "--hidden-layers", "99"), "hidden_layers is 99, expected"),
        (
            ("--hidden-layers", "2"),
            "the field grid has no option hidden_layers; it has first_level",
        ),
        (("--set", "=3"), "is not NAME=NUMBER"),
        (("--set", "bands=many"), "is not NAME=NUMBER"),
    ],
)
def test_wrong_options_are_named_and_nothing_is_left(
    call, tmp_path, media, flags, message: str
) -> None:
    out = tmp_path / "p.inr"
    found = call("encode", media["picture.png"], out, *flags, "-e", "1", "--quiet")
    assert found.code == 2
    assert message in found.err
    assert list(tmp_path.iterdir()) == []


def test_a_picture_field_refuses_sound_and_names_those_that_fit(call, tmp_path, media) -> None:
    found = call("encode", media["tone.wav"], tmp_path / "t.inr", "--field", "grid")
    assert found.code == 2
    assert "siren" in found.err
    assert list(tmp_path.iterdir()) == []
