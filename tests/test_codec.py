"""The codec as a whole, on fields of known integers: no fit needed to see what a file promises."""

import math
import subprocess
import sys
import tracemalloc
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inrcodec
from inrcodec import codec, sampling
from inrcodec.bitstream.container import Section, read_container, write_container
from inrcodec.bitstream.header import ImageHeader, pack_header
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadInput, BadOption, CorruptFile, LimitExceeded
from inrcodec.fields.grid import GROUPS, GridConfig, GridField, level_shapes, parameter_layout
from inrcodec.grid import Grid
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
    assert np.array_equal(decoded.samples, codec.decode(encoded.data).samples)
    error = decoded.samples.astype(float) - signal.samples
    assert encoded.mse == pytest.approx((error**2).mean() / 255**2)
    assert encoded.rate_bpp == 8 * len(encoded.data) / (9 * 14)
    assert encoded.psnr_db == pytest.approx(-10 * np.log10(encoded.mse))
    assert decoded.metadata == signal.metadata


def test_the_same_field_gives_the_same_bytes() -> None:
    assert len({codec.encode(a_signal(), None, fit=a_field).data for _ in range(3)}) == 1


def test_an_image_that_no_decoder_would_accept_is_not_encoded() -> None:
    samples = np.broadcast_to(np.uint8(0), (2**14 + 1, 2**14, 1))
    with pytest.raises(BadInput, match="allowed are"):
        codec.encode(Signal(samples), None, fit=a_field)


def test_pack_and_unpack_are_inverse() -> None:
    field = a_field(a_signal())[1]
    header = ImageHeader(14, 9, 3, 8, 1, codec.pack_config(field.config))
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
    header = ImageHeader(1, 1, 1, depth, 1, codec.pack_config(config))
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
    assert np.array_equal(codec.decode(data, bit_depth=np.int64(16)).samples, deep.samples)
    for wrong in (-1, 17, 8.5, 8.0, "8", (8,)):
        with pytest.raises(BadOption):
            codec.decode(data, bit_depth=wrong)


def test_a_decode_larger_than_the_limits_is_refused_before_any_work() -> None:
    data = case("odd_size")
    for where in ({"scale": 1e4}, {"size": (1, 2**21)}, {"size": (2**15, 2**15)}):
        with pytest.raises(LimitExceeded):
            codec.decode(data, **where)
    with pytest.raises(BadOption):
        codec.decode(data, region=(0, 0, 1000, 1000))


def test_a_small_output_may_cost_no_more_than_the_points_behind_it() -> None:
    data = case("odd_size")
    macs = round(codec.InrFile.parse(data, Limits()).info()["macs_per_sample"])
    native, doubled = (Limits(max_macs=macs * n) for n in (23 * 17, 2 * 22 * 17))
    codec.decode(data, native, size=(1, 1))
    for where in ({"size": (22, 17)}, {"scale": 2}):
        with pytest.raises(LimitExceeded, match="multiply-accumulates"):
            codec.decode(data, native, **where)
        with inrcodec.open(data, native) as image, pytest.raises(LimitExceeded):
            image.render(**where)
    codec.decode(data, doubled, size=(22, 17))


def test_an_odd_size_counts_what_its_neighbourhoods_cost() -> None:
    """Between native samples hardly any position serves two outputs of a 3x3 layer."""
    signal = image_signal(np.zeros((64, 64, 3), np.uint8))
    data = codec.encode(signal, None, fit=a_field).data
    header = codec.InrFile.parse(data, Limits()).header
    native, odd = (
        math.prod(GridField.render_work(header, Grid.of(64, 64, size=size)))
        for size in ((64, 64), (65, 65))
    )
    assert a_field(signal)[1].config.taps == 2
    assert 7 * native < odd < 27 * native
    limits = Limits(max_macs=odd - 1)
    assert codec.decode(data, limits).samples.shape == (64, 64, 3)
    with pytest.raises(LimitExceeded, match="multiply-accumulates"):
        codec.decode(data, limits, size=(65, 65))


def pixel_file(pixels: np.ndarray) -> bytes:
    """A file whose native values are pixels / 256, through one latent grid and nothing else."""
    config = GridConfig(0, 1, 0, 0, 1, 1, 0)
    theta = {n: np.zeros(s, np.int64) for n, (_, s) in parameter_layout(config, 1).items()}
    # 4 undoes the gain of the latents; the bias keeps the hidden unit positive, and is taken off.
    theta["syn.w1"][:] = 4 << 8
    theta["syn.b1"][:] = 512 << 8
    theta["syn.w2"][:] = 1
    theta["syn.b2"][:] = -512
    height, width = pixels.shape
    field = GridField(
        config, (height, width, 1), dict.fromkeys(GROUPS, 8), theta, [pixels.astype(np.int32)]
    )
    header = ImageHeader(width, height, 1, 8, 1, codec.pack_config(config))
    return write_container([Section(1, pack_header(header)), Section(2, field.pack())])


