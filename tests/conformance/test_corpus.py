"""Files of the first release decode to the same samples forever, by two decoders."""

from __future__ import annotations

import functools
import hashlib
import re
from typing import Any

import numpy as np
import pytest
import reference_decoder as reference
from conformance_corpus import FAULTY, arguments, load, names, samples_sha256

from inrcodec import codec
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import InrError
from inrcodec.fields import Field
from inrcodec.fields.network import NetworkField
from inrcodec.kernels import arithmetic
from inrcodec.kernels.decoding import compiled_arithmetic
from inrcodec.signal import AnySignal

GOOD, REFUSED = names(), names(FAULTY)
DESCRIBED = {name: load(name)[1] for name in GOOD}
PICTURES = [name for name in GOOD if "kind" not in DESCRIBED[name]]
DECODES = [(name, where) for name in GOOD for where in DESCRIBED[name].get("decodes", [])]
# Corrupt, and in a part that the second decoder looks at.
REFUSED_BY_BOTH = [
    name
    for name in REFUSED
    if load(name, FAULTY)[1]["error"] == "CorruptFile"
    and name not in {"wrong_decode_hash", "short_decode_hash", "second_header", "overlong_varint"}
]


@functools.cache
def opened(name: str) -> tuple[codec.InrFile, Field]:
    parsed = codec.InrFile.parse(load(name)[0], Limits())
    return parsed, parsed.field(Limits())


NETWORKS = [name for name in GOOD if isinstance(opened(name)[1], NetworkField)]


def planes_of(signal: AnySignal) -> list[np.ndarray]:
    return list(signal.planes) if signal.kind == "video" else [signal.samples]


def reference_planes(data: bytes, **where: Any) -> list[np.ndarray]:
    found = reference.decode(data, **where)
    return found if isinstance(found, list) else [found]


def hash_of(planes: list[np.ndarray]) -> str:
    """As `samples_sha256`, without the package."""
    found = hashlib.sha256()
    for frame in zip(*planes, strict=True) if len(planes) > 1 else [planes]:
        for plane in frame:
            found.update(plane.astype(plane.dtype.newbyteorder("<"), copy=False).tobytes())
    return found.hexdigest()


def test_the_corpus_is_complete_and_small() -> None:
    assert len(GOOD) >= 104
    assert len(REFUSED) >= 75
    sizes = [len(load(name)[0]) for name in GOOD]
    assert max(sizes) < 20_000
    assert np.median(sizes) < 3000
    assert max(len(load(name)[0]) for name in NETWORKS) < 1000


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_decodes_to_its_samples(name: str) -> None:
    data, expected = load(name)
    assert hashlib.sha256(data).hexdigest() == expected["sha256"]
    native = codec.verify(data)
    planes = planes_of(native)
    shapes = expected["shapes"] if "kind" in expected else [expected["shape"]]
    assert [list(plane.shape) for plane in planes] == shapes
    assert native.kind == expected.get("kind", "image")
    assert {plane.dtype.name for plane in planes} == {expected["dtype"]}
    assert native.bit_depth == expected["bit_depth"]
    hashes = {
        scale: samples_sha256(codec.decode(data, scale=None if scale == "native" else float(scale)))
        for scale in expected["samples_sha256"]
    }
    assert hashes == expected["samples_sha256"]
    assert set(hashes) == ({"native", "1.37", "2"} if name in PICTURES else {"native"})


@pytest.mark.parametrize(("name", "where"), DECODES)
def test_a_good_file_decodes_to_its_samples_elsewhere(name: str, where: dict[str, Any]) -> None:
    decoded = codec.decode(load(name)[0], **arguments(where))
    assert samples_sha256(decoded) == where["sha256"]


@pytest.mark.parametrize("name", GOOD)
def test_the_second_decoder_gives_the_same_samples(name: str) -> None:
    data, expected = load(name)
    planes = reference_planes(data)
    assert {plane.dtype.name for plane in planes} == {expected["dtype"]}
    assert [list(p.shape) for p in planes] == expected.get("shapes", [expected.get("shape")])
    assert hash_of(planes) == expected["samples_sha256"]["native"]


