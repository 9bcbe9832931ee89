"""The conformance corpus and the specification leave nothing out."""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from conformance_corpus import load, names

from inrcodec import codec, registry
from inrcodec.bitstream.config import ranges_of, unpack_config
from inrcodec.bitstream.header import Header
from inrcodec.bitstream.limits import Limits
from inrcodec.entropy.integers import GroupCode, plan_group
from inrcodec.fields import Field
from inrcodec.fields.grid import (
    COARSE_CONTEXT,
    FEATURE_GAIN,
    SPATIAL_CONTEXT,
    GridConfig,
    groups_of,
)
from inrcodec.fields.loe import LoeConfig
from inrcodec.fields.mfn import FILTERS, MfnConfig, MfnField
from inrcodec.fields.mlp import MlpConfig, MlpField, parts_of
from inrcodec.kernels import elementary

BITSTREAMS = Path(__file__).parents[2] / "bitstreams"
SPEC = (BITSTREAMS / "SPEC.md").read_text(encoding="utf-8")
LOCKED = (BITSTREAMS / "ids.lock").read_text(encoding="ascii")
GOOD = names()


@functools.cache
def opened(name: str) -> tuple[codec.InrFile, Field]:
    parsed = codec.InrFile.parse(load(name)[0], Limits())
    return parsed, parsed.field(Limits())


GRIDS = [name for name in GOOD if opened(name)[0].header.field_id == 1]


def headers() -> list[Header]:
    return [opened(name)[0].header for name in GOOD]


def segment_configs() -> Iterator[object]:
    """The configs of all segments of all files."""
    for name in GOOD:
        parsed = opened(name)[0]
        for index in range(len(parsed.segments)):
            code = parsed.segment(index)[0].config_code
            yield unpack_config(code, parsed.family.config_class)


def test_every_option_of_grids_occurs_at_both_ends_of_its_range() -> None:
    configs = [opened(name)[1].config for name in GRIDS]
    for name, (low, high) in zip(vars(configs[0]), ranges_of(GridConfig), strict=True):
        found = {getattr(config, name) for config in configs}
        assert {low, high} <= found, name
    assert {config.taps for config in configs} == {0, 1, 2}
    assert {config.context.slope for config in configs} == {1, 2, 3}


def test_every_kind_of_header_and_section_occurs() -> None:
    pictures = [h for h in headers() if h.kind_name == "image"]
    assert {h.channels for h in pictures} == {1, 2, 3, 4}
    assert {1, 8, 12, 16} <= {h.bit_depth for h in pictures}
    assert any(h.height == 1 < h.width for h in pictures)
    assert any(h.width == 1 < h.height for h in pictures)
    assert any(h.width == h.height == 1 for h in pictures)
    types = {s.type for name in GOOD for s in opened(name)[0].sections}
    assert {1, 2, 3, 4, 128, 129, 130, 131, 200, 255} <= types


def test_every_kind_of_sound_and_video_occurs() -> None:
    sounds = [h for h in headers() if h.kind_name == "audio"]
    videos = [h for h in headers() if h.kind_name == "video"]
    assert {1, 2, 3} <= {h.channels for h in sounds}
    assert {8, 16, 24} <= {h.bit_depth for h in sounds}
    subsamplings = {"4:0:0", "4:2:0", "4:2:2", "4:4:4", "4:4:0", "4:1:1"}
    assert {h.subsampling for h in videos} == subsamplings
    assert {8, 10, 16} <= {h.bit_depth for h in videos}
    assert {h.has_ticks for h in videos} == {h.full_range for h in videos} == {False, True}
    assert any(h.pixel_aspect != 1 for h in videos)
    assert any(h.code_points != (2, 2, 2) for h in videos)
    for timed in (sounds, videos):
        assert {h.segments > 1 for h in timed} == {False, True}
    assert any(h.segments > 1 and h.has_ticks for h in videos)


def test_every_way_of_coding_an_integer_occurs() -> None:
    low_bits, escaped_weights, escaped_latents, rows = set(), 0, 0, set()
    for name in GRIDS:
        parsed, field = opened(name)
        for i, group in enumerate(groups_of(field.config)):
            code = GroupCode(parsed.payload[2 * i] >> 5, parsed.payload[2 * i + 1])
            low_bits.add(code.low_bits)
            escaped_weights += len(plan_group(field.groups()[group], code)[2])
        _, scale, _, escapes = field.latent_coder().plan(field.latents)
        rows |= set(scale.tolist())
        escaped_latents += len(escapes)
    assert low_bits == set(range(8))
    assert escaped_weights > 3
    assert escaped_latents > 100
    assert {0, 95} <= rows


def locked(kind: str) -> set[tuple[str, int]]:
    rows = re.findall(rf"^{kind} ([a-z0-9_-]+) (\d+)$", LOCKED, re.M)
    return {(name, int(id_)) for name, id_ in rows}


def registered(room: str) -> set[tuple[str, int]]:
    return {(entry.name, entry.id) for entry in registry.entries(room)}


def test_every_field_has_a_locked_id_and_a_file() -> None:
    assert registered("fields") <= locked("field")
    assert {id_ for _, id_ in registered("fields")} == {h.field_id for h in headers()}


def test_every_field_has_a_file_of_every_kind_that_it_represents() -> None:
    found = {(h.field_id, h.kind_name) for h in headers()}
    assert found == {(e.id, kind) for e in registry.entries("fields") for kind in e.part.kinds}


