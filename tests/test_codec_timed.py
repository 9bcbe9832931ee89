"""Sound and video through the codec, by a field of known formula: segments, times, every sample."""

import hashlib
import tracemalloc
from dataclasses import dataclass, replace
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import inrcodec
from inrcodec import codec, sampling
from inrcodec.bitstream.container import SEGMENT, TICKS, Section, read_container, write_container
from inrcodec.bitstream.header import ImageHeader, pack_header
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadInput, BadOption, CorruptFile, LimitExceeded, UnsupportedFile
from inrcodec.fit import EncodeOptions
from inrcodec.grid import Grid
from inrcodec.inr_file import InrFile
from inrcodec.kinds import audio, video
from inrcodec.progress import LineReporter
from inrcodec.signal import AudioSignal, Colour, Signal, VideoSignal, audio_signal, video_signal


@dataclass(frozen=True)
class Options:
    segment_seconds: float | None = None
    reporter: Any = None


def a_sound(frames: int = 2205, channels: int = 2, depth: int = 16) -> AudioSignal:
    t = np.arange(frames)[:, None] / frames
    waves = 0.5 * np.sin(2 * np.pi * (t * 2.5 + np.arange(channels) / 5))
    return audio_signal(waves, 22050, depth)


def a_video(subsampling: str = "4:2:0", frames: int = 12, **more: Any) -> VideoSignal:
    t, y, x = np.mgrid[:frames, :21, :31]
    rgb = np.stack([t * 10 + x * 3, y * 8 + t * 3, x * 4 + y * 2], -1).clip(0, 255)
    made = video_signal(rgb.astype(np.uint8), Fraction(30000, 1001), subsampling=subsampling)
    return replace(made, **more)


def parsed(encoded: codec.Encoded) -> InrFile:
    return InrFile.parse(encoded.data, Limits())


def equal(a: VideoSignal, b: VideoSignal) -> bool:
    return all(np.array_equal(p, q) for p, q in zip(a.planes, b.planes, strict=True))


@pytest.mark.parametrize(("channels", "depth"), [(1, 8), (2, 16), (5, 24), (1, 2)])
def test_a_sound_comes_back_with_its_rate_depth_and_channels(cosine_field, channels, depth) -> None:
    sound = a_sound(channels=channels, depth=depth)
    encoded = codec.encode(sound, Options(), cosine_field.fitted)
    found = codec.verify(encoded.data)
    assert (found.rate_hz, found.bit_depth) == (sound.rate_hz, depth)
    assert found.samples.shape == sound.samples.shape
    assert found.samples.dtype == sound.samples.dtype
    error = (found.samples.astype(float) - sound.samples) / sound.full_scale
    assert encoded.mse == pytest.approx(np.mean(error**2))
    power = np.mean((sound.samples / sound.full_scale) ** 2)
    assert encoded.snr_db == pytest.approx(10 * np.log10(power / np.mean(error**2)))
    assert encoded.rate_kbps == pytest.approx(8 * len(encoded.data) / 0.1 / 1000)
    assert encoded.snr_db > (0 if depth == 2 else 10)


def test_sound_is_clipped_and_rounded_half_up() -> None:
    levels = audio.levels_of(16)
    values = np.array([-9.0, -1.0, -1.5 / 2**15, -0.5 / 2**15, 0.0, 0.5 / 2**15, 1.0, 9.0])
    assert levels.samples(values).tolist() == [-32768, -32768, -1, 0, 0, 1, 32767, 32767]


def test_limited_range_keeps_its_meaning_at_another_depth(cosine_field) -> None:
    header = codec.encode(a_video(), Options(), cosine_field.fitted).header
    limited = video.levels_of(header, 10).samples(np.array([16 / 255, 235 / 255, 1.0]))
    assert limited.tolist() == [64, 940, 1020]
    full = video.levels_of(replace(header, full_range=True), 10)
    assert full.samples(np.array([0.0, 1.0])).tolist() == [0, 1023]
    down = video.levels_of(replace(header, bit_depth=10), 8)
    assert down.samples(np.array([64 / 1023, 940 / 1023, 1.0])).tolist() == [16, 235, 255]


