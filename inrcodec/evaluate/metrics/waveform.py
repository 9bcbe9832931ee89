"""Metrics of sound that need no ear: ratios of signal to error, and distance of spectra.

They check the plumbing of a codec. What a listener notices they do not know: see `perceptual`.
"""

from __future__ import annotations

import math

import numpy as np

from inrcodec.errors import BadInput
from inrcodec.evaluate.metrics.pairs import check_rate, sound_pair

SEGMENT_SECONDS = 0.030
SEGMENT_SNR_RANGE_DB = (-10.0, 35.0)
LSD_FFT, LSD_HOP = 2048, 512
# Of |FFT|**2 at full scale 1, that of NU-Wave. Rounding to 16 bits gives 6e-8 with this window:
# digital silence and its dither are near each other, and everything that 16 bits hold counts.
LSD_POWER_FLOOR = 1e-8
_BLOCK_FRAMES = 1024


def snr_db(reference: np.ndarray, decoded: np.ndarray) -> float:
    """Signal-to-noise ratio over all samples and channels: 10 log10(sum s**2 / sum (s - d)**2).

    Args:
        reference, decoded: [samples] or [samples, channels] of one shape, at any scale.

    Returns:
        Infinite for equal signals, -infinite for a silent reference and another reconstruction.

    Raises:
        BadInput: shapes differ or are not those of sound.
    """
    first, second = sound_pair(reference, decoded)
    return _ratio_db(_energy(first), _energy(first - second))


def si_snr_db(reference: np.ndarray, decoded: np.ndarray) -> float:
    """Scale-invariant signal-to-noise ratio, mean over channels.

    Both means are subtracted; target = (<d, s> / |s|**2) s, and the ratio is that of the target to
    d - target (Luo and Mesgarani, "TasNet", ICASSP 2018; Le Roux et al., "SDR - half-baked or well
    done?", ICASSP 2019). A codec that keeps the gain gains nothing by it over `snr_db`.

    Args and errors as `snr_db`.

    Returns:
        Infinite for equal signals, -infinite if some channel of the reconstruction is constant, NaN
        if one of the reference is.
    """
    first, second = sound_pair(reference, decoded)
    return float(np.mean([_si_snr_db(s, d) for s, d in zip(first.T, second.T, strict=True)]))


def _si_snr_db(reference: np.ndarray, decoded: np.ndarray) -> float:
    if not np.ptp(reference):
        return math.nan
    if not np.ptp(decoded):
        return -math.inf
    s, d = reference - reference.mean(), decoded - decoded.mean()
    target = (s @ d) / (s @ s) * s
    return _ratio_db(_energy(target), _energy(d - target))


def segmental_snr_db(reference: np.ndarray, decoded: np.ndarray, rate_hz: float) -> float:
    """Segmental signal-to-noise ratio: the mean of that of short frames, each within -10..35 dB.

    Frames of 30 ms, a quarter of it apart, under a Hann window, as `comp_snr` of Loizou, "Speech
    Enhancement: Theory and Practice" (2007; Hansen and Pellom 1998), mean over channels. Unlike
    there, frames whose reference is silent are left out: their ratio is that of nothing.

    Args:
        reference, decoded: [samples] or [samples, channels] of one shape, at any scale.
        rate_hz: samples per second.

    Returns:
        NaN where no frame is left: a silent reference, or less than 30 ms.

    Raises:
        BadInput: as `snr_db`, or a rate that gives a frame no samples.
    """
    first, second = sound_pair(reference, decoded)
    frame = segment_samples(rate_hz)
    window = np.hanning(frame + 2)[1:-1]
    ratios = []
    for s, d in zip(first.T, second.T, strict=True):
        for clean, noise in zip(
            _frames(s, frame, frame // 4), _frames(s - d, frame, frame // 4), strict=True
        ):
            signal = ((window * clean) ** 2).sum(axis=1)
            error = ((window * noise) ** 2).sum(axis=1)[signal > 0]
            signal = signal[signal > 0]
            # 120 dB instead of infinity ends in the upper bound all the same.
            ratios.append(10 * np.log10(signal / np.maximum(error, 1e-12 * signal)))
    values = np.concatenate(ratios) if ratios else np.empty(0)
    return float(np.clip(values, *SEGMENT_SNR_RANGE_DB).mean()) if values.size else math.nan


def segment_samples(rate_hz: float) -> int:
    """The length of a frame of the segmental SNR.

    Raises:
        BadInput: the rate gives it fewer than 4 samples.
    """
    check_rate(rate_hz)
    frame = round(SEGMENT_SECONDS * rate_hz)
    if frame < 4:
        raise BadInput(f"the sample rate is {rate_hz!r} Hz, expected at least 134 Hz")
    return frame


def log_spectral_distance(reference: np.ndarray, decoded: np.ndarray) -> float:
    """Log-spectral distance in log10 of power (times 10: dB), mean over frames and channels.

    mean_t sqrt(mean_f (log10 |S|**2 - log10 |D|**2)**2) of an FFT of 2048 every 512 samples under
    a periodic Hann window, powers at least `LSD_POWER_FLOOR` (Gray and Markel, IEEE TASSP 24(5),
    1976; settings of the code of Lee and Han, "NU-Wave", Interspeech 2021, which also counts frames
    that reach over the ends). Frames that the end of the signal cuts are left out; a signal shorter
    than a frame is filled up with zeros.

    Args:
        reference, decoded: [samples] or [samples, channels] of one shape, full scale 1.

    Raises:
        BadInput: as `snr_db`.
    """
    first, second = sound_pair(reference, decoded)
    if len(first) < LSD_FFT:
        fill = ((0, LSD_FFT - len(first)), (0, 0))
        first, second = np.pad(first, fill), np.pad(second, fill)
    distances = []
    for s, d in zip(first.T, second.T, strict=True):
        for a, b in zip(_frames(s, LSD_FFT, LSD_HOP), _frames(d, LSD_FFT, LSD_HOP), strict=True):
            difference = _log_power(a) - _log_power(b)
            distances.append(np.sqrt((difference * difference).mean(axis=1)))
    return float(np.concatenate(distances).mean())


def _log_power(frames: np.ndarray) -> np.ndarray:
    window = np.hanning(LSD_FFT + 1)[:-1]
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    return np.log10(np.maximum(power, LSD_POWER_FLOOR))


def _frames(signal: np.ndarray, frame: int, hop: int) -> list[np.ndarray]:
    """All whole frames, [frames, frame] in blocks: hours of sound must not be copied at once."""
    if len(signal) < frame:
        return []
    view = np.lib.stride_tricks.sliding_window_view(signal, frame)[::hop]
    return [view[i : i + _BLOCK_FRAMES] for i in range(0, len(view), _BLOCK_FRAMES)]


def _energy(values: np.ndarray) -> float:
    return float((values * values).sum())


def _ratio_db(signal: float, error: float) -> float:
    if not error:
        return math.inf
    return 10 * math.log10(signal / error) if signal else -math.inf
