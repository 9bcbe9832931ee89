"""The options of every verb, which scripts rely on, and the numbers that the help text states."""

from __future__ import annotations

import argparse
import re

import pytest

from inrcodec import __version__
from inrcodec.cli import encode
from inrcodec.cli.main import build_parser
from inrcodec.fit.presets import DEFAULT_EFFORT, DEFAULT_LMBDA, lmbda_of_quality
from inrcodec.segments import DEFAULT_SECONDS, segment_frames

COMMON = ["-h --help", "--quiet", "-v --verbose", "--json"]
OPTIONS = {
    "encode": [
        *COMMON,
        "IN",
        "OUT",
        "IN",
        "--into DIR",
        "--batch N",
        "--lmbda F",
        "-q --quality Q",
        "--target-bytes N",
        "-e --effort N",
        "--field NAME",
        "--activation NAME",
        "--encoding NAME",
        "--hidden-features N",
        "--hidden-layers N",
        "--omega-0 F",
        "--first-omega-0 F",
        "--set NAME=VALUE",
        "--remedy NAME,...",
        "--device D",
        "--engine E",
        "--seed N",
        "--segment S",
        "--fps F",
        "--strip",
        "-f --force",
        "--progress auto|bar|lines|json|none",
    ],
    "decode": [
        *COMMON,
        "IN",
        "OUT",
        "--size WxH",
        "--scale S",
        "--region X,Y,W,H",
        "--rate HZ",
        "--fps F",
        "--time T0:T1",
        "--band K",
        "--bit-depth 8|10|16|24",
        "--fast",
        "--format EXT",
        "--device D",
        "--max-pixels N",
        "--max-macs N",
        "-f --force",
    ],
    "info": [*COMMON, "FILE"],
    "verify": [*COMMON, "FILE", "--device D", "--max-pixels N", "--max-macs N"],
    "fields": COMMON,
    "remedies": COMMON,
    "metrics": [*COMMON, "A", "B"],
    "spectrum": [
        *COMMON,
        "FILE",
        "--against ORIGINAL",
        "-o --output FOLDER",
        "-f --force",
        "--field NAME",
        "--lmbda F",
        "-e --effort N",
        "--activation NAME",
        "--encoding NAME",
        "--hidden-features N",
        "--hidden-layers N",
        "--omega-0 F",
        "--first-omega-0 F",
        "--set NAME=VALUE",
        "--remedy NAME,...",
        "--device D",
        "--engine E",
        "--seed N",
    ],
    "compare": [
        *COMMON,
        "IN",
        "-o --output OUTDIR",
        "--codecs A,B",
        "--anchor A",
        "--metrics M,N",
        "--resolutions R,S",
        "--published",
        "--lmbda F",
        "-e --effort N",
        "--field NAME",
        "--remedy A,B",
        "--set NAME=VALUE",
        "--device D",
        "--engine E",
        "--seed N",
        "-j --jobs N",
        "--resume",
        "--recompute",
    ],
}


def verbs() -> dict[str, argparse.ArgumentParser]:
    actions = build_parser()._actions
    (found,) = (a for a in actions if isinstance(a, argparse._SubParsersAction))
    return found.choices


def spelled(action: argparse.Action) -> str:
    value = action.metavar or "|".join(str(choice) for choice in action.choices or ())
    return " ".join([*action.option_strings, value or ""]).strip()


def test_the_verbs_are_those_promised():
    assert list(verbs()) == list(OPTIONS)


@pytest.mark.parametrize("verb", OPTIONS)
def test_the_options_of_a_verb_are_those_promised(verb):
    assert [spelled(action) for action in verbs()[verb]._actions] == OPTIONS[verb]


@pytest.mark.parametrize("verb", OPTIONS)
def test_help_explains_every_option_and_the_exit_codes(call, verb):
    done = call(verb, "--help")
    assert (done.code, done.err) == (0, "")
    assert all(action.help for action in verbs()[verb]._actions)
    assert "130 interrupted" in done.out.decode()
    assert max(len(line) for line in done.out.decode().splitlines()) <= 100


def test_the_table_of_qualities_is_that_of_the_encoder():
    rows = re.findall(r"(?<!\S)(\d+) +(\d\.?\d+)(?!\S)", encode._EPILOG)
    assert len(rows) == 13
    for quality, lmbda in rows:
        assert float(lmbda) == pytest.approx(lmbda_of_quality(float(quality)), rel=5e-3)


def test_the_defaults_that_the_help_states_are_those_of_the_encoder():
    assert (DEFAULT_EFFORT, DEFAULT_LMBDA["image"]) == (5, 1e-3)
    texts = {action.dest: action.help for action in verbs()["encode"]._actions}
    assert texts["effort"].endswith("default 5")
    assert texts["lmbda"].endswith("(default 1e-3, of sound 3e-5)")


def test_the_lengths_of_segments_that_the_help_states_are_those_of_the_encoder():
    for kind, word in (("audio", "seconds of sound"), ("video", "of video")):
        seconds = DEFAULT_SECONDS[kind]
        assert f"{seconds} {word}" in encode._EPILOG
        longest = seconds + seconds // 2  # at most half as long again
        assert segment_frames(kind, 10, 1, 10 * longest) == 10 * longest
        assert segment_frames(kind, 10, 1, 10 * longest + 1) <= 10 * seconds
        assert segment_frames(kind, 10, 1, None) == 10 * seconds


def test_version_is_that_of_the_package(call):
    assert call("--version").out.decode() == f"inrcodec {__version__}\n"
