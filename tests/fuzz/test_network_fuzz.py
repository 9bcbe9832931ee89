"""Coordinate networks under damage and malice: what two decoders agree on, or one of our errors."""

from __future__ import annotations

import contextlib
import tracemalloc
import zlib
from dataclasses import fields
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import reference_decoder as reference
from conformance_corpus import load, names, samples_sha256
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from inrcodec import codec, registry
from inrcodec.activations.sine import Sine
from inrcodec.bitstream.config import pack_config, ranges_of
from inrcodec.bitstream.container import Section, pack_segment, read_container, write_container
from inrcodec.bitstream.header import AudioHeader, Header, ImageHeader, VideoHeader, pack_header
from inrcodec.bitstream.limits import Limits
from inrcodec.encodings.identity import Identity
from inrcodec.errors import CorruptFile, InrError, LimitExceeded
from inrcodec.fields.loe import LoeConfig, LoeField
from inrcodec.fields.mfn import MfnConfig, MfnField
from inrcodec.fields.mlp import MlpConfig, MlpField
from inrcodec.fields.network import NetworkField, features_of, groups_of
from inrcodec.grid import Axis, Grid
from inrcodec.kernels import arithmetic
from inrcodec.kernels.decoding import compiled_arithmetic

QUICK = settings(max_examples=150, deadline=None)
SMALL = Limits(max_dimension=64, max_pixels=1600, max_params=8000, max_macs=10**8)
FAMILIES: dict[type, tuple[int, type[NetworkField]]] = {
    MlpConfig: (2, MlpField),
    MfnConfig: (3, MfnField),
    LoeConfig: (4, LoeField),
}
NETWORKS = [name for name in names() if name.split("_")[0] in ("mlp", "mfn", "loe", "sound")]
MOST = 5  # of every size that an example may choose


def options(part: type) -> st.SearchStrategy[Any]:
    """Instances of a part or config, its numbers small or at the end of their range."""
    chosen = []
    for f, (low, high) in zip(fields(part), ranges_of(part), strict=True):
        if "room" in f.metadata:
            rooms = registry.entries(f.metadata["room"])
            chosen.append(st.one_of(*(options(entry.part) for entry in rooms)))
        elif f.name in ("sigma_8ths", "bandlimit", "growth_64ths", "omega_0", "ratio_48ths"):
            chosen.append(st.integers(low, high))
        else:
            chosen.append(st.integers(low, min(high, low + MOST)))
    return st.builds(part, *chosen)


CONFIGS = st.one_of(*map(options, FAMILIES))


@st.composite
def small_headers(draw: st.DrawFn) -> Header:
    """Headers of a few samples of every kind."""
    config = draw(CONFIGS)
    end = FAMILIES[type(config)][0], pack_config(config)
    size, kind = st.integers(1, 4), draw(st.integers(1, 3))
    if kind == 1:
        return ImageHeader(draw(size), draw(size), draw(size), draw(st.integers(1, 16)), *end)
    frames = draw(size)
    if kind == 2:
        return AudioHeader(draw(size), draw(st.integers(1, 24)), frames, 8000, frames, *end)
    subsampling = draw(st.sampled_from(["4:0:0", "4:2:0", "4:4:4"]))
    return VideoHeader(
        draw(size), draw(size), frames, subsampling, draw(st.integers(8, 16)), (2, 2, 2), False,
        "left", Fraction(25), False, Fraction(1), frames, *end,
    )  # fmt: skip


def packed(header: Header, payload: bytes) -> bytes:
    """A file with a hash that nothing decodes to, so that `verify` gets to its payload."""
    return write_container(
        [Section(1, pack_header(header)), Section(2, payload), Section(128, bytes(8))]
    )


