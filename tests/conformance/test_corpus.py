"""Files of the first release decode to the same samples forever, by two decoders."""

import functools
import hashlib
import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest

from inrcodec import codec, registry
from inrcodec.bitstream.config import ranges_of, unpack_config
from inrcodec.bitstream.limits import Limits
from inrcodec.entropy.integers import GroupCode, plan_group
from inrcodec.errors import InrError
from inrcodec.fields.grid import (
    COARSE_CONTEXT,
    FEATURE_GAIN,
    SPATIAL_CONTEXT,
    GridConfig,
    GridField,
    groups_of,
)

BITSTREAMS = Path(__file__).parents[2] / "bitstreams"
GOOD = sorted(p.parent.name for p in (BITSTREAMS / "v1").glob("*/case.inr"))
FAULTY = sorted(p.parent.name for p in (BITSTREAMS / "v1" / "faulty").glob("*/case.inr"))
SPEC = (BITSTREAMS / "SPEC.md").read_text(encoding="utf-8")

_MODULE = importlib.util.spec_from_file_location(
    "reference_decoder", BITSTREAMS.parent / "tools" / "reference_decoder.py"
)
reference = importlib.util.module_from_spec(_MODULE)
_MODULE.loader.exec_module(reference)


def load(name: str) -> tuple[bytes, dict]:
    folder = BITSTREAMS / "v1" / name
    return (folder / "case.inr").read_bytes(), json.loads((folder / "case.json").read_text())


# Corrupt, and in a part that the second decoder looks at.
REFUSED_BY_BOTH = [
    name
    for name in FAULTY
    if load(f"faulty/{name}")[1]["error"] == "CorruptFile"
    and name not in {"wrong_decode_hash", "short_decode_hash", "second_header", "overlong_varint"}
]


@functools.cache
def opened(name: str) -> tuple[codec.InrFile, GridField]:
    parsed = codec.InrFile.parse(load(name)[0], Limits())
    return parsed, parsed.field(Limits())


