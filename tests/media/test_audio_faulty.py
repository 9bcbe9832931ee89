"""Damaged, cut or foreign files as sound: always one of our errors, never half a sound."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import pytest
import soundfile

from inrcodec.errors import BadInput, BadOption, InrError, LimitExceeded
from inrcodec.media import limit
from inrcodec.media.audio import load_audio, open_audio, save_audio
from inrcodec.signal import AudioSignal

SOUND = AudioSignal(
    (9000 * np.sin(np.arange(6000)[:, None] * [0.05, 0.07])).astype(np.int16), 44100
)


def wav_header(riff_bytes: int, data_bytes: int) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", riff_bytes, b"WAVE")
        + form
        + b"data"
        + struct.pack("<I", data_bytes)
    )


@pytest.mark.parametrize("extension", [".wav", ".aiff", ".flac", ".mp3", ".w64"])
def test_file_cut_anywhere_is_an_error_or_the_whole_sound(extension):
    data = save_audio(SOUND, extension)
    whole = load_audio(data).samples
    for cut in range(0, len(data) - 2, len(data) // 40):
        try:
            found = load_audio(data[:cut]).samples
        except BadInput:
            continue
        # W64 tells no more than libsndfile asks for.
        assert extension == ".w64" or np.array_equal(found, whole)


@pytest.mark.parametrize("extension", [".ogg", ".opus"])
def test_cut_ogg_file_is_an_error_or_a_warning(extension):
    data = save_audio(AudioSignal(np.tile(SOUND.samples, (10, 1)), 48000), extension)
    for cut in range(0, len(data) - 2, len(data) // 10):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                load_audio(data[:cut])
            except BadInput:
                continue
        assert any("may be cut" in str(warning.message) for warning in caught)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("extension", [".wav", ".aiff", ".flac", ".ogg", ".mp3"])
def test_changed_bytes_raise_our_errors_only(extension):
    data = save_audio(SOUND, extension)
    generator = np.random.default_rng(1)
    for _ in range(40):
        damaged = bytearray(data)
        damaged[generator.integers(min(len(data), 2000))] ^= 1 << generator.integers(8)
        try:
            load_audio(bytes(damaged))
        except InrError:
            continue


def test_wav_from_a_pipe_tells_no_length_and_is_read_to_its_end():
    for told in (0xFFFFFFFF, 0x7FFFF024):
        data = wav_header(0xFFFFFFFF, told) + np.arange(50, dtype="<i2").tobytes()
        assert load_audio(data).samples[:, 0].tolist() == list(range(50))


def test_header_that_tells_too_much_is_an_error_before_anything_is_allocated():
    with pytest.raises(BadInput, match="truncated: 400 of 1073741824 bytes"):
        load_audio(wav_header(0x40000024, 0x40000000) + bytes(400))
    lying = bytearray(save_audio(SOUND, ".flac"))
    lying[21] |= 0x0F
    lying[22:26] = b"\xff" * 4  # 2**36 - 1 frames
    with pytest.raises(BadInput):
        load_audio(bytes(lying))


def test_a_sound_that_is_too_long_to_hold_is_refused_and_read_in_segments(monkeypatch):
    monkeypatch.setattr(limit, "MAX_WHOLE_SAMPLES", 11_999)
    with pytest.raises(LimitExceeded, match="read it in segments"):
        load_audio(save_audio(SOUND, ".wav"))
    with open_audio(save_audio(SOUND, ".wav")) as reader:
        assert sum(part.frames for part in reader.segments(1000)) == 6000


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "empty"),
        (b"Dear diary, today I heard nothing.\n", "text .'Dear diary"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a PNG file, expected a sound"),
        (b"\x93INR\r\n\x1a\n" + bytes(9), "an .inr file, expected a sound"),
        (bytes(range(7, 40)), "data that begins with 07 08"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "a WAV file that is damaged"),
        (b"fLaC" + bytes(60), "a FLAC file that is damaged"),
        (b"OggS" + bytes(60), "an Ogg file that is damaged|a sound or video file that is damaged"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_no_sound_is_named_together_with_what_was_found(data, found):
    with pytest.raises(BadInput, match=rf"^song\.wav: .*({found})"):
        load_audio(data, "song.wav")


def test_nan_in_a_file_is_an_error():
    out = io.BytesIO()
    soundfile.write(out, np.array([0.0, np.nan]), 8000, format="WAV", subtype="FLOAT")
    with pytest.raises(BadInput, match=r"^song\.wav: .*1 NaN or infinite"):
        load_audio(out.getvalue(), "song.wav")


@pytest.mark.parametrize("name", ["WAV", "AIFF", "OGG"])
def test_a_sound_without_frames_is_an_error_as_soon_as_it_is_opened(name):
    out = io.BytesIO()
    soundfile.write(out, np.zeros((0, 1)), 8000, format=name)
    with pytest.raises(BadInput, match=r"^song: .*without a single frame"):
        open_audio(out.getvalue(), "song")


def test_missing_files_folders_and_senseless_numbers_are_errors(tmp_path):
    with pytest.raises(BadInput, match="there is no file"):
        load_audio(tmp_path / "nothing.wav")
    with pytest.raises(BadInput, match="is a folder"):
        load_audio(tmp_path)
    with pytest.raises(BadOption, match="start_frame is -1"):
        open_audio(save_audio(SOUND, ".wav"), start_frame=-1)
    with open_audio(save_audio(SOUND, ".wav")) as reader, pytest.raises(BadOption):
        reader.read(0)