@pytest.mark.parametrize("subsampling", ["4:0:0", "4:2:0", "4:2:2", "4:4:4", "4:4:0", "4:1:1"])
def test_every_plane_of_a_video_has_its_own_grid(cosine_field, subsampling) -> None:
    wide = a_video("4:4:4")
    shapes = {"4:0:0": None, "4:2:0": (11, 16), "4:2:2": (21, 16), "4:4:4": (21, 31)}
    shapes |= {"4:4:0": (11, 31), "4:1:1": (21, 8)}
    rows, columns = shapes[subsampling] or (0, 0)
    planes = (wide.planes[0], *(p[:, :rows, :columns].copy() for p in wide.planes[1:]))
    planes = planes[:1] if subsampling == "4:0:0" else planes
    signal = replace(wide, planes=planes, subsampling=subsampling)
    encoded = codec.encode(signal, Options(), cosine_field.fitted)
    found = codec.verify(encoded.data)
    assert [p.shape for p in found.planes] == [p.shape for p in planes]
    assert encoded.psnr_db > 20
    # Each plane is an output of the one field, at the centres of its own grid.
    field = parsed(encoded).field(Limits())
    for i, plane in enumerate(found.planes):
        native = Grid.of_video(*plane.shape, Fraction(25))
        values = field.render(native)[..., i]
        assert np.array_equal(plane, np.floor(values.clip(0, 1) * 255 + 0.5))


def test_what_a_video_says_of_itself_comes_back(cosine_field) -> None:
    colour = Colour(9, 9, 16, True, "topleft")
    deep = tuple(p.astype(np.uint16) << 2 for p in a_video().planes)
    signal = a_video(planes=deep, bit_depth=10, colour=colour, pixel_aspect=Fraction(16, 15))
    signal = replace(signal, metadata={"xmp": b"<x/>"})
    found = codec.decode(codec.encode(signal, Options(), cosine_field.fitted).data)
    for name in ("rate", "bit_depth", "subsampling", "colour", "pixel_aspect", "metadata"):
        assert getattr(found, name) == getattr(signal, name), name
    assert found.is_constant_rate
    assert found.time_base == 1 / signal.rate


def varying(**more: Any) -> VideoSignal:
    ticks = np.array([7, 10, 14, 20, 23, 26, 29, 40, 43, 46, 50, 53], np.int64)
    return a_video(ticks=ticks, time_base=Fraction(1, 100), rate=Fraction(25), **more)


@pytest.mark.parametrize("seconds", [None, 0.2])
def test_a_variable_rate_is_kept_and_begins_at_0(cosine_field, seconds) -> None:
    encoded = codec.encode(varying(), Options(seconds), cosine_field.fitted)
    assert TICKS in [s.type for s in parsed(encoded).sections]
    found = codec.verify(encoded.data)
    assert found.ticks.tolist() == (varying().ticks - 7).tolist()
    assert found.time_base == Fraction(1, 100)
    part = codec.decode(encoded.data, time=(0.1, 0.2))
    assert part.ticks.tolist() == [13, 16, 19]
    assert equal(part, found.part(3, 6))


def test_a_variable_rate_becomes_constant_at_the_right_times(cosine_field) -> None:
    """Frame j of 100 per second lies within the frame that is shown at its time."""
    signal = varying()
    data = codec.encode(signal, Options(), cosine_field.fitted).data
    found = codec.decode(data, fps=100)
    assert found.is_constant_rate and found.rate == 100
    ticks = signal.ticks - 7
    assert found.frames == ticks[-1] + 4
    plan = InrFile.parse(data, Limits()).plan(Limits(), fps=100)
    positions = [float(axis.positions[0]) for axis in plan.pace.axes]
    for j, position in enumerate(positions):
        assert int(position) == np.searchsorted(ticks, j, side="right") - 1
    assert (np.diff(positions) > 0).all()
    with pytest.raises(BadOption, match="does not lie inside the video of 0.5 seconds"):
        codec.decode(data, time=(0, 9))
    with pytest.raises(BadOption, match="no frame of the video comes up"):
        codec.decode(data, time=(0.08, 0.1))


def test_long_signals_are_rows_of_segments(cosine_field) -> None:
    encoded = codec.encode(a_sound(), Options(0.03), cosine_field.fitted)
    file = parsed(encoded)
    assert file.header.segment_frames == 552
    assert [s.type for s in file.sections].count(SEGMENT) == 4
    assert file.info()["segments"] == 4
    # Each segment is its own native samples and nothing else.
    whole = codec.verify(encoded.data).samples
    for i in range(4):
        part = a_sound().part(552 * i, min(2205, 552 * (i + 1)))
        alone = codec.decode(codec.encode(part, Options(), cosine_field.fitted).data).samples
        assert np.array_equal(whole[552 * i : 552 * i + len(alone)], alone)


