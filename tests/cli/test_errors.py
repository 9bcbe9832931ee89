"""Everything that can be wrong has its own message and exit code, and leaves no output behind."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inrcodec
from inrcodec.bitstream.container import HEADER, MAGIC, Section, read_container, write_container
from inrcodec.bitstream.header import pack_header, parse_header
from inrcodec.bitstream.limits import Limits


def png(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(samples).save(file, "PNG")
    return file.getvalue()


def size_bomb(encoded: bytes) -> bytes:
    """A valid container whose header orders a picture of 10**12 pixels."""
    sections = []
    for section in read_container(encoded, Limits()):
        if section.type == HEADER:
            header = replace(parse_header(section.payload, Limits()), width=10**6, height=10**6)
            section = Section(HEADER, pack_header(header))
        sections.append(section)
    return write_container(sections)


def nan_tiff() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((4, 4), np.nan, np.float32)).save(file, "TIFF")
    return file.getvalue()


BAD_PICTURES: dict[str, tuple[Callable[[np.ndarray], bytes], str]] = {
    "empty.png": (lambda _: b"", "empty"),
    "text.png": (lambda _: b"not a picture, just words\n", "found text"),
    "cut.png": (lambda samples: png(samples)[:-40], "truncated"),
    "nan.tif": (lambda _: nan_tiff(), "float"),
    "noise.xyz": (lambda _: b"\x80\x81\0\0" * 9, "begins with 80 81"),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_what_is_no_picture_is_refused(call, tmp_path, samples, quick, name):
    make, words = BAD_PICTURES[name]
    source, out = tmp_path / name, tmp_path / "out.inr"
    source.write_bytes(make(samples))
    done = call("encode", source, out, *quick)
    assert done.code == 3
    assert words in done.err
    assert name in done.err
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("verb", ["encode", "decode", "info", "verify"])
def test_missing_files_and_folders_are_named(call, tmp_path, verb):
    outputs = [tmp_path / "out.inr"] if verb == "encode" else []
    outputs = [tmp_path / "out.png"] if verb == "decode" else outputs
    for source, words in ((tmp_path / "none", "there is no file"), (tmp_path, "is a folder")):
        done = call(verb, source, *outputs)
        assert done.code == 3
        assert words in done.err
    assert list(tmp_path.iterdir()) == []


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


BAD_FILES: dict[str, tuple[Callable[[bytes], bytes], int, str]] = {
    "empty": (lambda _: b"", 3, "is empty"),
    "wrong magic": (lambda data: b"RIFF" + data[4:], 4, "it is not an .inr file"),
    "cut in the magic": (lambda data: data[:5], 4, "ends after 5 of the 8 bytes"),
    "cut in the payload": (lambda data: data[:-30], 4, "cut short"),
    "one bit flipped": (flip, 4, "CRC-32"),
    "bytes appended": (lambda data: data + b"tail", 4, ""),
    "newer version": (lambda data: MAGIC + b"\x02" + data[9:], 6, "newer inrcodec"),
    "size bomb": (size_bomb, 5, "1000000 x 1000000"),
}


@pytest.mark.parametrize("verb", ["decode", "info", "verify"])
@pytest.mark.parametrize("name", BAD_FILES)
def test_damaged_files_are_refused(call, tmp_path, encoded, name, verb):
    damage, code, words = BAD_FILES[name]
    source = tmp_path / "in.inr"
    source.write_bytes(damage(encoded))
    done = call(verb, source, *([tmp_path / "out.png"] if verb == "decode" else []))
    assert done.code == code
    assert words in done.err
    assert done.out == b""
    assert [path.name for path in tmp_path.iterdir()] == ["in.inr"]


def test_every_failure_has_its_own_message(call, tmp_path, encoded):
    source = tmp_path / "in.inr"
    messages = set()
    for damage, _, _ in BAD_FILES.values():
        source.write_bytes(damage(encoded))
        done = call("info", source)
        assert done.err.startswith("inrcodec: error: ")
        assert done.err.count("\n") == 1
        messages.add(done.err)
    assert len(messages) == len(BAD_FILES)


def test_a_forged_decode_hash_fails_verify_only(call, tmp_path, encoded):
    sections = read_container(encoded, Limits())
    sections[2] = Section(sections[2].type, bytes(8))
    source = tmp_path / "in.inr"
    source.write_bytes(write_container(sections))
    assert call("decode", source, tmp_path / "out.png").code == 0
    done = call("verify", source)
    assert done.code == 4
    assert "hash" in done.err


def test_arrays_with_nan_are_refused():
    with pytest.raises(inrcodec.BadInput, match="NaN") as caught:
        inrcodec.encode(np.full((4, 4), np.nan))
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("encode", "in.png", "out.png"), "did IN and OUT change places"),
        (("encode", "in.png", "out"), "no extension"),
        (("encode", "in.png", "out.inr", "-e", "10"), "effort is 10"),
        (("encode", "in.png", "out.inr", "-q", "101"), "quality is 101"),
        (("encode", "in.png", "out.inr", "-q", "nan"), "quality is nan"),
        (("encode", "in.png", "out.inr", "--lmbda", "0"), "lmbda is 0"),
        (("encode", "in.png", "out.inr", "--lmbda", "1e-3", "-q", "5"), "not allowed with"),
        (("encode", "in.png", "out.inr", "--target-bytes", "9", "-q", "5"), "not allowed with"),
        (("encode", "in.png", "out.inr", "--target-bytes", "1.5"), "not a whole number from 1"),
        (("encode", "in.png", "out.inr", "--field", "nerf"), "there are: grid"),
        (("encode", "in.png", "out.inr", "--device", "abacus"), "device is 'abacus'"),
        (("encode", "in.png", "out.inr", "--engine", "steam"), "engine is 'steam'"),
        (("encode", "in.png", "out.inr", "--seed", "-1"), "seed is -1"),
        (("encode", "in.png", "-", "--json"), "both write to standard output"),
        (("encode", "in.png", "out.inr", "--quiet", "-v"), "not allowed with"),
        (("encode", "-"), "standard input has no name"),
        (("encode", "in.inr"), "already ends in .inr"),
        (("encode", "in.png", "out.inr", "more.inr"), "3 files were given; name the folder"),
        (("decode", "in.inr", "out.xyz"), "'.xyz', expected one of .png"),
        (("decode", "in.inr", "out"), "no extension"),
        (("decode", "in.inr", "out.gif"), "'.gif', expected one of .png"),
        (("decode", "in.inr", "out.png", "--size", "10"), "not WxH"),
        (("decode", "in.inr", "out.png", "--size", "0x3"), "is empty"),
        (("decode", "in.inr", "out.png", "--size", "3x3", "--scale", "2"), "not allowed with"),
        (("decode", "in.inr", "out.png", "--scale", "0"), "not a number from"),
        (("decode", "in.inr", "out.png", "--scale", "nan"), "not a number from"),
        (("decode", "in.inr", "out.png", "--scale", "1/0"), "not a number from"),
        (("decode", "in.inr", "out.png", "--region", "1,2,3"), "not X,Y,W,H"),
        (("decode", "in.inr", "out.png", "--region", "0,0,inf,1"), "not X,Y,W,H"),
        (("decode", "in.inr", "out.png", "--region", "20,0,5,5"), "does not lie inside"),
        (("decode", "in.inr", "out.png", "--bit-depth", "12"), "invalid choice"),
        (("decode", "in.inr", "out.png", "--max-pixels", "0"), "not a whole number"),
        (("decode", "in.inr", "out.jpg", "--bit-depth", "16"), ".jpg holds 8 bits"),
        (("info", "in.inr", "out.png"), "unrecognized arguments"),
        (("--unknown",), "required: VERB"),
        ((), "required: VERB"),
    ],
)
def test_wrong_options_end_with_code_2(
    call, picture, encoded, tmp_path, monkeypatch, arguments, words
):
    (tmp_path / "in.png").write_bytes(picture.read_bytes())
    (tmp_path / "in.inr").write_bytes(encoded)
    monkeypatch.chdir(tmp_path)
    done = call(*arguments)
    assert done.code == 2
    assert words in done.err
    assert done.out == b""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.inr", "in.png"]


def test_an_output_that_exists_is_kept_unless_forced(call, picture, inr, quick):
    for verb, source, out, options in (
        ("encode", picture, inr.parent / "old.inr", quick),
        ("decode", inr, inr.parent / "old.png", ()),
    ):
        out.write_bytes(b"precious")
        done = call(verb, source, out, *options)
        assert done.code == 7
        assert "use -f to replace it" in done.err
        assert out.read_bytes() == b"precious"
        assert call(verb, source, out, *options, "-f").code == 0
        assert out.read_bytes() != b"precious"


def test_an_output_is_refused_before_the_work_starts(call, tmp_path, quick):
    source = tmp_path / "no picture.png"
    source.write_bytes(b"this would be the first complaint of an encoder that reads it")
    (tmp_path / "old.inr").write_bytes(b"precious")
    for out, words in (
        (tmp_path / "old.inr", "use -f"),
        (tmp_path / "no folder" / "a.inr", "there is no folder"),
    ):
        done = call("encode", source, out, *quick, "-e", "9")
        assert done.code == 7
        assert words in done.err


def test_an_output_never_replaces_its_input(call, inr, encoded):
    picture = inr.with_suffix(".png")
    picture.symlink_to(inr)
    done = call("decode", inr, picture, "-f")
    assert done.code == 7
    assert "is the input" in done.err
    assert inr.read_bytes() == encoded


def test_max_pixels_bounds_file_and_output(call, inr):
    out = inr.with_suffix(".png")
    assert call("decode", inr, out, "--max-pixels", 24 * 16).code == 0
    for options in (("--max-pixels", 24 * 16 - 1), ("--max-pixels", 24 * 16, "--scale", "1.1")):
        done = call("decode", inr, out, "-f", *options)
        assert done.code == 5
        assert "--max-pixels" in done.err


def test_json_tells_of_failures_too(call, tmp_path):
    done = call("info", tmp_path / "none", "--json")
    failure = json.loads(done.out)
    assert failure.keys() == {"error", "message", "exit_code"}
    assert (failure["error"], failure["exit_code"], done.code) == ("BadInput", 3, 3)
    assert failure["message"] in done.err


def test_json_never_gets_into_a_piped_picture(call, inr):
    done = call("decode", inr, "-", "--json")
    assert (done.code, done.out) == (2, b"")


def test_a_message_cannot_drive_the_terminal(call, tmp_path: Path):
    source = tmp_path / "\x1b[2J\nfake.png"
    source.write_bytes(b"words")
    done = call("encode", source, tmp_path / "out.inr")
    assert done.code == 3
    assert "\x1b" not in done.err
    assert done.err.count("\n") == 1


def test_an_unexpected_error_is_one_line_and_v_shows_the_traceback(call, inr, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the abacus fell over")

    monkeypatch.setattr("inrcodec.inr_file.InrFile.stretches", broken)
    done = call("decode", inr)
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "RuntimeError: the abacus fell over; run again with -v" in done.err
    assert "Traceback" in call("decode", inr, "-v").err
    assert [path.name for path in inr.parent.iterdir()] == [inr.name]
