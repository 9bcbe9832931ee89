import math

import numpy as np
import pytest
import scipy.signal

from inrcodec.errors import BadInput, BadOption
from inrcodec.evaluate.metrics import perceptual
from inrcodec.evaluate.metrics.perceptual import pesq_mos, stoi, visqol_mos, zimtohrli_mos

RATE_HZ = 16000


def noisy(speech: np.ndarray, snr_db: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=speech.shape)
    return speech + noise * np.sqrt((speech**2).mean() / (noise**2).mean() / 10 ** (snr_db / 10))


@pytest.mark.parametrize(
    ("metric", "module", "best"),
    [
        (stoi, "pystoi", 1.0),
        (pesq_mos, "pesq", 4.64),
        (zimtohrli_mos, "zimtohrli", 5.0),
        pytest.param(visqol_mos, "visqol", 4.73, marks=pytest.mark.slow),
    ],
)
def test_more_noise_is_heard_as_worse(speech, metric, module, best):
    pytest.importorskip(module)
    scores = [metric(speech, noisy(speech, level), RATE_HZ) for level in (30, 0)]
    assert metric(speech, speech, RATE_HZ) == pytest.approx(best, abs=0.01)
    assert best > scores[0] > scores[1]
    stereo = np.stack([speech, speech], 1), np.stack([noisy(speech, 0)] * 2, 1)
    assert metric(*stereo, RATE_HZ) == pytest.approx(scores[1], abs=1e-6)


def test_pesq_is_that_of_its_package_at_its_own_rate(speech):
    pesq = pytest.importorskip("pesq")
    worse = noisy(speech, 10)
    assert pesq_mos(speech, worse, RATE_HZ) == pesq.pesq(RATE_HZ, speech, worse, "wb")


def test_pesq_of_another_rate_is_nearly_the_same(speech):
    pytest.importorskip("pesq")
    worse = noisy(speech, 10)
    fine = [scipy.signal.resample(x, 3 * len(x)) for x in (speech, worse)]
    assert pesq_mos(*fine, 3 * RATE_HZ) == pytest.approx(pesq_mos(speech, worse, RATE_HZ), abs=0.01)


def test_what_pesq_cannot_judge_is_bad_input(speech):
    pytest.importorskip("pesq")
    with pytest.raises(BadInput, match="PESQ cannot compare these sounds: .*1/4 of a second"):
        pesq_mos(speech[:3000], speech[:3000], RATE_HZ)


def test_a_missing_package_says_how_to_get_it(monkeypatch, speech):
    monkeypatch.setattr(perceptual.importlib.util, "find_spec", lambda _: None)
    for metric, package in (
        (visqol_mos, "visqol-python"),
        (zimtohrli_mos, "zimtohrli"),
        (pesq_mos, "pesq"),
        (stoi, "pystoi"),
    ):
        with pytest.raises(BadOption, match=rf"{package} is not installed.*\[audio-metrics\]"):
            metric(speech, speech, RATE_HZ)


def test_silence_other_shapes_and_rates_are_refused(speech):
    pytest.importorskip("zimtohrli")
    with pytest.raises(BadInput, match="silent"):
        zimtohrli_mos(0 * speech, speech, RATE_HZ)
    with pytest.raises(BadInput, match="same"):
        zimtohrli_mos(speech, speech[:-1], RATE_HZ)
    for rate_hz in (0, -8000, math.nan):
        with pytest.raises(BadInput, match="sample rate"):
            zimtohrli_mos(speech, speech, rate_hz)
    with pytest.raises(BadInput, match="half a second"):
        stoi(speech[:1000], speech[:1000], RATE_HZ)