def both_decoders(data: bytes) -> list[np.ndarray] | None:
    """Samples that both decoders agree on, or None where both refuse or it is too much."""
    try:
        signal = codec.decode(data, SMALL)
    except LimitExceeded:
        return None
    except CorruptFile:
        with pytest.raises((ValueError, IndexError)):
            reference.decode(data)
        return None
    found = reference.decode(data)
    found = found if isinstance(found, list) else [found]
    planes = signal.planes if signal.kind == "video" else [signal.samples]
    for plane, other in zip(planes, found, strict=True):
        assert plane.dtype == other.dtype
        assert np.array_equal(plane, other)
    return list(planes)


@QUICK
@given(small_headers(), st.binary(max_size=150))
def test_arbitrary_payloads_are_refused_or_decode(header: Header, payload: bytes) -> None:
    planes = both_decoders(packed(header, payload))
    assert planes is None or planes[0].shape[: len(header.shape)] == header.shape


def network_of(header: Header, config: Any, draw_integers: Any, exponent: int) -> NetworkField:
    family = FAMILIES[type(config)][1]
    layout = family.layout(config, *features_of(header))
    theta = {name: draw_integers(shape) for name, (_, shape) in layout.items()}
    steps = dict.fromkeys(groups_of(layout), exponent)
    return family(config, features_of(header), header.kind_name, steps, theta)


@QUICK
@given(CONFIGS, st.sampled_from([0, 5, 31]), st.integers(0, 2**32 - 1), st.integers(0, 23))
def test_hostile_parameters_decode_to_the_same_finite_samples_everywhere(
    config: Any, exponent: int, seed: int, bits: int
) -> None:
    """Parameters up to the largest that can be written, in steps from 1 to 2**-31."""
    rng = np.random.default_rng(seed)
    header = ImageHeader(3, 2, 2, 16, FAMILIES[type(config)][0], pack_config(config))
    made = network_of(
        header, config, lambda shape: rng.integers(-(2**bits), 2**bits, shape), exponent
    )
    parameters = sum(values.size for values in made.theta_hat.values())
    assume(parameters < 8000)
    grid = Grid(tuple(Axis.over(n, Fraction(0), Fraction(n), n) for n in header.shape))
    values = made.render(grid)
    assert np.isfinite(values).all()
    payload = made.pack()
    assert type(made).unpack(payload, header, SMALL).pack() == payload
    assert both_decoders(packed(header, payload)) is not None


@pytest.mark.parametrize("name", NETWORKS)
def test_compiled_code_and_numpy_agree_on_arguments_beyond_all_bounds(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = compiled_arithmetic()
    if compiled is None:
        pytest.skip("numba does not work here")
    field = codec.InrFile.parse(load(name)[0], Limits()).field(Limits())
    field.steps = dict.fromkeys(field.steps, 0)
    field.theta_hat = {n: v * 65537 for n, v in field.theta_hat.items()}
    shape = (5, 7, 3)[: field.features[0]]
    grid = Grid(tuple(Axis.over(n, Fraction(0), Fraction(n), n) for n in shape))
    found = []
    for chosen in (compiled, arithmetic.NUMPY):
        monkeypatch.setattr(
            "inrcodec.fields.network.decode_arithmetic", lambda *_, chosen=chosen: chosen
        )
        found.append(field.render(grid))
    assert np.array_equal(*found)
    assert np.isfinite(found[0]).all()


@st.composite
def altered_payloads(draw: st.DrawFn) -> tuple[str, bytes]:
    """A good file's name and its payload after one to three splices."""
    name = draw(st.sampled_from([name for name in NETWORKS if name != "sound_segments"]))
    payload = next(s.payload for s in read_container(load(name)[0], Limits()) if s.type == 2)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(payload)))
        stop = draw(st.integers(start, min(len(payload), start + 6)))
        payload = payload[:start] + draw(st.binary(max_size=6)) + payload[stop:]
    return name, payload


