"""Headers of sound and video: small, bounded, one encoding each; segments and times beside them."""

import zlib
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inrcodec.bitstream.container import (
    HEADER,
    PAYLOAD,
    SEGMENT,
    Section,
    pack_segment,
    read_container,
    read_segment,
    write_container,
)
from inrcodec.bitstream.header import (
    AudioHeader,
    VideoHeader,
    minor_version,
    pack_header,
    parse_header,
)
from inrcodec.bitstream.header_values import MAX_CONFIG_CODE
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.ticks import Times, pack_ticks, read_ticks
from inrcodec.bitstream.video_header import CHROMA_LOCATION_IDS, SUBSAMPLING_IDS
from inrcodec.errors import (
    BadOption,
    CorruptFile,
    InrError,
    LimitExceeded,
    TruncatedFile,
    UnsupportedFile,
)

SONG = AudioHeader(2, 16, 180 * 44100, 44100, 30 * 44100, 2, 123_456_789)
FILM = VideoHeader(
    352, 288, 300, "4:2:0", 8, (1, 1, 1), False, "left", Fraction(30000, 1001), False,
    Fraction(1), 150, 2, 123_456_789,
)  # fmt: skip
FRACTIONS = st.fractions(min_value=Fraction(1, 10**6), max_value=10**6, max_denominator=10**9)
FRAMES = st.integers(1, 2**62).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))


@st.composite
def audio_headers(draw: st.DrawFn) -> AudioHeader:
    frames, length = draw(FRAMES)
    return AudioHeader(
        draw(st.integers(1, 255)),
        draw(st.integers(1, 24)),
        frames,
        draw(st.integers(1, 2**31 - 1)),
        length,
        draw(st.integers(0, 255)),
        draw(st.integers(0, MAX_CONFIG_CODE)),
    )


@st.composite
def video_headers(draw: st.DrawFn) -> VideoHeader:
    frames, length = draw(FRAMES)
    return VideoHeader(
        draw(st.integers(1, 2**63 - 1)),
        draw(st.integers(1, 2**63 - 1)),
        frames,
        draw(st.sampled_from(list(SUBSAMPLING_IDS))),
        draw(st.integers(8, 16)),
        draw(st.tuples(*[st.integers(0, 255)] * 3)),
        draw(st.booleans()),
        draw(st.sampled_from(list(CHROMA_LOCATION_IDS))),
        draw(FRACTIONS),
        draw(st.booleans()),
        draw(FRACTIONS),
        length,
        draw(st.integers(0, 255)),
        draw(st.integers(0, MAX_CONFIG_CODE)),
    )


def test_bytes_of_headers_are_frozen() -> None:
    assert pack_header(SONG).hex(" ") == "02 2f d0 bf e4 03 c4 d8 02 f8 df 50 02 95 9a ef 3a"
    assert pack_header(FILM).hex(" ") == (
        "03 01 08 01 01 01 e0 02 a0 02 ac 02 b0 ea 01 e9 07 96 01 02 95 9a ef 3a"
    )
    assert parse_header(pack_header(SONG), Limits()) == SONG
    assert parse_header(pack_header(FILM), Limits()) == FILM


def test_typical_headers_have_at_most_24_bytes() -> None:
    assert len(pack_header(SONG)) <= 24
    assert len(pack_header(FILM)) <= 24


@settings(deadline=None)
@given(st.one_of(audio_headers(), video_headers()))
def test_every_header_comes_back(header) -> None:
    assert parse_header(pack_header(header), Limits.unlimited()) == header


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([2, 3]), st.binary(max_size=40))
def test_any_bytes_are_a_header_with_one_encoding_or_a_known_error(kind: int, rest: bytes) -> None:
    try:
        header = parse_header(bytes([kind]) + rest, Limits.unlimited())
    except InrError:
        return
    assert pack_header(header) == bytes([kind]) + rest


@pytest.mark.parametrize("header", [SONG, FILM])
def test_every_cut_and_every_byte_more_is_corruption(header) -> None:
    packed = pack_header(header)
    for length in range(1, len(packed)):
        with pytest.raises(CorruptFile) as caught:
            parse_header(packed[:length], Limits())
        assert not isinstance(caught.value, TruncatedFile)
    with pytest.raises(CorruptFile, match="bytes, expected"):
        parse_header(packed + b"\0", Limits())