@pytest.mark.parametrize(("name", "where"), DECODES)
def test_the_second_decoder_gives_the_same_samples_elsewhere(
    name: str, where: dict[str, Any]
) -> None:
    assert hash_of(reference_planes(load(name)[0], **arguments(where))) == where["sha256"]


@pytest.mark.parametrize(
    "name",
    [
        *["odd_size", "rgb_16_bit", "one_tap", "no_taps", "fitted_rgb"],
        *sorted(set(NETWORKS) & set(PICTURES)),
    ],
)
def test_the_second_decoder_gives_the_same_samples_at_another_size(name: str) -> None:
    data, expected = load(name)
    size = tuple(round(n * 1.37) for n in expected["shape"][:2])
    assert hash_of(reference_planes(data, size=size)) == expected["samples_sha256"]["1.37"]


SHRUNK = ["odd_size", "rgb_16_bit", "one_tap", "no_taps", "one_row", "mlp_hash", "mfn_gabornet"]


@pytest.mark.parametrize("name", SHRUNK)
@pytest.mark.parametrize("scale", [0.5, 0.3])
def test_the_second_decoder_gives_the_same_means_at_a_smaller_size(name: str, scale: float) -> None:
    data = load(name)[0]
    samples = codec.decode(data, scale=scale).samples
    assert np.array_equal(reference.decode(data, samples.shape[:2]), samples)


@pytest.mark.parametrize("name", ["odd_size", "first_level_2", "rgb_12_bit", "fitted_siren"])
@pytest.mark.parametrize("scale", [0.5, 0.3])
def test_parts_of_a_smaller_size_equal_the_whole(name: str, scale: float) -> None:
    parsed, field = opened(name)
    grid = codec.Grid.of(*parsed.header.shape, scale=scale)
    whole = codec.render(field, grid, parsed).samples
    for rows, columns in (((1, 3), (0, 2)), ((0, 1), (1, 4)), ((2, 4), (1, 2))):
        part = codec.render(field, grid.part(rows, columns), parsed).samples
        assert np.array_equal(part, whole[slice(*rows), slice(*columns)])


@pytest.mark.parametrize("name", NETWORKS)
def test_compiled_code_gives_the_same_samples_of_networks(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = compiled_arithmetic()
    if compiled is None:
        pytest.skip("numba does not work here")
    data, expected = load(name)
    for chosen in (compiled, arithmetic.NUMPY):
        monkeypatch.setattr(
            "inrcodec.fields.network.decode_arithmetic", lambda *_, chosen=chosen: chosen
        )
        assert samples_sha256(codec.decode(data)) == expected["samples_sha256"]["native"]


@pytest.mark.parametrize("name", REFUSED)
def test_a_faulty_file_raises_its_error(name: str) -> None:
    data, expected = load(name, FAULTY)
    assert hashlib.sha256(data).hexdigest() == expected["sha256"]
    with pytest.raises(InrError) as raised:
        codec.verify(data)
    assert type(raised.value).__name__ == expected["error"]
    assert len(str(raised.value)) > 20


@pytest.mark.parametrize("name", REFUSED_BY_BOTH)
def test_the_second_decoder_refuses_what_the_first_calls_corrupt(name: str) -> None:
    with pytest.raises((ValueError, IndexError, KeyError, ZeroDivisionError)):
        reference.decode(load(name, FAULTY)[0])


def test_the_readme_counts_the_files() -> None:
    text = (FAULTY.parents[1] / "README.md").read_text(encoding="utf-8")
    sizes = [len(load(name)[0]) for name in GOOD]
    good = re.search(r"(\d+) good files, (\d+) to ([\d,]+) bytes", text)
    faulty = re.search(r"(\d+) files that must be refused", text)
    assert good and faulty
    assert [int(n.replace(",", "")) for n in good.groups()] == [len(GOOD), min(sizes), max(sizes)]
    assert int(faulty[1]) == len(REFUSED)
