import math
from fractions import Fraction

import numpy as np
import pytest

from inrcodec.errors import BadInput, BadOption
from inrcodec.evaluate.metrics import (
    catalogue,
    perceptual,
    pixel,
    psnr_db,
    spectral,
    structure,
)
from inrcodec.evaluate.metrics.catalogue import (
    CATALOGUE,
    ImagePair,
    SoundPair,
    VideoPair,
    available,
    measure,
    pair_of,
)
from inrcodec.evaluate.metrics.video import video_psnr
from inrcodec.evaluate.metrics.waveform import segmental_snr_db, snr_db
from inrcodec.signal import AudioSignal, Signal, VideoSignal

HEARD = ["visqol_mos", "zimtohrli_mos", "pesq_mos", "stoi"]


def names(kind: str) -> list[str]:
    return [name for metric in CATALOGUE[kind] for name in metric.names]


def tone(rate_hz: int = 8000) -> np.ndarray:
    return np.rint(9000 * np.sin(np.arange(rate_hz) / 7)).astype(np.int16)[:, None]


def test_every_name_of_a_kind_is_its_own():
    for kind in CATALOGUE:
        assert len(set(names(kind))) == len(names(kind))


def test_a_picture_gets_every_number(pictures):
    a, b = pictures((165, 170, 3))
    report = measure(ImagePair(a, b))
    assert list(report.values) == names("image")
    assert report.notes == {}
    assert report.values["psnr_db"] == psnr_db(a, b)
    assert len(report.values["psnr_channels_db"]) == 3
    assert all(math.isfinite(v) for v in report.values.values() if isinstance(v, float))


def test_what_a_small_grey_picture_cannot_have_is_noted(pictures):
    report = measure(ImagePair(*pictures((20, 30, 1))))
    assert report.notes == {
        **dict.fromkeys(
            ("psnr_y_db", "psnr_u_db", "psnr_v_db", "psnr_yuv_db"), "needs red, green and blue"
        ),
        "ms_ssim": "needs sides of at least 161 pixels",
        "ms_ssim_db": "needs sides of at least 161 pixels",
    }
    assert all(math.isnan(report.values[name]) for name in report.notes)


def test_alpha_counts_in_psnr_alone(pictures):
    a, b = pictures((20, 30, 4))
    opaque = a.copy()
    opaque[..., 3] = b[..., 3]
    with_error, without = measure(ImagePair(a, b)), measure(ImagePair(opaque, b))
    assert with_error.values["psnr_db"] < without.values["psnr_db"]
    for name in ("psnr_yuv_db", "ssim", "rho_ag", "sec_reference"):
        assert with_error.values[name] == without.values[name]


def test_a_sound_gets_every_number_that_needs_no_package(monkeypatch):
    monkeypatch.setattr(perceptual.importlib.util, "find_spec", lambda _: None)
    sound = AudioSignal(tone(), 8000)
    noisy = AudioSignal(sound.samples + np.int16(3), 8000)
    report = measure(pair_of(sound, noisy))
    assert list(report.values) == names("audio")
    assert list(report.notes) == HEARD
    assert all("[audio-metrics]" in note for note in report.notes.values())
    assert report.values["snr_db"] == pytest.approx(snr_db(sound.samples, noisy.samples))


def test_sounds_of_different_depths_are_compared_at_full_scale():
    sound = AudioSignal(tone(), 8000)
    deeper = AudioSignal(tone().astype(np.int32) << 8, 8000, 24)
    assert measure(pair_of(sound, deeper)).values["snr_db"] == math.inf


def test_a_sound_that_one_metric_refuses_gets_the_others():
    report = measure(SoundPair(np.zeros((9, 1)), np.zeros((9, 1)), 100))
    assert "134 Hz" in report.notes["segmental_snr_db"]
    assert report.values["snr_db"] == math.inf


def test_a_video_gets_every_number_that_ffmpeg_is_not_needed_for():
    rng = np.random.default_rng(0)
    planes = [rng.integers(0, 256, (2, n, n), dtype=np.uint8) for n in (16, 8, 8)]
    video = VideoSignal(planes, Fraction(25))
    other = VideoSignal([plane ^ np.uint8(1) for plane in planes], Fraction(25))
    report = measure(pair_of(video, other))
    assert list(report.values) == names("video")
    assert set(report.notes) <= {"vmaf"}
    assert report.values["psnr_yuv_db"] == pytest.approx(20 * math.log10(255))


