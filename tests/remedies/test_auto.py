"""`--remedy auto` picks what the measured table supports, says why, and else leaves fits alone."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inrcodec.cli.main import main
from inrcodec.errors import BadOption
from inrcodec.fit import EncodeOptions
from inrcodec.fit.presets import preset
from inrcodec.remedies import auto
from inrcodec.remedies.auto import Rule, choose, table
from inrcodec.signal import Signal, audio_signal, image_signal

ROOT = Path(__file__).parents[2]


def waves(width: int, height: int, cycles: float = 9.0) -> Signal:
    """A picture whose energy lies at about so many cycles."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(0).normal(0, 4, (height, width, 3))
    wave = np.cos(2 * np.pi * cycles * (0.6 * x / width + 0.8 * y / height))
    return image_signal(np.clip(127 + 90 * wave[..., None] + noise, 0, 255).astype(np.uint8))


RULES = tuple(
    Rule("image", field, "rwf", 2688, 43520, 2.5, 22.8, 1e-3, 1e-3, 160, 1500, 8, 24, 0.77, 1.01)
    for field in ("pe", "relu")
)


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if these had been measured: what is shipped may hold no rule at all."""
    monkeypatch.setattr(auto, "table", lambda: RULES)


def test_it_picks_within_what_was_measured_and_gives_the_measured_gain(rules: None) -> None:
    for rule in RULES:
        choice = choose(waves(128, 85), rule.field, (), 1e-3, 450)
        assert choice.remedies == (rule.remedy,)
        assert f"a cost of {rule.cost:.2f} of that without it" in choice.reason
        fits = f"mean of {rule.fits} fits of {rule.signals} signals, at most {rule.worst:.2f}"
        assert fits in choice.reason


@pytest.mark.parametrize(
    ("signal", "given", "lmbda", "steps", "said"),
    [
        (waves(20, 10), (), 1e-3, 450, "samples 200; rwf was measured for"),
        (waves(1500, 1000), (), 1e-3, 450, "samples 1.5e+06; rwf was measured for"),
        (waves(128, 85, 60), (), 1e-3, 450, "centroid"),
        (waves(128, 85), (), 1e-6, 450, "lmbda 1e-06; rwf was measured for"),
        (waves(128, 85), (), 1e-3, 24_000, "steps 24000; rwf was measured for"),
        (waves(128, 85), {"activation"}, 1e-3, 450, "measured without the option activation"),
    ],
)
def test_it_picks_nothing_where_nothing_was_measured(
    rules: None, signal, given, lmbda, steps, said
) -> None:
    choice = choose(signal, "pe", given, lmbda, steps)
    assert choice.remedies == ()
    assert said in choice.reason
    assert "a cost of" not in choice.reason


@pytest.mark.parametrize("field", ["grid", "siren", "gabornet"])
def test_fields_without_a_rule_are_left_alone(rules: None, field: str) -> None:
    choice = choose(waves(128, 85), field, (), 1e-3, 450)
    assert str(choice) == (
        f"remedy auto: none; {field} on an image: nothing was measured to be better than no remedy"
    )


def test_the_list_says_what_it_can_pick(rules: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert auto.Automatic.note() == "it can pick: rwf for pe on an image, rwf for relu on an image"
    monkeypatch.setattr(auto, "table", lambda: ())
    assert auto.Automatic.note() == "it can pick: none, as none was better on every signal"


def test_kinds_without_a_rule_are_left_alone(rules: None) -> None:
    assert choose(audio_signal(np.zeros((900, 1)), 900), "pe", (), 3e-5, 450).remedies == ()


def test_sines_for_sounds_of_high_centroid_begin_as_winner_has_them() -> None:
    """By the rules that are shipped."""
    noise = np.random.default_rng(0).normal(0, 0.1, (32_000, 1))
    high = choose(audio_signal(np.diff(noise, axis=0), 32_000), "siren", (), 3e-5, 450)
    assert high.remedies == ("winner",)
    assert "siren on a sound" in high.reason and "a cost of 0." in high.reason
    low = choose(audio_signal(np.cumsum(noise, axis=0) / 100, 32_000), "siren", (), 3e-5, 450)
    assert low.remedies == ()
    assert "winner was measured for 0.5 to" in low.reason


def test_it_goes_with_no_other_remedy() -> None:
    with pytest.raises(BadOption, match="auto and rwf cannot be combined: both change the param"):
        EncodeOptions(field="pe", remedies=("auto", "rwf"))


@pytest.fixture(scope="module")
def png(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("auto") / "in.png"
    Image.fromarray(waves(64, 48).samples.astype(np.uint8)).save(path)
    return path


def encoded(png: Path, out: Path, field: str, *more: str) -> bytes:
    command = ["encode", str(png), str(out), "--field", field, "-e", "1", "--hidden-features", "6"]
    assert main([*command, "--hidden-layers", "1", "-f", *more]) == 0
    return out.read_bytes()


@pytest.mark.parametrize("field", ["relu", "siren", "grid"])
def test_files_are_those_of_what_it_picks_and_it_says_so(
    rules: None, field: str, png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if field == "grid":
        command = ["encode", str(png), str(tmp_path / "a.inr"), "-e", "1", "--remedy", "auto"]
        assert main(command) == 0
        assert "remedy auto: none; grid on an image" in capsys.readouterr().err
        return
    automatic = encoded(png, tmp_path / "a.inr", field, "--remedy", "auto", "--json")
    shown = capsys.readouterr()
    (told,) = json.loads(shown.out)["auto"]
    picked = ["rwf"] if field == "relu" else []
    assert told["remedies"] == picked
    assert f"{png}: remedy auto: {','.join(picked) or 'none'}; {told['reason']}" in shown.err
    more = ("--remedy", ",".join(picked)) if picked else ()
    assert encoded(png, tmp_path / "b.inr", field, *more, "--quiet") == automatic


def test_spectrum_says_what_was_picked(
    rules: None, png: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["spectrum", str(png), "--field", "relu", "--remedy", "auto", "-e", "1", "--json"]
    assert main([*command, "--hidden-features", "6", "--hidden-layers", "1"]) == 0
    shown = capsys.readouterr()
    fit = json.loads(shown.out)["fit"]
    assert fit["remedies"] == fit["auto"]["remedies"] == ["rwf"]
    assert fit["auto"]["reason"] in shown.err


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    monkeypatch.delitem(sys.modules, "auto_rules", raising=False)


@pytest.mark.parametrize(
    ("kind", "name", "calibrated", "at"),
    [
        ("image", "auto.tsv", ("kodim03", "kodim05", "kodim13", "kodim20"),
         ("10880", "0.001", "450")),
        ("audio", "auto_sound.tsv", ("relay", "tetris"), (None, "3e-05", "450")),
    ],
)  # fmt: skip
def test_the_rules_that_are_shipped_are_those_that_the_measurements_give(
    tools: None, kind: str, name: str, calibrated: tuple[str, ...], at: tuple
) -> None:
    from auto_rules import rules_of

    with (ROOT / "results" / "remedies" / name).open() as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    rules, _ = rules_of(rows, kind, calibrated, at, lambda *_: 0.0)
    mine = [rule for rule in table() if rule.kind == kind]
    assert [(r.field, r.remedy) for r in rules] == [(r.field, r.remedy) for r in mine]
    for ours, shipped in zip(rules, mine, strict=True):
        assert ours.cost == pytest.approx(shipped.cost, rel=1e-4)
        assert ours.fits == shipped.fits


def test_a_remedy_needs_every_calibration_signal_and_all_checks(tools: None) -> None:
    from auto_rules import rules_of

    def rows(settings: str, costs: dict[str, float], **changed: str) -> list[dict[str, str]]:
        same = {"field": "pe", "pixels": "99", "lmbda": "1", "steps": "7", "seed": "0"} | changed
        return [
            same | {"settings": settings, "image": image, "cost": str(cost)}
            for image, cost in costs.items()
        ]

    plain = rows("", dict.fromkeys("abc", 1.0))
    better = rows("remedy=x", {"a": 0.9, "b": 0.8, "c": 0.95})

    def picked(*more: list[dict[str, str]]) -> list[str]:
        every = plain + [row for part in more for row in part]
        return [r.remedy for r in rules_of(every, "image", "ab", ("99", "1", "7"), lambda *_: 0)[0]]

    assert picked(better) == ["x"]
    assert picked(better, rows("remedy=y", {"a": 0.7, "b": 0.9, "c": 0.9})) == ["y"]
    assert picked(better, rows("remedy=y", {"a": 0.2, "b": 1.1, "c": 0.2})) == ["x"]
    assert picked(rows("remedy=x", {"a": 0.9, "b": 0.8})) == []  # nothing to check it by
    assert picked(rows("remedy=x", {"a": 0.9, "b": 0.8, "c": 1.05})) == []
    assert picked(rows("remedy=x", {"a": 0.9, "c": 0.9})) == []


def test_a_rule_reaches_as_far_as_it_holds(tools: None) -> None:
    from auto_rules import rules_of

    def rows(steps: int, costs: dict[str, float]) -> list[dict[str, str]]:
        same = {"field": "pe", "pixels": "99", "lmbda": "1", "seed": "0", "steps": str(steps)}
        return [
            same | {"settings": settings, "image": image, "cost": str(cost)}
            for image, ratio in costs.items()
            for settings, cost in (("", 2.0), ("remedy=x", 2.0 * ratio))
        ]

    def found(*more: list[dict[str, str]]) -> list[tuple[int, int, int]]:
        every = rows(7, {"a": 0.9, "b": 0.8, "c": 0.95}) + [row for part in more for row in part]
        rules, _ = rules_of(every, "image", "ab", ("99", "1", "7"), lambda *_: 0)
        return [(rule.least_steps, rule.most_steps, rule.fits) for rule in rules]

    assert found() == [(7, 7, 3)]
    assert found(rows(70, {"a": 0.9, "b": 0.9})) == [(7, 70, 5)]
    assert found(rows(70, {"a": 0.9})) == [(7, 7, 3)]  # of one signal
    assert found(rows(70, {"a": 1.0, "b": 1.0})) == [(7, 7, 3)]
    assert found(rows(70, {"a": 0.5, "b": 1.1})) == [(7, 7, 3)]
    # Not in between: the range with more fits counts.
    assert found(rows(30, {"a": 1.1}), rows(70, {"a": 0.9, "b": 0.9})) == [(7, 7, 3)]


def test_the_steps_that_rules_go_by_are_those_of_efforts() -> None:
    assert [preset(effort).steps for effort in (1, 3, 5)] == [160, 450, 1500]
