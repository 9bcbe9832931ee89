"""A file of the size that was asked for: never larger, hardly smaller; or what is possible."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

import inrcodec
from inrcodec.errors import BadOption
from inrcodec.fit import EncodeOptions
from inrcodec.media.audio import save_audio
from inrcodec.media.video import save_video
from inrcodec.progress import LineReporter
from inrcodec.signal import audio_signal, image_signal, video_signal
from inrcodec.target_size import FITS, TOLERANCE, TOLERANCE_BYTES, encode_to_size

QUICK = {"effort": 1, "device": "cpu"}


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    """[48, 64, 3] uint8: waves, an edge, and some noise."""
    y, x = np.mgrid[:48, :64]
    planes = [y * 4 + x, 128 + 60 * np.sin(x * y / 90), 90 + 50 * np.cos(x / 5) * np.sin(y / 3)]
    planes[1][:, 30:] += 40
    noise = np.random.default_rng(0).normal(size=(48, 64, 3)) * 6
    return (np.stack(planes, axis=-1) + noise).clip(0, 255).astype(np.uint8)


def is_near(size: int, target: int) -> bool:
    return 0 <= target - size <= max(TOLERANCE * target, TOLERANCE_BYTES)


def is_about(size: int, target: int) -> bool:
    """Of files this small: steps of weights are powers of two, each some 15% of such a network."""
    return 0.8 * target < size <= target


@pytest.mark.parametrize("field", ["grid", "siren"])
@pytest.mark.parametrize("target", [450, 1300])
def test_a_picture_gets_the_size_that_was_asked_for(samples, field: str, target: int) -> None:
    data = inrcodec.encode(samples, field=field, target_bytes=target, **QUICK)
    assert is_about(len(data), target)
    assert inrcodec.verify(data).samples.shape == samples.shape
    assert inrcodec.encode(samples, field=field, target_bytes=target, **QUICK) == data


def test_metadata_count_unless_they_are_left_out(samples, tmp_path) -> None:
    path = tmp_path / "in.png"
    Image.fromarray(samples).save(path, icc_profile=bytes(range(256)))
    for strip in (False, True):
        data = inrcodec.encode(path, target_bytes=1500, strip=strip, **QUICK)
        assert 0.7 * 1500 < len(data) <= 1500
        assert bool(inrcodec.info(data)["metadata_bytes"]) is not strip


def test_segments_of_a_sound_have_the_size_together(tmp_path) -> None:
    t = np.arange(1600)[:, None] / 8000
    tones = 0.3 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * 997 * t * (1 + t))
    sound = audio_signal(tones, 8000, 16)
    path = tmp_path / "in.wav"
    path.write_bytes(save_audio(sound, ".wav"))
    options = {"field": "siren", "segment_seconds": 0.1, "target_bytes": 900, **QUICK}
    data = inrcodec.encode(path, **options)
    assert inrcodec.info(data)["segments"] == 2
    assert is_about(len(data), 900)
    assert inrcodec.encode(sound, **options) == data


@pytest.mark.parametrize(
    ("target", "words"),
    [(30, r"target_bytes is 30, and the smallest file .* lmbda 10,"), (10**6, "the largest file")],
)
@pytest.mark.parametrize("network", [{}, {"hidden_features": 5, "hidden_layers": 1}])
def test_a_size_that_no_lambda_reaches_says_which_one_does(target, words, network) -> None:
    small = np.arange(8 * 12, dtype=np.uint8).reshape(8, 12) * 2
    field = "siren" if network else "grid"
    with pytest.raises(BadOption, match=words) as caught:
        inrcodec.encode(small, field=field, network=network, target_bytes=target, **QUICK)
    found = int(str(caught.value).split(" has ")[1].split()[0])
    assert 30 < found < 10**6


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target_bytes": 500, "lmbda": 1e-3}, "lmbda and target_bytes were given"),
        ({"target_bytes": 500, "quality": 50}, "quality and target_bytes were given"),
        ({"target_bytes": 0}, "target_bytes is 0"),
        ({"target_bytes": 500.5}, "target_bytes is 500.5"),
        ({"target_bytes": "1k"}, "target_bytes is '1k'"),
    ],
)
def test_what_is_no_size_is_refused(samples, options, words: str) -> None:
    with pytest.raises(BadOption, match=words):
        inrcodec.encode(samples, **options)


@dataclass(frozen=True)
class Weighed:
    """As much of an `Encoded` as a search looks at."""

    data: bytes
    mse: float


def search(law, target: int, effort: int = 5, field: str = "grid", error=lambda size: 1 / size):
    """A search among files whose size is a law of lambda, of the size of networks and of effort.

    Their error follows from their size.
    """
    signal = image_signal(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8))

    def encode(options: EncodeOptions) -> Weighed:
        size = round(law(options.lmbda, options.shape_lmbda, options.effort))
        return Weighed(bytes(size), error(size))

    return encode_to_size(target, EncodeOptions(effort=effort, field=field), encode, [signal])


def smooth(lmbda: float, shape_lmbda: float, effort: int) -> float:
    return 60 + (8 if effort == 1 else 7) * lmbda**-0.6


def in_steps(lmbda: float, shape_lmbda: float, effort: int) -> float:
    """Networks grow in steps of 30%, and at one size files hardly change."""
    step = round(-0.6 * math.log(shape_lmbda) / math.log(1.3))
    return 60 + (8 if effort == 1 else 9) * 1.3**step * (shape_lmbda / lmbda) ** 0.15


def scattered(lmbda: float, shape_lmbda: float, effort: int) -> float:
    chance = np.random.default_rng(int(lmbda * 1e12)).uniform(0.97, 1.03)
    return chance * smooth(lmbda, shape_lmbda, effort)


@pytest.mark.parametrize(
    ("law", "field"),
    [(smooth, "grid"), (smooth, "siren"), (in_steps, "siren"), (scattered, "grid")],
)
def test_few_slow_fits_are_enough(law, field: str) -> None:
    slow = []
    for target in (100, 170, 300, 551, 1000, 3000, 8000, 20_000):
        found = search(law, target, field=field)
        assert is_near(len(found.encoded.data), target), target
        assert found.options.effort == 5
        slow.append(sum(a.effort == 5 for a in found.attempts))
    assert np.median(slow) <= 3
    assert max(slow) <= FITS


def test_a_jump_over_the_size_ends_below_it() -> None:
    found = search(lambda lmbda, *_: 5000 if lmbda < 1e-3 else 700, 1000)
    assert len(found.encoded.data) == 700
    assert sum(a.effort == 5 for a in found.attempts) <= FITS


def test_of_files_that_fit_the_best_one_counts() -> None:
    def law(lmbda: float, *_: float) -> float:
        return 60 + 9 * lmbda**-0.6

    attempts = search(law, 2000, effort=1).attempts
    sizes = {a.file_bytes for a in attempts if a.file_bytes <= 2000}
    assert len(sizes) > 1
    worse_if_larger = search(law, 2000, effort=1, error=lambda size: size)
    assert len(worse_if_larger.encoded.data) == min(sizes)


def test_every_line_of_progress_says_which_attempt_it_is_of(samples, capsys) -> None:
    class EveryStep(LineReporter):
        interval_seconds = 0.0

    options = EncodeOptions(effort=1, device="cpu", reporter=EveryStep())
    found = encode_to_size(
        700,
        options,
        lambda o: inrcodec.codec.encode(image_signal(samples), o),
        [image_signal(samples)],
    )
    lines = capsys.readouterr().err.splitlines()
    numbers = [int(line.split(":")[0].removeprefix("attempt ")) for line in lines]
    assert sorted(set(numbers)) == list(range(1, len(found.attempts) + 1))


def test_the_command_line_tells_the_attempts(tmp_path, samples, capsys) -> None:
    from inrcodec.cli.main import main

    source, target = tmp_path / "in.png", tmp_path / "out.inr"
    Image.fromarray(samples).save(source)
    flags = ["--target-bytes", "800", "-e", "1", "--device", "cpu", "--json"]
    assert main(["encode", str(source), str(target), *flags]) == 0
    told = capsys.readouterr()
    facts = json.loads(told.out)
    assert facts["target_bytes"] == 800
    assert is_about(target.stat().st_size, 800)
    sizes = {(a["lmbda"], a["file_bytes"]) for a in facts["attempts"]}
    assert (facts["lmbda"], facts["file_bytes"]) in sizes
    assert f"{len(facts['attempts'])} attempts" in told.err
    assert main(["encode", str(source), "-f", *flags, "-q", "40"]) == 2


def test_a_stream_that_can_be_read_only_once_is_refused(monkeypatch, tmp_path) -> None:
    from inrcodec.cli.main import main

    film = save_video(video_signal(np.zeros((2, 8, 8, 3), np.uint8), 25), ".y4m")
    path = tmp_path / "film.y4m"
    path.write_bytes(film)
    with path.open("rb") as stream:
        monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": stream}))
        flags = ["--target-bytes", "800", "--field", "siren", "--quiet"]
        assert main(["encode", "-", str(tmp_path / "out.inr"), *flags]) == 2
    assert not (tmp_path / "out.inr").exists()