@pytest.mark.parametrize(
    ("packed", "error", "words"),
    [
        ("02 18 01 08 00 02 00", UnsupportedFile, "1 channels of 25 bits"),
        ("02 e7 3f 01 08 00 02 00", UnsupportedFile, "256 channels"),
        ("02 0f 00 08 00 02 00", CorruptFile, "0 frames"),
        ("02 0f 05 00 00 02 00", CorruptFile, "0 frames per second"),
        ("02 0f 05 80 80 80 80 08 00 02 00", CorruptFile, "frames per second"),
        ("02 0f 05 08 05 02 00", CorruptFile, "5 frames in segments of 5"),
        ("02 0f 05 08 07 02 00", CorruptFile, "5 frames in segments of 7"),
        ("03 06 00 01 01 01 19 01 00 02 00", UnsupportedFile, "layout"),
        ("03 49 00 01 01 01 19 01 00 02 00", UnsupportedFile, "layout"),
        ("03 01 06 01 01 01 19 01 00 02 00", UnsupportedFile, "layout"),
        ("03 01 40 01 01 01 19 01 00 02 00", UnsupportedFile, "layout"),
        ("03 01 08 02 02 02 01 01 01 19 01 00 02 00", CorruptFile, "go without saying"),
        ("03 01 10 01 01 01 01 01 19 01 00 02 00", CorruptFile, "go without saying"),
        ("03 01 00 00 01 01 19 01 00 02 00", CorruptFile, "0 x 1 pixels"),
        ("03 01 00 01 01 01 32 02 00 02 00", CorruptFile, "lowest terms"),
        ("03 01 00 01 01 01 00 01 00 02 00", CorruptFile, "lowest terms"),
        ("03 01 00 01 01 01 19 00 00 02 00", CorruptFile, "lowest terms"),
    ],
)
def test_headers_that_make_no_sense_are_refused(packed, error, words) -> None:
    with pytest.raises(error, match=words):
        parse_header(bytes.fromhex(packed), Limits())


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (replace(SONG, segment_frames=SONG.frames + 1), "segment_frames"),
        (replace(SONG, frames=0), "frames"),
        (replace(SONG, channels=256), "channels"),
        (replace(SONG, bit_depth=25), "bit_depth"),
        (replace(SONG, rate_hz=2**31), "rate_hz"),
        (replace(SONG, segment_frames=0), "segment_frames"),
        (replace(FILM, bit_depth=7), "bit_depth"),
        (replace(FILM, subsampling="4:2:1"), "subsampling"),
        (replace(FILM, chroma_location="nowhere"), "chroma_location"),
        (replace(FILM, rate=Fraction(0)), "rate"),
        (replace(FILM, code_points=(256, 1, 1)), "code point"),
        (replace(FILM, config_code=2**62), "config_code"),
    ],
)
def test_values_that_do_not_fit_are_not_packed(header, name) -> None:
    with pytest.raises(BadOption, match=name):
        pack_header(header)


@pytest.mark.parametrize(
    "header",
    [
        replace(SONG, frames=2**62, segment_frames=2**62),
        replace(SONG, frames=2**40, segment_frames=2**28),
        replace(FILM, width=2**20),
        replace(FILM, width=2**15, height=2**15),
        replace(FILM, frames=2**62, segment_frames=2**20),
    ],
)
def test_segments_and_frames_are_bounded(header) -> None:
    with pytest.raises(LimitExceeded, match="Limits"):
        parse_header(pack_header(header), Limits())
    parse_header(pack_header(header), Limits.unlimited())


def test_a_segment_has_a_header_of_its_own() -> None:
    assert SONG.segments == 6
    assert SONG.segment(0, 5) == replace(SONG, frames=30 * 44100, config_code=5)
    odd = replace(SONG, frames=100, segment_frames=30)
    assert [odd.segment(i, 0).frames for i in range(odd.segments)] == [30, 30, 30, 10]
    assert odd.segment(3, 0).segments == 1


