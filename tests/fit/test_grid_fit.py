"""Fitting: what is promised of every encode, on pictures small enough to encode in a second."""

from dataclasses import replace

import numpy as np
import pytest

from inrcodec import codec
from inrcodec.bitstream.config import pack_config
from inrcodec.errors import BadInput, BadOption, Diverged
from inrcodec.fields import grid as grid_field
from inrcodec.fit import EncodeOptions, grid
from inrcodec.fit.presets import (
    EFFORTS,
    TIERS,
    Preset,
    choose_config,
    detail_share,
    expected_bytes,
    lmbda_of_quality,
    preset,
    preset_for,
)
from inrcodec.kernels import decoding
from inrcodec.progress import Reporter
from inrcodec.signal import Signal, image_signal


def picture(height: int = 40, width: int = 56, channels: int = 3, depth: int = 8) -> np.ndarray:
    """Smooth colour, an edge and some texture, by formula."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    planes = [
        0.5 + 0.3 * np.sin(5 * x + k) * np.cos(4 * y) + 0.15 * (x + y > 0.8) + 0.03 * np.sin(60 * x)
        for k in range(channels)
    ]
    peak = (1 << depth) - 1
    dtype = np.uint8 if depth <= 8 else np.uint16
    return np.rint(np.clip(np.stack(planes, -1), 0, 1) * peak).astype(dtype)


def encode(image: np.ndarray, **options):
    return codec.encode(image_signal(image), EncodeOptions(**options))


@pytest.mark.parametrize("engine", ["reference", "cpu"])
def test_what_the_encoder_measured_is_what_the_decoder_shows(engine):
    if engine == "cpu":
        pytest.importorskip("numba")
    image = picture()
    result = encode(image, effort=1, engine=engine)
    decoded = codec.verify(result.data)
    assert np.array_equal(decoded.samples, codec.decode(result.data).samples)
    error = (decoded.samples.astype(float) - image) / 255
    assert np.mean(error**2) == pytest.approx(result.mse)
    assert result.rate_bpp == 8 * len(result.data) / (40 * 56)


@pytest.mark.parametrize("engine", ["reference", "cpu"])
def test_the_file_of_every_engine_decodes_to_the_same_samples_by_numpy_and_compiled(
    engine, monkeypatch
):
    if decoding.compiled() is None:
        pytest.skip("compiled code does not run here")
    data = encode(picture(), effort=1, engine=engine).data
    decoded = []
    for chosen in (decoding.NUMPY, decoding.compiled()):
        monkeypatch.setattr(grid_field, "decode_engine", lambda *_, chosen=chosen: chosen)
        decoded.append(codec.decode(data).samples)
    assert np.array_equal(*decoded)


def test_the_fit_learns_the_picture():
    image = picture()
    result = encode(image, effort=2, lmbda=1e-4)
    flat = np.square(image / 255 - (image / 255).mean(axis=(0, 1))).mean()
    assert result.mse < flat / 20


def test_same_seed_same_bytes_other_seed_other_bytes():
    image = picture(24, 32)
    first, again, other = (encode(image, effort=1, seed=s).data for s in (3, 3, 4))
    assert first == again
    assert first != other


def test_larger_lmbda_smaller_file():
    image = picture(64, 64)
    sizes = [len(encode(image, effort=1, lmbda=lmbda).data) for lmbda in (1e-4, 2e-3, 5e-2)]
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize(
    ("shape", "depth"),
    [((1, 1, 3), 8), ((1, 9, 1), 8), ((7, 1, 4), 8), ((5, 6, 2), 8), ((13, 11, 3), 16)],
)
def test_any_shape_and_depth_goes_through(shape, depth):
    image = picture(*shape, depth=depth)
    decoded = codec.verify(encode(image, effort=1).data)
    assert decoded.samples.shape == shape
    assert decoded.samples.dtype == image.dtype


def test_a_fit_that_diverges_is_begun_again_slower_and_then_refused():
    signal = image_signal(picture(16, 16))
    config = choose_config(grid.target_of(signal), 1e-3)
    shots = []

    class Counting(Reporter):
        def step(self, rate_bpp, mse):
            shots.append(mse)

    wild = grid.Schedule(latent_rate=1e38)
    with pytest.raises(Diverged, match="not finite"):
        grid.fit_config(signal, config, Preset(20, 0), 1e-3, schedule=wild, reporter=Counting())
    assert all(np.isfinite(shots))


def test_constant_pictures_cost_next_to_nothing():
    for value in (0, 128, 255):
        result = encode(np.full((48, 64, 3), value, np.uint8), effort=2, lmbda=1e-2)
        assert result.psnr_db > 35
        assert len(result.data) < 450


def test_a_huge_lmbda_still_gives_a_file():
    result = encode(picture(), effort=1, lmbda=10.0)
    assert codec.verify(result.data).samples.shape == (40, 56, 3)


def test_sixteen_bits_at_a_tiny_lmbda_keep_more_than_eight_bits_would():
    image = picture(32, 32, 1, depth=16)
    result = encode(image, effort=3, lmbda=1e-7)
    assert result.psnr_db > 45


def test_metadata_that_no_decoder_would_accept_is_refused_before_the_work():
    signal = Signal(picture(8, 8), metadata={"icc": bytes(1 << 25)})
    with pytest.raises(BadInput, match="default limits"):
        codec.encode(signal, EncodeOptions())


def test_quality_is_monotone_in_lmbda():
    lmbdas = [lmbda_of_quality(q) for q in range(0, 101, 5)]
    assert lmbdas == sorted(lmbdas, reverse=True)
    assert lmbdas[0] == pytest.approx(0.1)
    assert lmbda_of_quality(50) == pytest.approx(1e-3)
    assert lmbdas[-1] == pytest.approx(1e-5)


@pytest.mark.parametrize(
    "options",
    [{"effort": 0}, {"effort": 10}, {"lmbda": 0.0}, {"lmbda": float("nan")}, {"seed": -1}],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(BadOption):
        EncodeOptions(**options)


def test_unknown_fields_and_devices_are_refused():
    with pytest.raises(BadOption, match="there are: grid"):
        encode(picture(8, 8), field="nonesuch")
    with pytest.raises(BadOption, match="expected auto, cpu or cuda"):
        encode(picture(8, 8), device="toaster")


def test_more_effort_is_more_steps():
    steps = [preset(effort).steps for effort in sorted(EFFORTS)]
    assert steps == sorted(set(steps))


@pytest.mark.parametrize("lmbda", [1e-5, 1e-3, 2e-2, 10])
@pytest.mark.parametrize("shape", [(3, 1, 1), (1, 3, 2000), (4, 512, 768), (3, 2000, 3000)])
def test_every_chosen_config_has_a_header_code(lmbda, shape):
    target = np.random.default_rng(0).random(shape, np.float32)
    assert pack_config(choose_config(target, lmbda)) < 2**28


def test_a_richer_picture_gets_larger_networks():
    noise = np.random.default_rng(0).random((3, 256, 384), np.float32)
    widths = [
        choose_config(0.5 + contrast * (noise - 0.5), 1e-3).synthesis_features
        for contrast in (0.0, 0.05, 0.1, 1.0)
    ]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


def wave(period: int) -> np.ndarray:
    """[1, 128, 128] stripes of that many samples."""
    x = np.arange(128)
    return np.tile(0.5 + 0.4 * np.sin(2 * np.pi * x / period), (1, 128, 1)).astype(np.float32)


def test_details_are_what_half_the_samples_cannot_carry():
    # Of four samples and more, every second one is enough.
    assert detail_share(wave(32), 1e-2) < 0.02
    assert detail_share(wave(3), 1e-2) > 1
    assert detail_share(np.full((3, 64, 64), 0.3, np.float32), 1e-3) == 0
    shares = [detail_share(wave(3), lmbda) for lmbda in (1e-3, 1e-2, 1e-1, 1e1)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == 0


def test_without_details_there_are_no_latents_at_every_sample_and_more_steps():
    coarse, fine = (choose_config(wave(period), 1e-2) for period in (32, 3))
    assert (coarse.first_level, coarse.levels) == (1, 6)
    assert (fine.first_level, fine.levels) == (0, 7)
    coarse_large = replace(TIERS["large"], first_level=1, levels=6)
    assert preset_for(coarse_large, 5).steps > preset_for(TIERS["large"], 5).steps


def test_the_expected_size_of_a_large_picture_is_that_of_its_parts():
    tile = np.random.default_rng(0).random((3, 256, 256), np.float32) * 0.1
    small = expected_bytes(tile, 1e-3)
    assert expected_bytes(np.tile(tile, (1, 8, 8)), 1e-3) == pytest.approx(64 * small, rel=0.02)


def test_large_networks_take_fewer_steps_of_every_effort():
    for effort in EFFORTS:
        assert preset_for(TIERS["medium"], effort) == preset(effort)
        large = preset_for(TIERS["large"], effort)
        assert 0.7 < large.steps / preset(effort).steps < 0.75
        assert large.latent_trials == preset(effort).latent_trials
