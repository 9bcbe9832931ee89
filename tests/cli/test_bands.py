"""Bands of a BACON file: coarser outputs, for which its beginning is enough."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import inrcodec
from inrcodec.bitstream.limits import Limits
from inrcodec.inr_file import InrFile
from inrcodec.media.image import load_image

NETWORK = ("--hidden-features", "8", "--quiet", "-e", "1")


@pytest.fixture(scope="module")
def bacon(tmp_path_factory, picture) -> bytes:
    """A picture as a BACON network with three outputs."""
    from inrcodec.cli.main import main

    path = tmp_path_factory.mktemp("bacon") / "a.inr"
    assert main(["encode", str(picture), str(path), "--field", "bacon", *NETWORK]) == 0
    return path.read_bytes()


def beginning(data: bytes, band: int) -> bytes:
    """As much of a file as a band takes."""
    file = InrFile.parse(data, Limits())
    return data[: data.index(file.payload) + file.field(Limits()).prefix_bytes(band)]


def decoded(call, folder: Path, data: bytes, *options: str) -> np.ndarray:
    source, target = folder / "a.inr", folder / "a.png"
    source.write_bytes(data)
    done = call("decode", source, target, "-f", *options)
    assert done.code == 0, done.err
    return load_image(target.read_bytes()).samples


def test_every_band_is_an_output_of_the_network(call, tmp_path, bacon) -> None:
    field = InrFile.parse(bacon, Limits()).field(Limits())
    assert field.scales == 3
    shown = [decoded(call, tmp_path, bacon, "--band", str(band)) for band in range(3)]
    for band, samples in enumerate(shown):
        lower = InrFile.parse_band(bacon, Limits(), band).field(Limits())
        assert lower.config == field.at_scale(band).config
        assert np.array_equal(samples, inrcodec.decode(bacon, band=band).samples)
    assert np.array_equal(shown[2], inrcodec.decode(bacon).samples)
    assert not np.array_equal(shown[0], shown[1])


def test_a_band_of_the_whole_file_comes_without_a_warning(call, tmp_path, bacon) -> None:
    (tmp_path / "a.inr").write_bytes(bacon)
    assert "cut short" not in call("decode", tmp_path / "a.inr", "--band", "0").err


@pytest.mark.parametrize("band", [0, 1])
def test_the_beginning_of_a_file_is_enough_for_a_band_that_was_asked_for(
    call, tmp_path, bacon, band: int
) -> None:
    part = beginning(bacon, band)
    assert len(part) < len(bacon) - 20
    whole = decoded(call, tmp_path, bacon, "--band", str(band), "--scale", "2")
    assert np.array_equal(decoded(call, tmp_path, part, "--band", str(band), "--scale", "2"), whole)
    assert (
        "may be wrong without notice"
        in call("decode", tmp_path / "a.inr", "-f", "--band", str(band)).err
    )


def test_a_cut_file_is_refused_unless_a_band_is_asked_for(call, tmp_path, bacon) -> None:
    (tmp_path / "a.inr").write_bytes(beginning(bacon, 0))
    for verb, options in (("decode", ()), ("decode", ("--band", "1")), ("verify", ())):
        assert call(verb, tmp_path / "a.inr", *options).code == 4
    assert not (tmp_path / "a.png").exists()


@pytest.mark.filterwarnings("ignore:the file was cut short")
def test_no_beginning_decodes_to_anything_but_the_band(bacon) -> None:
    whole, least = inrcodec.decode(bacon, band=0).samples, len(beginning(bacon, 0))
    taken = []
    for length in range(len(bacon)):
        try:
            found = inrcodec.decode(bacon[:length], band=0)
        except inrcodec.CorruptFile:
            continue
        taken.append(length)
        assert np.array_equal(found.samples, whole)
    assert taken[0] == least
    # One that ends four bytes behind a section looks whole, with another check sum.
    assert len(bacon) - least - 1 <= len(taken)


@pytest.mark.parametrize(
    ("band", "words"), [("3", "band is 3, expected 0"), ("-1", "not a whole number")]
)
def test_a_band_that_does_not_exist_is_refused(call, tmp_path, bacon, band, words: str) -> None:
    (tmp_path / "a.inr").write_bytes(bacon)
    done = call("decode", tmp_path / "a.inr", "--band", band)
    assert done.code == 2
    assert words in done.err


def test_a_field_of_one_output_has_no_bands(call, inr) -> None:
    done = call("decode", inr, "--band", "0")
    assert done.code == 2
    assert "'grid', has one output only" in done.err


def test_damage_is_found_where_the_file_is_whole(call, tmp_path, bacon) -> None:
    damaged = bytearray(bacon)
    damaged[60] ^= 1
    (tmp_path / "a.inr").write_bytes(damaged)
    assert call("decode", tmp_path / "a.inr", "--band", "0").code == 4