def test_files_say_the_oldest_version_that_can_read_them() -> None:
    assert minor_version(SONG) == minor_version(FILM) == 1


@pytest.mark.parametrize("code", [None, 0, 7, MAX_CONFIG_CODE])
def test_a_segment_section_comes_back_and_finds_damage(code) -> None:
    section = pack_segment(b"payload", code)
    assert read_segment(section) == (code, b"payload")
    for i in range(len(section)):
        with pytest.raises(CorruptFile, match="CRC-32 of a segment"):
            read_segment(section[:i])
        with pytest.raises(CorruptFile, match="CRC-32 of a segment"):
            read_segment(section[:i] + bytes([section[i] ^ 4]) + section[i + 1 :])


def segmented(*payloads: bytes) -> bytes:
    sections = [Section(SEGMENT, pack_segment(p, None)) for p in payloads]
    return write_container([Section(HEADER, pack_header(SONG)), *sections], 1)


def test_damage_is_told_by_its_segment() -> None:
    data = segmented(b"first", b"second", b"third")
    assert [s.type for s in read_container(data, Limits())] == [HEADER, SEGMENT, SEGMENT, SEGMENT]
    at = data.index(b"second")
    with pytest.raises(CorruptFile, match=r"segment 1 of 0\.\.2 is damaged, and the CRC-32"):
        read_container(data[:at] + b"X" + data[at + 1 :], Limits())
    with pytest.raises(CorruptFile, match=r"^the CRC-32"):
        read_container(data[:12] + b"\x09" + data[13:], Limits())


def test_one_payload_or_two_segments_and_not_both() -> None:
    head, one = Section(HEADER, b"h"), Section(SEGMENT, pack_segment(b"", None))
    payload = Section(PAYLOAD, b"p")
    for sections in ([head, one], [head, payload, one], [head, payload, one, one]):
        with pytest.raises(BadOption, match="one payload, or two or more segments"):
            write_container(sections)
    write_container([head, one, one])


def test_segments_have_a_limit_of_their_own() -> None:
    data = segmented(*[b""] * 300)
    read_container(data, Limits())
    read_container(data, Limits(max_sections=1, max_segments=300))
    with pytest.raises(LimitExceeded, match="300 segments or more, allowed are 299"):
        read_container(data, Limits(max_segments=299))


@settings(deadline=None)
@given(st.lists(st.integers(1, 10**6), max_size=30), FRACTIONS)
def test_times_come_back(lengths: list[int], base: Fraction) -> None:
    ticks = [0]
    for length in lengths:
        ticks.append(ticks[-1] + length)
    found = read_ticks(pack_ticks(Times(ticks, base)), len(ticks))
    assert (list(found.ticks), found.base) == (ticks, base)


def test_jitter_costs_a_byte_per_frame() -> None:
    ticks = [3000 * i + (0, 17, -12)[i % 3] for i in range(300)]
    section = pack_ticks(Times([t - ticks[0] for t in ticks], Fraction(1, 90_000)))
    assert len(section) <= 300 + 8


@pytest.mark.parametrize(
    ("section", "frames"),
    [
        (pack_ticks(Times([0, 1, 3], Fraction(1, 25))), 4),
        (pack_ticks(Times([0, 1, 3], Fraction(1, 25))), 2),
        (pack_ticks(Times([0, 1], Fraction(1, 25))), 2**40),
        (b"\x01\x19\x05\x09", 2),
        (b"\x01\x19\x05\x0b", 2),
        (b"\x01\x19" + b"\xff" * 8 + b"\x7f" + b"\0\0", 3),
        (b"\x02\x04\x01\x00", 2),
    ],
)
def test_times_that_make_no_sense_are_corruption(section: bytes, frames: int) -> None:
    with pytest.raises(CorruptFile):
        read_ticks(section, frames)


def test_a_segment_section_is_its_check_sum_config_and_payload() -> None:
    body = b"\x08abc"
    assert pack_segment(b"abc", 7) == zlib.crc32(body).to_bytes(4, "little") + body
