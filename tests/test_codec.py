"""The codec as a whole, on fields of known integers: no fit needed to see what a file promises."""

import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from inrcodec import codec
from inrcodec.bitstream.container import Section, read_container, write_container
from inrcodec.bitstream.header import Header, pack_header
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadInput, BadOption, CorruptFile, LimitExceeded
from inrcodec.fields.grid import GROUPS, GridConfig, GridField, level_shapes, parameter_layout
from inrcodec.signal import Signal, image_signal

CORPUS = Path(__file__).parents[1] / "bitstreams" / "v1"


def case(name: str) -> bytes:
    return (CORPUS / name / "case.inr").read_bytes()


def a_field(signal: Signal, seed: object = 0) -> tuple[int, GridField]:
    """Stands where a fit would: (field id, a field of that size) without looking at the samples."""
    config, rng = (
        GridConfig(levels=3, arm_features=4, synthesis_features=4),
        np.random.default_rng(1),
    )
    theta = {
        name: rng.integers(-40, 41, shape)
        for name, (_, shape) in parameter_layout(config, signal.channels).items()
    }
    latents = [
        rng.integers(-3, 4, shape).astype(np.int32)
        for shape in level_shapes(config, signal.height, signal.width)
    ]
    size = (signal.height, signal.width, signal.channels)
    return 1, GridField(config, size, dict.fromkeys(GROUPS, 7), theta, latents)


def a_signal(**metadata: bytes) -> Signal:
    samples = np.random.default_rng(0).integers(0, 256, (9, 14, 3), np.uint8)
    return Signal(samples, metadata=metadata)


def test_what_encode_reports_is_what_decode_shows() -> None:
    signal = a_signal(icc=b"profile", xmp=b"<x/>")
    encoded = codec.encode(signal, None, fit=a_field)
    decoded = codec.verify(encoded.data)
    assert np.array_equal(decoded.samples, encoded.decoded.samples)
    error = decoded.samples.astype(float) - signal.samples
    assert encoded.mse == pytest.approx((error**2).mean() / 255**2)
    assert encoded.rate_bpp == 8 * len(encoded.data) / (9 * 14)
    assert encoded.psnr_db == pytest.approx(-10 * np.log10(encoded.mse))
    assert decoded.metadata == signal.metadata


def test_the_same_field_gives_the_same_bytes() -> None:
    assert len({codec.encode(a_signal(), None, fit=a_field).data for _ in range(3)}) == 1


def test_an_image_that_no_decoder_would_accept_is_not_encoded() -> None:
    samples = np.broadcast_to(np.uint8(0), (2**14 + 1, 2**14, 1))
    with pytest.raises(BadInput, match="at most"):
        codec.encode(Signal(samples), None, fit=a_field)


def test_pack_and_unpack_are_inverse() -> None:
    field = a_field(a_signal())[1]
    header = Header(1, 14, 9, 3, 8, 1, codec.pack_config(field.config))
    found = GridField.unpack(field.pack(), header, Limits())
    assert found.pack() == field.pack()
    for name, values in field.theta_hat.items():
        assert np.array_equal(found.theta_hat[name], values)
    for grid, expected in zip(found.latents, field.latents, strict=True):
        assert np.array_equal(grid, expected)


def flat_file(value: int, depth: int = 8) -> bytes:
    """A file of one pixel whose value is value / 2**20."""
    config = GridConfig(0, 1, 0, 0, 1, 1, 0)
    theta = {n: np.zeros(s, np.int64) for n, (_, s) in parameter_layout(config, 1).items()}
    theta["syn.b2"][:] = value
    steps = dict.fromkeys(GROUPS, 0) | {"syn.bias": 20}
    field = GridField(config, (1, 1, 1), steps, theta, [np.zeros((1, 1), np.int32)])
    header = Header(1, 1, 1, 1, depth, 1, codec.pack_config(config))
    return write_container([Section(1, pack_header(header)), Section(2, field.pack())])