@QUICK
@given(altered_payloads())
def test_altered_payloads_behind_a_correct_check_sum_never_verify(
    altered: tuple[str, bytes],
) -> None:
    name, payload = altered
    good = load(name)[0]
    sections = read_container(good, Limits())
    data = write_container(
        [Section(2, payload) if s.type == 2 else s for s in sections], minor=good[9]
    )
    both_decoders(data)
    with contextlib.suppress(CorruptFile):
        assert samples_sha256(codec.verify(data)) == samples_sha256(codec.verify(good))


@pytest.mark.parametrize("name", ["mlp_sine", "mlp_hash", "mfn_gabornet", "loe_sound"])
def test_every_flipped_bit_behind_a_correct_check_sum_is_refused_or_shows(name: str) -> None:
    """It decodes to other samples, which `verify` notices, or to an error of ours."""
    data = load(name)[0]
    good = codec.decode(data).samples
    for bit in range(8 * 10, 8 * (len(data) - 4)):
        body = bytearray(data[:-4])
        body[bit // 8] ^= 1 << bit % 8
        forged = bytes(body) + zlib.crc32(body).to_bytes(4, "little")
        try:
            found = codec.verify(forged, SMALL).samples
        except InrError:
            continue
        assert found.tobytes() == good.tobytes()


@QUICK
@given(st.integers(0, 24), st.integers(0, 255), st.booleans())
def test_altered_segments_behind_a_correct_check_sum_raise_our_errors(
    at: int, value: int, code: bool
) -> None:
    data = load("sound_segments")[0]
    sections, first = read_container(data, Limits()), True
    for i, section in enumerate(sections):
        if section.type == 3 and first:
            payload = bytearray(section.payload[5:])
            payload[min(at, len(payload) - 1)] = value
            own = value if code else None
            sections[i], first = Section(3, pack_segment(bytes(payload), own)), False
    with contextlib.suppress(InrError):
        codec.verify(write_container(sections, minor=data[9]), SMALL)


@QUICK
@given(
    st.sampled_from([2, 3, 4]),
    st.integers(0, 2**62 - 1) | st.integers(0, 2**26),
    st.integers(1, 2**63 - 1) | st.integers(1, 64),
    st.integers(1, 3),
    st.binary(max_size=150),
)
def test_a_small_file_cannot_ask_for_much(
    field_id: int, code: int, size: int, kind: int, payload: bytes
) -> None:
    headers = {
        1: lambda: ImageHeader(size, 7, 3, 8, field_id, code),
        2: lambda: AudioHeader(2, 16, size, 8000, size, field_id, code),
        3: lambda: VideoHeader(
            5, 6, size, "4:2:0", 8, (2, 2, 2), False, "left", Fraction(25), False, Fraction(1),
            size, field_id, code,
        ),
    }  # fmt: skip
    data = packed(headers[kind](), payload)
    limits = Limits(max_params=2**16, max_macs=10**8)
    tracemalloc.start()
    try:
        with pytest.raises(InrError):
            codec.verify(data, limits)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50e6


def test_many_zeros_in_a_few_bytes_take_the_memory_of_so_many_numbers() -> None:
    """Nearly nothing bounds how many zeros a range coder packs into a word."""
    config = MlpConfig(Sine(), Identity(), 512, 1)
    header = ImageHeader(1, 1, 1, 8, 2, pack_config(config))
    made = network_of(header, config, lambda shape: np.zeros(shape, np.int64), 5)
    payload = made.pack()
    assert len(payload) < 100
    tracemalloc.start()
    try:
        field = MlpField.unpack(payload, header, Limits())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not any(values.any() for values in field.theta_hat.values())
    assert peak < 40e6


@pytest.mark.parametrize(
    "name", ["too_many_parameters", "tables_too_large", "mlp_compute_bomb", "sound_bomb"]
)
def test_a_bomb_is_refused_before_it_costs_anything(name: str) -> None:
    data = load(f"faulty/{name}")[0]
    tracemalloc.start()
    try:
        with pytest.raises(InrError):
            codec.verify(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2e6