def test_at_half_the_size_a_sample_is_the_rounded_mean_of_its_native_values() -> None:
    for name in ("coarse_context_only", "rgba", "one_tap"):
        parsed = codec.InrFile.parse(case(name), Limits())
        field, peak = parsed.field(Limits()), (1 << parsed.header.bit_depth) - 1
        height, width = (n // 2 * 2 for n in field.size[:2])
        native = field.render(codec.Grid.of(*field.size[:2]))[:height, :width]
        means = (native[::2] + native[1::2]) / 2
        means = (means[:, ::2] + means[:, 1::2]) / 2
        found = codec.decode(case(name), scale=0.5, region=(0, 0, width, height)).samples
        assert np.array_equal(found, np.floor(np.clip(means, 0, 1) * peak + 0.5))


@pytest.mark.parametrize("scale", [1 / 2, 1 / 4])
def test_a_pattern_finer_than_the_output_decodes_to_its_mean(scale: float) -> None:
    y, x = np.mgrid[:32, :48]
    for pattern in ((x + y) % 2, x % 2, y % 2):
        samples = codec.decode(pixel_file(pattern * 200 + 20), scale=scale).samples
        assert (samples == round(120 / 256 * 255)).all()


@pytest.mark.parametrize(("scale", "least_db"), [(1 / 2, 5), (1 / 4, 12), (0.3, 12)])
def test_a_zone_plate_aliases_far_less_than_its_points_would(scale: float, least_db: float) -> None:
    """Rings as fine as two native samples, against what a Lanczos filter leaves of them."""
    n = 128
    y, x = np.mgrid[:n, :n] + 0.5
    pixels = np.rint(128 + 100 * np.cos(np.pi * (x * x + y * y) / (2 * n)))
    data = pixel_file(pixels)
    parsed = codec.InrFile.parse(data, Limits())
    grid = codec.Grid.of(n, n, scale=scale)
    small = codec.decode(data, scale=scale).samples[:, :, 0] / 255
    points = parsed.field(Limits()).render(grid)[:, :, 0]
    picture = Image.fromarray((pixels / 256).astype(np.float32))
    truth = np.asarray(picture.resize(grid.shape[::-1], Image.Resampling.LANCZOS))
    mse_small, mse_points = (np.square(v - truth).mean() for v in (small, points))
    assert 10 * np.log10(mse_points / mse_small) > least_db


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
    undecodable = [Section(2, b"\0") if s.type == 2 else s for s in sections if s.type != 128]
    with pytest.raises(CorruptFile, match="no decode hash"):
        codec.verify(write_container(undecodable))


def test_unpacking_takes_the_memory_that_security_promises() -> None:
    """The largest context there is, at level 0."""
    height = width = 160
    config = GridConfig(0, 9, 22, 9, 1, 1, 0)
    theta = {n: np.zeros(s, np.int64) for n, (_, s) in parameter_layout(config, 1).items()}
    latents = [np.zeros(shape, np.int32) for shape in level_shapes(config, height, width)]
    field = GridField(config, (height, width, 1), dict.fromkeys(GROUPS, 0), theta, latents)
    header = ImageHeader(width, height, 1, 8, 1, codec.pack_config(config))
    payload = field.pack()
    tracemalloc.start()
    try:
        GridField.unpack(payload, header, Limits())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30 * height * width + 350 * height + (1 << 17)


def test_info_reads_the_header_alone() -> None:
    info = codec.InrFile.parse(case("metadata"), Limits()).info()
    assert (info["width"], info["height"], info["channels"], info["bit_depth"]) == (12, 9, 3, 8)
    assert info["field"] == "grid"
    assert info["config"]["levels"] == 4
    assert info["file_bytes"] == len(case("metadata"))
    assert set(info["metadata_bytes"]) == {"icc", "exif", "xmp"}


def test_info_names_the_version_of_the_file_not_of_the_reader() -> None:
    data = bytearray(case("smallest"))
    data[9] = 7
    data[-4:] = zlib.crc32(data[:-4]).to_bytes(4, "little")
    assert inrcodec.info(bytes(data))["format_version"] == "1.7"


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


def test_encoding_without_a_gpu_waits_for_no_torch() -> None:
    pytest.importorskip("numba")
    script = (
        "import sys, numpy, inrcodec; from inrcodec import runtime\n"
        "runtime.may_have_gpu = lambda: False\n"
        "inrcodec.encode(numpy.zeros((8, 12, 3), numpy.uint8), effort=1)\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_stripes_change_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    for scale in (1, 1.37, 0.5, 0.3, 0.01):
        whole = codec.decode(case("prime_size"), scale=scale).samples
        monkeypatch.setattr(sampling, "STRIPE", 100)
        assert np.array_equal(codec.decode(case("prime_size"), scale=scale).samples, whole)
        monkeypatch.undo()


@pytest.mark.parametrize(("scale", "unit"), [(0.5, 2), (0.25, 4), (1 / 3, 3)])
def test_a_region_of_a_small_decode_equals_that_part_of_the_whole(scale: float, unit: int) -> None:
    data = case("first_level_2")
    height, width = 36, 36
    whole = codec.decode(data, scale=scale, region=(0, 0, width, height)).samples
    part = codec.decode(data, scale=scale, region=(unit, 2 * unit, 4 * unit, 5 * unit)).samples
    assert np.array_equal(part, whole[2:7, 1:5])


def test_one_sample_of_a_large_picture_costs_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "STRIPE", 1 << 12)
    data = pixel_file(np.add.outer(np.arange(700), np.arange(500)) % 200)
    parsed = codec.InrFile.parse(data, Limits())
    field = parsed.field(Limits())
    asked = []
    render = field.render
    monkeypatch.setattr(field, "render", lambda g, fast: asked.append(g.shape) or render(g, fast))
    found = codec.render(field, codec.Grid.of(700, 500, size=(1, 1)), parsed).samples
    assert found.item() == codec.decode(data, size=(1, 1)).samples.item()
    assert max(math.prod(shape) for shape in asked) <= 1 << 12
    assert sum(math.prod(shape) for shape in asked) == 700 * 500


def test_bit_depths_of_arrays_survive() -> None:
    for array in (np.zeros((4, 5), np.uint16), np.zeros((4, 5, 4), np.uint8)):
        signal = image_signal(array)
        encoded = codec.encode(signal, None, fit=a_field)
        found = codec.verify(encoded.data)
        assert found.samples.dtype == array.dtype
        assert found.bit_depth == signal.bit_depth
        assert found.samples.shape == signal.samples.shape