@pytest.mark.parametrize("depth", [1, 7, 8, 9, 16])
def test_samples_are_clipped_scaled_and_rounded_half_up(depth: int) -> None:
    one, peak = 1 << 20, (1 << depth) - 1
    for value in (-5 * one, -1, 0, 1, one // 2 - 1, one // 2, 777_777, one - 1, one, 9 * one):
        samples = codec.decode(flat_file(value, depth)).samples
        clipped = Fraction(min(max(value, 0), one), one)
        assert samples.dtype == (np.uint8 if depth <= 8 else np.uint16)
        assert samples.item() == math.floor(clipped * peak + Fraction(1, 2))


def test_another_bit_depth_is_rounded_from_the_field_itself() -> None:
    data = flat_file(700_000, depth=8)
    assert codec.decode(data).samples.item() == round(700_000 / 2**20 * 255)
    deep = codec.decode(data, bit_depth=16)
    assert (deep.bit_depth, deep.samples.item()) == (16, round(700_000 / 2**20 * 65535))
    for wrong in (-1, 17):
        with pytest.raises(BadOption):
            codec.decode(data, bit_depth=wrong)


def test_a_decode_larger_than_the_limits_is_refused_before_any_work() -> None:
    data = case("odd_size")
    for where in ({"scale": 1e4}, {"size": (1, 2**21)}, {"size": (2**15, 2**15)}):
        with pytest.raises(LimitExceeded):
            codec.decode(data, **where)
    with pytest.raises(BadOption):
        codec.decode(data, region=(0, 0, 1000, 1000))


def test_verify_finds_every_change_of_the_samples() -> None:
    """A file whose networks were changed, with a correct CRC, no longer matches its hash."""
    sections = read_container(case("odd_size"), Limits())
    parsed = codec.InrFile.parse(case("odd_size"), Limits())
    field = parsed.field(Limits())
    field.theta_hat["syn.b2"][0] += 20
    forged = [Section(2, field.pack()) if s.type == 2 else s for s in sections]
    data = write_container(forged)
    codec.decode(data)
    with pytest.raises(CorruptFile, match="hash"):
        codec.verify(data)


def test_a_file_without_a_hash_decodes_and_does_not_verify() -> None:
    sections = read_container(case("grey"), Limits())
    data = write_container([s for s in sections if s.type != 128])
    assert np.array_equal(codec.decode(data).samples, codec.verify(case("grey")).samples)
    with pytest.raises(CorruptFile, match="no decode hash"):
        codec.verify(data)


def test_info_reads_the_header_alone() -> None:
    info = codec.InrFile.parse(case("metadata"), Limits()).info()
    assert (info["width"], info["height"], info["channels"], info["bit_depth"]) == (12, 9, 3, 8)
    assert info["field"] == "grid"
    assert info["config"]["levels"] == 4
    assert info["file_bytes"] == len(case("metadata"))
    assert set(info["metadata_bytes"]) == {"icc", "exif", "xmp"}


def test_decoding_loads_neither_torch_nor_the_encoder() -> None:
    script = (
        "import sys; from inrcodec import codec\n"
        "codec.verify(open(sys.argv[1], 'rb').read())\n"
        "loaded = [m for m in sys.modules if m.split('.')[0] in ('torch', 'numba')\n"
        "          or m.startswith(('inrcodec.fit', 'inrcodec.evaluate', 'inrcodec.quantize'))]\n"
        "sys.exit(str(loaded) if loaded else 0)\n"
    )
    path = str(CORPUS / "odd_size" / "case.inr")
    done = subprocess.run(
        [sys.executable, "-c", script, path],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_stripes_change_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    for scale in (1, 1.37):
        whole = codec.decode(case("prime_size"), scale=scale).samples
        monkeypatch.setattr(codec, "STRIPE", 100)
        assert np.array_equal(codec.decode(case("prime_size"), scale=scale).samples, whole)
        monkeypatch.undo()


def test_bit_depths_of_arrays_survive() -> None:
    for array in (np.zeros((4, 5), np.uint16), np.zeros((4, 5, 4), np.uint8)):
        signal = image_signal(array)
        encoded = codec.encode(signal, None, fit=a_field)
        found = codec.verify(encoded.data)
        assert found.samples.dtype == array.dtype
        assert found.bit_depth == signal.bit_depth
        assert found.samples.shape == signal.samples.shape