def sha256(samples: np.ndarray) -> str:
    little = samples.astype(samples.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(little.tobytes()).hexdigest()


def test_the_corpus_is_complete_and_small() -> None:
    assert len(GOOD) >= 33
    assert len(FAULTY) >= 35
    sizes = [len(load(name)[0]) for name in GOOD]
    assert max(sizes) < 20_000
    assert np.median(sizes) < 3000


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_decodes_to_its_samples(name: str) -> None:
    data, expected = load(name)
    assert hashlib.sha256(data).hexdigest() == expected["sha256"]
    native = codec.verify(data)
    assert list(native.samples.shape) == expected["shape"]
    assert native.samples.dtype.name == expected["dtype"]
    assert native.bit_depth == expected["bit_depth"]
    hashes = {
        scale: sha256(codec.decode(data, scale=None if scale == "native" else float(scale)).samples)
        for scale in expected["samples_sha256"]
    }
    assert hashes == expected["samples_sha256"]
    assert set(hashes) == {"native", "1.37", "2"}


@pytest.mark.parametrize("name", GOOD)
def test_the_second_decoder_gives_the_same_samples(name: str) -> None:
    data, expected = load(name)
    samples = reference.decode(data)
    assert samples.dtype.name == expected["dtype"]
    assert list(samples.shape) == expected["shape"]
    assert sha256(samples) == expected["samples_sha256"]["native"]


@pytest.mark.parametrize("name", ["odd_size", "rgb_16_bit", "one_tap", "no_taps", "fitted_rgb"])
def test_the_second_decoder_gives_the_same_samples_at_another_size(name: str) -> None:
    data, expected = load(name)
    size = tuple(round(n * 1.37) for n in expected["shape"][:2])
    assert sha256(reference.decode(data, size)) == expected["samples_sha256"]["1.37"]


@pytest.mark.parametrize("name", ["odd_size", "rgb_16_bit", "one_tap", "no_taps", "one_row"])
@pytest.mark.parametrize("scale", [0.5, 0.3])
def test_the_second_decoder_gives_the_same_means_at_a_smaller_size(name: str, scale: float) -> None:
    data = load(name)[0]
    samples = codec.decode(data, scale=scale).samples
    assert np.array_equal(reference.decode(data, samples.shape[:2]), samples)


@pytest.mark.parametrize("name", ["odd_size", "first_level_2", "rgb_12_bit"])
@pytest.mark.parametrize("scale", [0.5, 0.3])
def test_parts_of_a_smaller_size_equal_the_whole(name: str, scale: float) -> None:
    parsed, field = opened(name)
    grid = codec.Grid.of(*field.size[:2], scale=scale)
    whole = codec.render(field, grid, parsed).samples
    for rows, columns in (((1, 3), (0, 2)), ((0, 1), (1, 4)), ((2, 4), (1, 2))):
        part = codec.render(field, grid.part(rows, columns), parsed).samples
        assert np.array_equal(part, whole[slice(*rows), slice(*columns)])


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_file_raises_its_error(name: str) -> None:
    data, expected = load(f"faulty/{name}")
    assert hashlib.sha256(data).hexdigest() == expected["sha256"]
    with pytest.raises(InrError) as raised:
        codec.verify(data)
    assert type(raised.value).__name__ == expected["error"]
    assert len(str(raised.value)) > 20


@pytest.mark.parametrize("name", REFUSED_BY_BOTH)
def test_the_second_decoder_refuses_what_the_first_calls_corrupt(name: str) -> None:
    with pytest.raises((ValueError, IndexError, KeyError, ZeroDivisionError)):
        reference.decode(load(f"faulty/{name}")[0])


def test_every_option_occurs_at_both_ends_of_its_range() -> None:
    configs = [unpack_config(opened(n)[0].header.config_code, GridConfig) for n in GOOD]
    for name, (low, high) in zip(vars(configs[0]), ranges_of(GridConfig), strict=True):
        found = {getattr(config, name) for config in configs}
        assert {low, high} <= found, name
    assert {config.taps for config in configs} == {0, 1, 2}
    assert {config.context.slope for config in configs} == {1, 2, 3}


def test_every_kind_of_header_and_section_occurs() -> None:
    headers = [opened(n)[0].header for n in GOOD]
    assert {h.channels for h in headers} == {1, 2, 3, 4}
    assert {1, 8, 12, 16} <= {h.bit_depth for h in headers}
    assert any(h.height == 1 < h.width for h in headers)
    assert any(h.width == 1 < h.height for h in headers)
    assert any(h.width == h.height == 1 for h in headers)
    types = {s.type for n in GOOD for s in opened(n)[0].sections}
    assert {1, 2, 128, 129, 130, 131, 200, 255} <= types


def test_every_way_of_coding_an_integer_occurs() -> None:
    low_bits, escaped_weights, escaped_latents, rows = set(), 0, 0, set()
    for name in GOOD:
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


def test_every_field_has_a_locked_id_and_a_file() -> None:
    rows = re.findall(r"^field ([a-z0-9_]+) (\d+)$", (BITSTREAMS / "ids.lock").read_text(), re.M)
    registered = {(entry.name, entry.id) for entry in registry.entries("fields")}
    assert registered <= {(name, int(id_)) for name, id_ in rows}
    assert {id_ for _, id_ in registered} == {opened(n)[0].header.field_id for n in GOOD}


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
    config = GridConfig()
    expected = list(zip(vars(config), ranges_of(GridConfig), strict=True))
    assert [(name, (int(low), int(high))) for name, low, high in rows] == expected
    pairs = [
        tuple((int(y), int(x)) for y, x in re.findall(r"\((-?\d),(-?\d)\)", block))
        for block in re.findall(r"(?:^    \(-?\d,-?\d\).*\n)+", SPEC, re.M)
    ]
    assert pairs == [SPATIAL_CONTEXT, COARSE_CONTEXT]
    assert f"The feature is that sum times {FEATURE_GAIN}" in SPEC