@pytest.mark.parametrize("time", [(0, 0.1), (0.02, 0.05), (0.03, 0.031), (0.099, None)])
def test_a_time_of_a_sound_equals_that_part_of_the_whole(cosine_field, time) -> None:
    data = codec.encode(a_sound(), Options(0.03), cosine_field.fitted).data
    begin, end = (round((t if t is not None else 0.1) * 22050) for t in time)
    part = codec.decode(data, time=time)
    assert np.array_equal(part.samples, codec.decode(data).samples[begin:end])


@pytest.mark.parametrize("where", [{}, {"scale": 1.5}, {"size": (9, 10)}, {"scale": 0.4}])
def test_a_time_of_a_video_equals_that_part_of_the_whole(cosine_field, where) -> None:
    data = codec.encode(a_video(), Options(0.17), cosine_field.fitted).data
    assert parsed_segments(data) == 3
    whole, part = codec.decode(data, **where), codec.decode(data, time=(0.1, 0.25), **where)
    assert part.ticks.tolist() == [3, 4, 5, 6, 7]
    assert equal(part, whole.part(3, 8))


def parsed_segments(data: bytes) -> int:
    return len(InrFile.parse(data, Limits()).segments)


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 48000, 7])
def test_another_rate_has_the_sound_of_the_whole_duration(cosine_field, rate_hz) -> None:
    data = codec.encode(a_sound(), Options(0.03), cosine_field.fitted).data
    found = codec.decode(data, rate_hz=rate_hz)
    assert (found.rate_hz, found.frames) == (rate_hz, max(1, round(0.1 * rate_hz)))
    # Every value is that of the field there, or the mean over its cell.
    file = InrFile.parse(data, Limits())
    points = file.source(Limits()).render(Grid.of_sound(2205, 22050, rate_hz).refined())
    k = len(points) // found.frames
    means = points.reshape(found.frames, k, 2).sum(axis=1) / k
    expected = np.minimum(np.floor(means.clip(-1, 1) * 2**15 + 0.5), 2**15 - 1)
    assert np.abs(found.samples - expected).max() <= (1 if k > 8 else 0)


def test_stretches_and_stripes_change_no_sample(cosine_field, monkeypatch) -> None:
    sound = codec.encode(a_sound(), Options(0.03), cosine_field.fitted).data
    film = codec.encode(a_video(), Options(0.17), cosine_field.fitted).data
    cases = [
        (sound, {}), (sound, {"rate_hz": 48000}), (sound, {"rate_hz": 900}),
        (film, {}), (film, {"scale": 0.3, "fps": 7}), (film, {"scale": 2.2, "fps": 70}),
    ]  # fmt: skip
    whole = [codec.decode(data, **where) for data, where in cases]
    monkeypatch.setattr(sampling, "STRIPE", 50)
    monkeypatch.setattr(audio, "STRETCH_SAMPLES", 37)
    monkeypatch.setattr(video, "STRETCH_SAMPLES", 1500)
    for (data, where), expected in zip(cases, whole, strict=True):
        found = codec.decode(data, **where)
        if isinstance(expected, AudioSignal):
            assert np.array_equal(found.samples, expected.samples)
        else:
            assert equal(found, expected)


def test_only_the_segments_that_are_needed_are_unpacked(cosine_field, monkeypatch) -> None:
    data = codec.encode(a_sound(), Options(0.01), cosine_field.fitted).data
    unpacked = []
    original = cosine_field.CosineField.unpack.__func__

    def unpack(cls: type, payload: bytes, header: Any, limits: Limits) -> Any:
        unpacked.append(header.frames)
        return original(cls, payload, header, limits)

    monkeypatch.setattr(cosine_field.CosineField, "unpack", classmethod(unpack))
    codec.decode(data, time=(0.042, 0.043))
    assert len(unpacked) == 1
    codec.decode(data, time=(0.039, 0.051))
    assert len(unpacked) == 4