def test_available_names_what_is_missing(monkeypatch):
    monkeypatch.setattr(perceptual.importlib.util, "find_spec", lambda _: None)
    assert list(available("audio")) == names("audio")
    assert [name for name, reason in available("audio").items() if reason] == HEARD
    assert available("image") == dict.fromkeys(names("image"))
    assert available().keys() == {name for kind in CATALOGUE for name in names(kind)}
    with pytest.raises(BadInput, match="'smell', expected one of image, audio, video"):
        available("smell")


def test_signals_that_cannot_be_compared_are_refused_as_a_whole():
    grey = Signal(np.zeros((4, 5, 1), np.uint8))
    wide = Signal(np.zeros((4, 6, 1), np.uint8))
    deep = Signal(np.zeros((4, 5, 1), np.uint16), 16)
    sound = AudioSignal(tone(), 8000)
    with pytest.raises(BadInput, match=r"\(4, 5, 1\).*\(4, 6, 1\).*same"):
        measure(pair_of(grey, wide))
    with pytest.raises(BadInput, match="bit depth of the reference is 8, .* 16; .*convert"):
        pair_of(grey, deep)
    with pytest.raises(BadInput, match="kind of the reference is image, .* audio"):
        pair_of(grey, sound)
    with pytest.raises(BadInput, match="rate in Hz .* is 8000, .* 9000"):
        pair_of(sound, AudioSignal(tone(), 9000))
    with pytest.raises(BadInput, match="same"):
        measure(pair_of(sound, AudioSignal(tone()[:-1], 8000)))
    planes = [np.zeros((1, 8, 8), np.uint8)] * 3
    with pytest.raises(BadInput, match="same"):
        measure(VideoPair(planes, [plane[:, 1:] for plane in planes]))


def test_only_the_metrics_that_are_wanted_are_measured():
    pair = catalogue.ImagePair(*np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)))
    report = catalogue.measure(pair, ["ssim", "psnr_db"])
    assert list(report.values) == ["psnr_db", "ssim"]


def test_quick_metrics_are_some_of_each_kind():
    for kind in catalogue.CATALOGUE:
        assert 0 < len(catalogue.quick(kind)) < len(catalogue.available(kind))


def test_what_is_no_pair_signal_or_metric_is_refused_by_name(pictures):
    for nothing in (None, 5, np.zeros(3)):
        with pytest.raises(BadInput, match="cannot be measured, expected an ImagePair"):
            measure(nothing)
        with pytest.raises(BadInput, match="the reference is a .*, expected a Signal"):
            pair_of(nothing, Signal(np.zeros((4, 5, 1), np.uint8)))
    pair = ImagePair(*pictures((20, 30, 3)))
    for names_given in (5, "psnr_db"):
        with pytest.raises(BadOption, match="expected a list of names"):
            measure(pair, names_given)
    with pytest.raises(BadOption, match="there is no metric 'loudness' for image; there are: psnr"):
        measure(pair, ["loudness"])
    with pytest.raises(BadInput, match="expected one of image"):
        available(["image"])


@pytest.mark.parametrize("odd", [None, "x", [[1, 2], [3]], {}])
def test_odd_arguments_of_every_metric_are_refused_as_such(odd, pictures):
    a, b = pictures((20, 30, 3))
    sound = tone()
    video = [np.zeros((2, 16, 16), np.uint8)]
    for call in (
        lambda: pixel.psnr_db(a, odd),
        lambda: pixel.psnr_db(a, b, odd),
        lambda: pixel.yuv_psnr_db(a, b, matrix=odd),
        lambda: pixel.mean_of_psnr_db(odd),
        lambda: pixel.psnr_of_mean_mse_db(odd),
        lambda: pixel.psnr_of_mse_db(odd),
        lambda: structure.ssim(odd, b),
        lambda: structure.ms_ssim_db(odd),
        lambda: spectral.amplitude_correlation(a, b, dimensions=odd),
        lambda: spectral.radial_power_spectrum(a, 2, odd or "none"),
        lambda: snr_db(sound, odd),
        lambda: segmental_snr_db(sound, sound, odd),
        lambda: perceptual.stoi(sound, sound, odd),
        lambda: video_psnr(video, odd),
        lambda: video_psnr(odd, video),
    ):
        with pytest.raises(
            (BadInput, BadOption), match="expected|not installed|must have the same"
        ):
            call()
