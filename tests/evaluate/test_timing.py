"""Times of points: of the work alone, without what the first call of a codec loads."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest

from inrcodec.errors import BadInput
from inrcodec.evaluate import timing
from inrcodec.evaluate.codecs import InrCodec, ffmpeg_audio, ffmpeg_video, pillow
from inrcodec.signal import AudioSignal, Signal, VideoSignal

PICTURE = Signal(np.random.default_rng(0).integers(0, 256, (200, 90, 3)).astype(np.uint8))


@dataclass
class SlowStart:
    """JPEG whose first call in a process takes a quarter of a second."""

    name: str = "slow-start"
    seen: list[object] = field(default_factory=list)

    def encode(self, signal, setting):
        if not self.seen:
            time.sleep(0.25)
        self.seen.append(signal)
        return pillow.JPEG.encode(signal, setting)

    def decode(self, data, like):
        return pillow.JPEG.decode(data, like)


@pytest.fixture(autouse=True)
def _cold(monkeypatch):
    monkeypatch.setattr(timing, "_warm", set())


def test_the_first_call_of_a_codec_is_not_timed():
    codec, setting = SlowStart(), pillow.JPEG.settings(PICTURE)[0]
    assert timing.warm_up(codec, PICTURE, setting)
    _, spent = timing.timed(lambda: codec.encode(PICTURE, setting))
    assert spent.seconds < 0.2
    assert len(codec.seen) == 2


def test_a_codec_is_warmed_up_once_per_process_by_something_small_of_the_same_form():
    codec, setting = SlowStart(), pillow.JPEG.settings(PICTURE)[0]
    assert [timing.warm_up(codec, PICTURE, setting) for _ in range(3)] == [True, False, False]
    (small,) = codec.seen
    assert small.samples.shape == (64, 64, 3)


def test_sounds_and_videos_are_warmed_up_by_their_beginning():
    sound = AudioSignal(np.zeros((50_000, 2), np.int16), 16_000)
    planes = [np.zeros((5, 64, 96), np.uint8), *[np.zeros((5, 32, 48), np.uint8)] * 2]
    video = VideoSignal(tuple(planes), Fraction(25))
    seen = []
    for codec, signal in ((ffmpeg_audio.CODECS[0], sound), (ffmpeg_video.CODECS[0], video)):
        wrapped = SlowStart(codec.name)
        wrapped.encode = lambda small, setting: seen.append(small)
        timing.warm_up(wrapped, signal, codec.settings(signal)[0])
    assert [small.frames for small in seen] == [4000, 2]
    assert (seen[0].rate_hz, seen[0].channels) == (16_000, 2)


def test_our_codec_is_warmed_up_at_the_lowest_effort(monkeypatch):
    efforts = []
    monkeypatch.setattr(InrCodec, "encode", lambda self, *_: efforts.append(self.effort))
    codec = InrCodec(effort=9)
    timing.warm_up(codec, PICTURE, codec.settings(PICTURE)[0])
    assert efforts == [1]


def test_what_fails_while_warming_up_is_left_to_the_real_call(monkeypatch):
    def fails(self, *_):
        raise BadInput("no")

    monkeypatch.setattr(pillow.PillowCodec, "encode", fails)
    assert timing.warm_up(pillow.JPEG, PICTURE, pillow.JPEG.settings(PICTURE)[0])


def test_processor_time_counts_work_and_child_processes_but_no_waiting():
    work = "sum(i * i for i in range(2_000_000))"
    _, child = timing.timed(lambda: subprocess.run([sys.executable, "-c", work], check=True))
    assert child.cpu_seconds > 0.03
    _, waiting = timing.timed(lambda: time.sleep(0.2))
    assert waiting.seconds >= 0.2
    assert waiting.cpu_seconds < 0.1