def test_decoding_holds_a_stretch_and_a_segment(cosine_field, monkeypatch) -> None:
    monkeypatch.setattr(audio, "STRETCH_SAMPLES", 1 << 12)
    data = codec.encode(a_sound(1_000_000, 1), Options(0.5), cosine_field.fitted).data
    file = InrFile.parse(data, Limits())
    tracemalloc.start()
    try:
        frames = sum(stretch.frames for stretch in file.verified(Limits()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert frames == 1_000_000
    assert peak < 2e6


def test_the_hash_is_that_of_the_samples_frame_by_frame(cosine_field) -> None:
    film = codec.encode(a_video(), Options(0.17), cosine_field.fitted)
    found, running = codec.verify(film.data), hashlib.sha256()
    for i in range(found.frames):
        for plane in found.planes:
            running.update(plane[i].tobytes())
    assert parsed(film).stored_hash == running.digest()[:8] == codec.decode_hash(found)
    sound = codec.encode(a_sound(depth=24), Options(0.03), cosine_field.fitted)
    digest = hashlib.sha256(codec.decode(sound.data).samples.astype("<i4").tobytes()).digest()
    assert parsed(sound).stored_hash == digest[:8]


def forged(encoded: codec.Encoded, change: Any) -> bytes:
    return write_container(change(list(parsed(encoded).sections)), 1)


def test_verify_finds_every_changed_segment(cosine_field) -> None:
    encoded = codec.encode(a_sound(), Options(0.03), cosine_field.fitted)
    other = codec.encode(a_sound(channels=2).part(9, 2205), Options(0.03), cosine_field.fitted)

    def swap(sections: list[Section]) -> list[Section]:
        sections[2] = parsed(other).sections[2]
        return sections

    data = forged(encoded, swap)
    codec.decode(data)
    with pytest.raises(CorruptFile, match="hash"):
        codec.verify(data)


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (a_sound, lambda sections: sections[:2] + sections[3:]),
        (a_sound, lambda sections: [*sections, sections[1]]),
        (a_video, lambda sections: [*sections, Section(TICKS, b"\x01\x19\x01" + bytes(11))]),
        (varying, lambda sections: [s for s in sections if s.type != TICKS]),
    ],
)
def test_sections_that_contradict_the_header_are_corruption(cosine_field, make, change) -> None:
    encoded = codec.encode(make(), Options(0.03 if make is a_sound else 0.2), cosine_field.fitted)
    with pytest.raises(CorruptFile, match="segments, expected|ticks section"):
        InrFile.parse(forged(encoded, change), Limits())


def test_an_image_is_never_segmented(cosine_field) -> None:
    head = Section(1, pack_header(ImageHeader(4, 4, 1, 8, 250, 7)))
    segment = parsed(codec.encode(a_sound(), Options(0.03), cosine_field.fitted)).sections[1]
    with pytest.raises(CorruptFile, match="2 segments, expected 1"):
        InrFile.parse(write_container([head, segment, segment]), Limits())


def test_a_field_that_does_not_know_the_kind_is_named_with_those_that_do(cosine_field) -> None:
    with pytest.raises(BadOption, match="'grid' represents image signals.*audio.*cosine"):
        codec.encode(a_sound(), EncodeOptions(field="grid"))
    with pytest.raises(BadOption, match="there is no field 'nonesuch'"):
        codec.encode(a_sound(), EncodeOptions(field="nonesuch"))
    encoded = codec.encode(a_sound(), Options(), cosine_field.fitted)
    head = Section(1, pack_header(replace(encoded.header, field_id=1)))
    data = forged(encoded, lambda sections: [head, *sections[1:]])
    for use in (codec.decode, codec.verify, inrcodec.info):
        with pytest.raises(UnsupportedFile, match="audio in a field 'grid'"):
            use(data)


@pytest.mark.parametrize(
    ("make", "where", "words"),
    [
        (a_sound, {"size": (3, 3)}, "a size was given, which is for image and video files"),
        (a_sound, {"fps": 25}, "a frame rate was given, which is for video files"),
        (a_video, {"rate_hz": 8000}, "a sample rate was given, which is for audio files"),
        (a_video, {"bit_depth": 7}, "expected a whole number from 8 to 16"),
        (a_sound, {"bit_depth": 25}, "expected a whole number from 1 to 24"),
        (a_sound, {"time": (0, 1)}, "does not lie inside the sound of 0.1 seconds"),
    ],
)
def test_what_does_not_fit_the_kind_is_refused(cosine_field, make, where, words) -> None:
    data = codec.encode(make(), Options(), cosine_field.fitted).data
    with pytest.raises(BadOption, match=words):
        codec.decode(data, **where)
    with inrcodec.open(data) as file, pytest.raises(BadOption, match=words):
        file.render(**where)


def test_images_have_no_time(cosine_field) -> None:
    data = codec.encode(Signal(np.zeros((4, 4, 1), np.uint8)), Options(), cosine_field.fitted).data
    for where in ({"time": (0, 1)}, {"rate_hz": 8000}, {"fps": 5}):
        with pytest.raises(BadOption, match="this is an image file"):
            codec.decode(data, **where)
    with pytest.raises(TypeError, match="zoom"):
        codec.decode(data, zoom=3)


