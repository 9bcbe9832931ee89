"""Metrics of sound as heard, by packages that are not needed otherwise.

None of them replaces a listening test. ViSQOL is nearly blind to pre-echo and meant to be averaged
over many clips; Zimtohrli is sensitive to it; PESQ and STOI are made for speech alone.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

import numpy as np

from inrcodec.errors import BadInput, BadOption
from inrcodec.evaluate.metrics.pairs import check_rate, sound_pair
from inrcodec.evaluate.rates import resampled

INSTALL = 'pip install "inrcodec[audio-metrics]"'
# Name of the module: name of the package that brings it.
PACKAGES = {
    "visqol": "visqol-python",
    "zimtohrli": "zimtohrli",
    "pesq": "pesq",
    "pystoi": "pystoi",
}


def missing(module: str) -> str | None:
    """Why a module of `PACKAGES` cannot be used, and what to do; None if it can.

    It is looked for, not imported, so this takes microseconds.
    """
    if importlib.util.find_spec(module) is not None:
        return None
    return f"the package {PACKAGES[module]} is not installed; {INSTALL}"


def visqol_mos(reference: np.ndarray, decoded: np.ndarray, rate_hz: int) -> float:
    """ViSQOL's mean opinion score for general audio, 1..about 4.75 (`visqol-python`).

    Audio mode with its own model, on the mean of the channels at 48 kHz (Chinen et al., "ViSQOL v3:
    An Open Source Production Ready Objective Speech and Audio Metric", QoMEX 2020).

    Args:
        reference, decoded: [samples] or [samples, channels] of one shape, full scale 1.
        rate_hz: samples per second.

    Raises:
        BadInput: shapes differ, or the signal is silent or too short for it.
        BadOption: the package is not installed.
    """
    visqol = _module("visqol")
    first, second = (x.mean(axis=1) for x in _at_rate(reference, decoded, rate_hz, 48000))
    api = visqol.VisqolApi()
    api.create(mode="audio")
    try:
        score = float(api.measure_from_arrays(first, second, 48000).moslqo)
    except Exception as error:  # of any type where it finds nothing to compare
        raise BadInput(f"ViSQOL cannot compare these sounds: {error}") from error
    return score


def zimtohrli_mos(reference: np.ndarray, decoded: np.ndarray, rate_hz: int) -> float:
    """Zimtohrli's mean opinion score, 1..5: that of the worst channel, at 48 kHz (`zimtohrli`).

    The metric of google/zimtohrli, made for differences that are just noticeable. Args and errors
    as `visqol_mos`.
    """
    zimtohrli = _module("zimtohrli")
    first, second = _at_rate(reference, decoded, rate_hz, 48000)
    return min(
        float(zimtohrli.mos_from_signals(a, b)) for a, b in zip(first.T, second.T, strict=True)
    )


def pesq_mos(reference: np.ndarray, decoded: np.ndarray, rate_hz: int) -> float:
    """Wideband PESQ of speech, 1.04..4.64: the mean of the channels, at 16 kHz (`pesq`).

    ITU-T P.862.2. Args and errors as `visqol_mos`; a signal in which PESQ hears no utterance is a
    BadInput too.
    """
    pesq = _module("pesq")
    first, second = _at_rate(reference, decoded, rate_hz, 16000)
    try:
        scores = [pesq.pesq(16000, a, b, "wb") for a, b in zip(first.T, second.T, strict=True)]
    except (pesq.PesqError, ValueError) as error:
        words = error.args[0] if error.args else error
        words = words.decode() if isinstance(words, bytes) else words
        raise BadInput(f"PESQ cannot compare these sounds: {words}") from error
    return float(np.mean(scores))


def stoi(reference: np.ndarray, decoded: np.ndarray, rate_hz: int) -> float:
    """Short-time objective intelligibility of speech, up to 1: the mean of the channels (`pystoi`).

    Taal et al., "An Algorithm for Intelligibility Prediction of Time-Frequency Weighted Noisy
    Speech", IEEE TASLP 19(7), 2011. Args and errors as `visqol_mos`.
    """
    pystoi = _module("pystoi")
    check_rate(rate_hz)
    first, second = sound_pair(reference, decoded)
    if len(first) < 0.5 * rate_hz:
        raise BadInput(
            f"the sound lasts {len(first) / rate_hz:.3f} s, expected half a second or more for "
            "STOI; leave this metric out"
        )
    return float(
        np.mean([pystoi.stoi(a, b, rate_hz) for a, b in zip(first.T, second.T, strict=True)])
    )


def _at_rate(
    reference: np.ndarray, decoded: np.ndarray, rate_hz: int, new_rate_hz: int
) -> tuple[np.ndarray, np.ndarray]:
    check_rate(rate_hz)
    first, second = sound_pair(reference, decoded)
    if not first.any():
        raise BadInput(
            "the reference is silent, expected some sound, as silence is not heard better or "
            "worse; leave this metric out"
        )
    return tuple(resampled(sound, round(rate_hz), new_rate_hz) for sound in (first, second))


def _module(name: str) -> ModuleType:
    reason = missing(name)
    if reason:
        raise BadOption(reason)
    return importlib.import_module(name)