@pytest.mark.parametrize("room", ["activations", "encodings"])
def test_every_part_of_a_network_has_a_locked_id_and_a_file(room: str) -> None:
    kind = room.removesuffix("s")
    assert registered(room) <= locked(kind)
    used = {
        registry.of_part(room, type(getattr(config, kind))).id
        for config in segment_configs()
        if isinstance(config, MlpConfig)
    }
    assert used == {id_ for _, id_ in registered(room)}


def test_every_filter_has_a_locked_number_and_a_file() -> None:
    assert {(name, number) for number, name in enumerate(FILTERS)} <= locked("filter")
    used = {config.filters for config in segment_configs() if isinstance(config, MfnConfig)}
    assert used == set(range(len(FILTERS)))


def test_every_name_of_a_network_has_its_parts_in_a_file_of_every_kind() -> None:
    parts, filters = set(), set()
    for name in GOOD:
        parsed = opened(name)[0]
        for index in range(len(parsed.segments)):
            code = parsed.segment(index)[0].config_code
            config, kind = unpack_config(code, parsed.family.config_class), parsed.header.kind_name
            if isinstance(config, MlpConfig):
                found = (config.encoding, config.activation)
                parts |= {(type(part), kind) for part in found}
            if isinstance(config, MfnConfig):
                filters.add((config.filters, kind))
    for name in MlpField.variants():
        for kind in MlpField.kinds:
            encoding, activation = parts_of(name, kind)
            assert (registry.get("encodings", encoding).part, kind) in parts, (name, kind)
            assert (registry.get("activations", activation).part, kind) in parts, (name, kind)
    assert filters == set(itertools.product(range(len(FILTERS)), MfnField.kinds))


def test_networks_without_hidden_layers_and_with_all_of_them_occur() -> None:
    configs = list(segment_configs())
    layers = {config.hidden_layers for config in configs if isinstance(config, MlpConfig)}
    complex_ = {
        config.hidden_layers
        for config in configs
        if isinstance(config, MlpConfig) and config.activation.parts > 1
    }
    assert {0, 1, 15} <= layers
    assert {0, 1, 3} <= complex_
    experts = [config for config in configs if isinstance(config, LoeConfig)]
    assert {config.fine_to_coarse for config in experts} == {0, 1}
    assert {config.tile for config in experts} == {1, 2, 3, 4}


def test_every_combination_of_parts_fits_the_config_code() -> None:
    rooms = [registry.entries(room) for room in ("activations", "encodings")]
    for parts in itertools.product(*rooms):
        ranges = ranges_of(MlpConfig) + [r for entry in parts for r in ranges_of(entry.part)]
        assert math.prod(high - low + 1 for low, high in ranges) <= 1 << 62, parts


def test_the_worked_example_is_the_smallest_file() -> None:
    block = SPEC.split("<!-- dump of v1/smallest -->")[1].split("<!-- end of dump -->")[0]
    found = b""
    for line in block.strip().strip("`").strip().splitlines():
        offset, row = re.match(r"([0-9a-f]{2})  ((?:[0-9a-f]{2} )+)", line + " ").groups()
        assert int(offset, 16) == len(found)
        found += bytes.fromhex(row)
    assert found == load("smallest")[0]


def test_the_specification_names_the_same_ranges_and_orders_as_the_code() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (\d+)\.\.(\d+) \|", SPEC, re.M)
    expected = [
        (f.name, range_)
        for config in (GridConfig, MlpConfig, MfnConfig, LoeConfig)
        for f, range_ in zip(fields(config), ranges_of(config), strict=True)
    ]
    assert [(name, (int(low), int(high))) for name, low, high in rows] == expected
    pairs = [
        tuple((int(y), int(x)) for y, x in re.findall(r"\((-?\d),(-?\d)\)", block))
        for block in re.findall(r"(?:^    \(-?\d,-?\d\).*\n)+", SPEC, re.M)
    ]
    assert pairs == [SPATIAL_CONTEXT, COARSE_CONTEXT]
    assert f"The feature is that sum times {FEATURE_GAIN}" in SPEC


@pytest.mark.parametrize("room", ["activations", "encodings"])
def test_the_specification_names_the_same_options_of_parts_as_the_code(room: str) -> None:
    for entry in registry.entries(room):
        row = re.search(rf"^\| `{entry.name}` \| {entry.id} \| (.*)$", SPEC, re.M)
        assert row, entry.name
        found = re.findall(r"`([a-z_0-9]+)` (\d+)\.\.(\d+)", row[1])
        options = zip(fields(entry.part), ranges_of(entry.part), strict=True)
        assert [(name, (int(low), int(high))) for name, low, high in found] == [
            (f.name, range_) for f, range_ in options
        ]


def test_the_specification_has_the_same_constants_as_the_code() -> None:
    section = SPEC.split("\n## 10.")[1].split("\n## 11.")[0]
    written = {abs(float.fromhex(n)) for n in re.findall(r"-?0x[0-9a-f.]+p[+-]\d+", section)}
    used = {abs(v) for v in vars(elementary).values() if isinstance(v, float)}
    # Decimal numbers, and examples, are no part of the comparison.
    decimal = {elementary._EXP_BOUND, elementary._ROUND}
    assert written - {math.sqrt(0.5), math.sqrt(2), 3.0} == used - decimal