def test_limits_hold_for_the_whole_decode(cosine_field) -> None:
    sound = codec.encode(a_sound(), Options(0.03), cosine_field.fitted).data
    film = codec.encode(a_video(), Options(0.17), cosine_field.fitted).data
    for data, samples in ((sound, 2205 * 2), (film, 12 * 21 * 31)):
        codec.decode(data, Limits(max_samples=samples))
        with pytest.raises(LimitExceeded, match="max_samples"):
            codec.decode(data, Limits(max_samples=samples - 1))
        with pytest.raises(LimitExceeded, match="max_macs"):
            codec.decode(data, Limits(max_macs=10_000))
        with pytest.raises(LimitExceeded, match="max_pixels"):
            codec.decode(data, Limits(max_pixels=600))
    list(InrFile.parse(film, Limits()).verified(Limits(max_samples=1)))
    with pytest.raises(LimitExceeded, match="frame has 31000 x 21000"):
        codec.decode(film, scale=1000)


def test_segments_that_differ_are_refused(cosine_field) -> None:
    parts = [a_sound(), replace(a_sound(), rate_hz=8000)]
    with pytest.raises(BadInput, match="segments differ"):
        codec.encode_parts(parts, 2205, 2, Options(), cosine_field.fitted)
    with pytest.raises(BadInput, match="segments differ"):
        codec.encode_parts([a_sound(7), a_sound(9)], 9, 2, Options(), cosine_field.fitted)
    with pytest.raises(BadInput, match="no segment"):
        codec.encode_parts([], 1, None, Options(), cosine_field.fitted)


def test_segments_may_differ_in_their_config(cosine_field: ModuleType) -> None:
    def fitted(signal: AudioSignal, options: Any) -> tuple[int, Any]:
        field = cosine_field.fit(signal, options)
        if signal.samples[0, 0] < 0:
            config = cosine_field.CosineConfig(5)
            field = cosine_field.CosineField(config, field.amplitudes[..., :5].copy())
        return cosine_field.FIELD_ID, field

    encoded = codec.encode(a_sound(), Options(0.03), fitted)
    file = parsed(encoded)
    terms = [file.field(Limits(), i).config.terms for i in range(4)]
    assert set(terms) == {5, 8}
    codec.verify(encoded.data)
    assert file.info()["parameters"] == 2 * sum(terms)


def test_progress_of_segments_is_that_of_the_whole(cosine_field) -> None:
    class Seen(LineReporter):
        interval_seconds = 0.0

        def __init__(self) -> None:
            super().__init__()
            self.lines: list[tuple[int, int]] = []

        def _show(self, done: int, *_: float) -> None:
            self.lines.append((done, self._total))

    reporter = Seen()
    options = EncodeOptions(field="cosine", segment_seconds=0.03, reporter=reporter)
    codec.encode(a_sound(), options)
    # The first step, which loads and may compile, is shown only where it is also the last.
    assert reporter.lines == [(i, 8) for i in range(2, 9)]


def test_arrays_and_files_of_every_kind_go_through_the_same_door(cosine_field, tmp_path) -> None:
    from inrcodec.media.audio import save_audio
    from inrcodec.media.video import save_video

    data = inrcodec.encode(a_sound().floats(), rate_hz=22050, field="cosine")
    assert inrcodec.info(data)["kind"] == "audio"
    assert inrcodec.read(data).shape == (2205, 2)
    frames = np.zeros((5, 8, 8, 3), np.uint8)
    data = inrcodec.encode(frames, fps=25, field="cosine")
    assert inrcodec.read(data).shape == (5, 8, 8, 3)
    with pytest.raises(BadOption, match="both rate_hz and fps"):
        inrcodec.encode(frames, fps=25, rate_hz=8000, field="cosine")
    for name, content in (("a.flac", save_audio(a_sound(), ".flac")),
                          ("a.y4m", save_video(a_video(), ".y4m"))):  # fmt: skip
        (tmp_path / name).write_bytes(content)
        data = inrcodec.encode(tmp_path / name, field="cosine", segment_seconds=0.03)
        with inrcodec.open(data) as file:
            assert file.info["segments"] > 1
            assert file.render(time=(0, 0.05)).duration_seconds < 0.07
        assert inrcodec.verify(data).kind == file.info["kind"]
    assert read_container(data, Limits())
