"""Sounds of a run: short clips to listen to, and their spectrograms."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from inrcodec.errors import InrError
from inrcodec.evaluate.qualities import Quality
from inrcodec.evaluate.report.crops import caption
from inrcodec.evaluate.report.matching import matches, middle
from inrcodec.evaluate.report.pictures import data_uri, decoded_path, original_path
from inrcodec.evaluate.results import Results
from inrcodec.media.audio import load_audio, save_audio
from inrcodec.signal import AudioSignal

BUDGET_BYTES = 5 << 20
_MAX_SOUNDS, _CLIP_SECONDS = 4, 4.0
_WINDOW, _COLUMNS, _ROWS, _RANGE_DB = 1024, 440, 160, 90.0
# From silence to full scale, dark to light with a hue that changes one way (after S. van der Walt
# and N. Smith's inferno), so that it is read without colour vision and in grey print.
_COLOURS = ((0, 0, 4), (60, 9, 101), (140, 41, 99), (211, 67, 63), (250, 140, 20), (252, 255, 164))


def read_clip(path: Path, begin: int, frames: int | None) -> AudioSignal:
    """Some frames of a sound; all from `begin` on without a number of them.

    Raises:
        InrError: it cannot be read.
    """
    signal = load_audio(path, path.name)
    return signal.part(begin, signal.frames if frames is None else begin + frames)


def players(
    results: Results, quality: Quality, folder: Path, originals: Mapping[str, str]
) -> tuple[str, list[str]]:
    """HTML of what can be heard and seen of sounds, and what could not be read.

    Args:
        results: of sounds.
        quality: named below each player.
        folder: of the run.
        originals: their paths by signal.
    """
    parts, notes, room = [], [], BUDGET_BYTES
    for signal in results.signals[:_MAX_SOUNDS]:
        try:
            found = matches(results, signal)
            if not found:
                continue
            match = middle(found)
            whole = read_clip(original_path(folder, originals, signal), 0, None)
            begin, frames = _loudest(whole)
            cards = [_card("original", "", whole.part(begin, begin + frames))]
            for codec, point in match.points.items():
                clip = read_clip(decoded_path(folder, point), begin, frames)
                text = caption(match, codec, quality.of(point), quality)
                cards.append(_card(codec, text, clip))
        except InrError as error:
            notes.append(f"{signal}: {error}")
            continue
        block = f"<h4>{html.escape(signal)}</h4><div class='sounds'>{''.join(cards)}</div>"
        room -= len(block)
        if room < 0 and parts:
            notes.append(f"{signal}: left out, so that this page stays small")
            break
        parts.append(block)
    return "".join(parts), notes


def _loudest(signal: AudioSignal) -> tuple[int, int]:
    """First frame and length of the clip with the most energy."""
    frames = min(signal.frames, round(_CLIP_SECONDS * signal.rate_hz))
    energy = np.square(signal.samples.astype(np.float64)).sum(axis=1)
    sums = np.concatenate([[0.0], np.cumsum(energy)])
    return int((sums[frames:] - sums[:-frames]).argmax()), frames


def _card(name: str, text: str, clip: AudioSignal) -> str:
    sound = base64.b64encode(save_audio(clip, ".flac")).decode("ascii")
    label = html.escape(name)
    return (
        f"<figure><img src='{data_uri(spectrogram(clip))}' alt='Spectrogram of {label}: time to "
        f"the right, 0 to {clip.rate_hz / 2000:g} kHz upwards'>"
        f"<audio controls preload='none' aria-label='{label}' "
        f"src='data:audio/flac;base64,{sound}'></audio>"
        f"<figcaption><b>{label}</b> {html.escape(text)}</figcaption></figure>"
    )


def spectrogram(clip: AudioSignal) -> np.ndarray:
    """[rows, columns, 3] uint8: power over time (to the right) and frequency (upwards), in dB.

    Args:
        clip: mixed to one channel.
    """
    mono = clip.floats().mean(axis=1)
    mono = np.pad(mono, (0, max(0, _WINDOW - len(mono))))
    starts = np.linspace(0, len(mono) - _WINDOW, _COLUMNS).astype(np.intp)
    pieces = mono[starts[:, None] + np.arange(_WINDOW)] * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(pieces, axis=1)[:, 1:]) ** 2
    edges = np.linspace(0, power.shape[1], _ROWS + 1).astype(np.intp)[:-1]
    rows = np.maximum.reduceat(power, edges, axis=1).T[::-1]
    # A sine of full scale gives a quarter of the squared sum of the window, (_WINDOW / 4)**2.
    decibels = 10 * np.log10(rows / (_WINDOW / 4) ** 2 + 1e-20)
    place = np.clip(1 + decibels / _RANGE_DB, 0, 1) * (len(_COLOURS) - 1)
    table = np.array(_COLOURS, np.float64)
    channels = [np.interp(place, np.arange(len(table)), table[:, i]) for i in range(3)]
    return np.rint(np.stack(channels, axis=2)).astype(np.uint8)
