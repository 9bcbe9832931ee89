"""Configs as one integer of the header: all values come back, and unknown parts are named."""

from __future__ import annotations

from dataclasses import dataclass, fields
from dataclasses import field as attribute
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inrcodec import registry
from inrcodec.activations.finer import Finer
from inrcodec.activations.sine import Sine
from inrcodec.bitstream.config import named_values, pack_config, ranges_of, unpack_config
from inrcodec.bitstream.header_values import MAX_CONFIG_CODE
from inrcodec.encodings.hash import Hash
from inrcodec.encodings.identity import Identity
from inrcodec.errors import BadOption, CorruptFile, UnsupportedFile
from inrcodec.fields.mlp import MlpConfig

FAMILIES = {entry.name: entry.part.config_class for entry in registry.entries("fields")}


def configs(config_class: type) -> st.SearchStrategy[Any]:
    """Any config of a class, parts and their options included."""
    values = {}
    for f in fields(config_class):
        if "room" in f.metadata:
            parts = [entry.part for entry in registry.entries(f.metadata["room"])]
            values[f.name] = st.one_of([configs(part) for part in parts])
        else:
            values[f.name] = st.integers(*f.metadata["range"])
    return st.builds(config_class, **values)


def extreme(config_class: type, which: int) -> list[Any]:
    """Configs of only lowest (0) or highest (1) values, one for every combination of parts."""
    found = [{}]
    for f in fields(config_class):
        if "room" in f.metadata:
            parts = [entry.part for entry in registry.entries(f.metadata["room"])]
            choices = [part for p in parts for part in extreme(p, which)]
        else:
            choices = [f.metadata["range"][which]]
        found = [chosen | {f.name: choice} for chosen in found for choice in choices]
    return [config_class(**chosen) for chosen in found]


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_pack_and_unpack_are_inverse(name: str, data: st.DataObject) -> None:
    config = data.draw(configs(FAMILIES[name]))
    code = pack_config(config)
    assert 0 <= code <= MAX_CONFIG_CODE
    assert unpack_config(code, FAMILIES[name]) == config


@pytest.mark.parametrize("name", FAMILIES)
def test_every_config_fits_the_header(name: str) -> None:
    for which in (0, 1):
        for config in extreme(FAMILIES[name], which):
            assert pack_config(config) <= MAX_CONFIG_CODE
            assert unpack_config(pack_config(config), FAMILIES[name]) == config


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(code=st.integers(0, MAX_CONFIG_CODE))
def test_any_integer_is_one_config_or_refused(name: str, code: int) -> None:
    try:
        config = unpack_config(code, FAMILIES[name])
    except (CorruptFile, UnsupportedFile):
        return
    assert pack_config(config) == code


def test_codes_are_frozen() -> None:
    """The mixed-radix number of the config's own values, then of its parts' options."""
    base = (1, 1, 28 - 1, 3)  # activation, encoding, hidden_features, hidden_layers
    code = base[0] + 32 * (base[1] + 32 * (base[2] + 1024 * base[3]))
    assert pack_config(MlpConfig(Sine(), Identity(), 28, 3)) == code
    own = 6 + 32 * (5 + 32 * (27 + 1024 * 3))
    tables = 7 + 16 * (1 + 8 * (10 + 19 * (15 + 64 * 32)))
    config = MlpConfig(Finer(30), Hash(8, 2, 12, 16, 96), 28, 3)
    assert pack_config(config) == own + 32 * 32 * 1024 * 16 * (29 + 1023 * tables)


def test_ranges_are_the_declared_ones() -> None:
    assert ranges_of(MlpConfig) == [(0, 31), (0, 31), (1, 1024), (0, 15)]
    assert ranges_of(Finer) == [(1, 1023)]


@pytest.mark.parametrize(("position", "what"), [(0, "activation"), (1, "encoding")])
def test_an_unknown_part_needs_a_newer_version(position: int, what: str) -> None:
    for id_ in (0, 31):
        ids = [1, 1]
        ids[position] = id_
        with pytest.raises(UnsupportedFile, match=f"{what} id {id_}"):
            unpack_config(ids[0] + 32 * ids[1], MlpConfig)


def test_a_code_beyond_all_options_is_corruption() -> None:
    with pytest.raises(CorruptFile, match="config_code"):
        unpack_config(1 + 32 + 32 * 32 * 1024 * 16, MlpConfig)


def test_values_out_of_range_and_foreign_parts_are_not_packed() -> None:
    for config in (
        MlpConfig(Sine(), Identity(), 1025, 3),
        MlpConfig(Sine(), Identity(), 28, 16),
        MlpConfig(Finer(0), Identity(), 28, 3),
    ):
        with pytest.raises(BadOption, match="expected"):
            pack_config(config)

    @dataclass(frozen=True)
    class Foreign(Identity):
        rows: int = attribute(default=1, metadata={"range": (1, 2)})

    with pytest.raises(KeyError):
        pack_config(MlpConfig(Sine(), Foreign(), 28, 3))


def test_values_are_shown_by_name() -> None:
    assert named_values(MlpConfig(Finer(20), Identity(), 28, 3)) == {
        "activation": "finer",
        "omega_0": 20,
        "encoding": "identity",
        "hidden_features": 28,
        "hidden_layers": 3,
    }
