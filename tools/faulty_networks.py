"""Faulty sounds, videos and coordinate networks of the conformance corpus, with their errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from zlib import crc32

from good_bitstreams import sealed
from good_networks import NETWORKS

from inrcodec.activations.sine import Sine
from inrcodec.bitstream.config import pack_config
from inrcodec.bitstream.container import Section, read_container
from inrcodec.bitstream.header import Header, pack_header, parse_header
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.varint import pack_varint, read_varint
from inrcodec.encodings.fourier import Fourier
from inrcodec.encodings.hash import Hash
from inrcodec.fields.loe import LoeConfig
from inrcodec.fields.mfn import MfnConfig
from inrcodec.fields.mlp import MlpConfig

HEADER, PAYLOAD, SEGMENT, TICKS = 1, 2, 3, 4
PART = 32  # ids that a digit of the config code can name


class Forge:
    """A good file whose parts can be exchanged, under a correct CRC."""

    def __init__(self, name: str) -> None:
        self.data = NETWORKS[name].build(name)
        self.sections = read_container(self.data, Limits())
        self.header: Header = parse_header(self.sections[0].payload, Limits())

    def __getitem__(self, type_: int) -> bytes:
        return next(s.payload for s in self.sections if s.type == type_)

    def file(self, sections: list[Section]) -> bytes:
        body = self.data[:10]
        for section in sections:
            body += bytes([section.type]) + pack_varint(len(section.payload)) + section.payload
        return sealed(body)

    def with_header(self, header: Header | bytes) -> bytes:
        packed = header if isinstance(header, bytes) else pack_header(header)
        return self.file([Section(HEADER, packed), *self.sections[1:]])

    def with_config(self, code: int) -> bytes:
        return self.with_header(replace(self.header, config_code=code))

    def each(self, type_: int, change: Callable[[bytes], bytes]) -> bytes:
        """With every section of a type changed."""
        return self.file(
            [Section(s.type, change(s.payload)) if s.type == type_ else s for s in self.sections]
        )

    def payload(self, payload: bytes) -> bytes:
        return self.each(PAYLOAD, lambda _: payload)

    def without(self, type_: int, more: tuple[Section, ...] = ()) -> bytes:
        """Without the last section of a type, with more sections behind the header."""
        last = max((i for i, s in enumerate(self.sections) if s.type == type_), default=-1)
        kept = [s for i, s in enumerate(self.sections) if i != last]
        return self.file([kept[0], *more, *kept[1:]])


def resealed(segment: bytes) -> bytes:
    return crc32(segment).to_bytes(4, "little") + segment


def faulty_networks() -> dict[str, tuple[str, bytes, str]]:
    """name -> (error class, file, purpose) of every faulty case."""
    return networks() | fields_beside() | sounds() | videos()


def networks() -> dict[str, tuple[str, bytes, str]]:
    """Faults of pictures in field 2."""
    good = Forge("mlp_sine")
    header, payload = good.header, good[PAYLOAD]
    code, wide = header.config_code, 1 << 14
    largest = MlpConfig(Sine(), Fourier(1024, 0, 0), 1024, 15)
    tables = MlpConfig(Sine(), Hash(16, 8, 20, 64, 255), 1, 0)
    slow = replace(header, width=wide, height=wide, config_code=pack_config(
        MlpConfig(Sine(), Fourier(1, 0, 0), 64, 1)))  # fmt: skip
    return {
        "unknown_activation": ("UnsupportedFile", good.with_config(code - 1 + 31), "id 31"),
        "unknown_encoding": ("UnsupportedFile", good.with_config(code - PART), "id 0"),
        "mlp_config_code_too_large": (
            "CorruptFile", good.with_config(code + (1 << 24)), "a digit more than options"),
        "config_code_of_63_bits": (
            "CorruptFile",
            good.with_header(good[HEADER][:-len(pack_varint(code))] + pack_varint(1 << 62)),
            "a config code of 2**62",
        ),
        "too_many_parameters": (
            "LimitExceeded", good.with_config(pack_config(largest)), "17.8 million weights"),
        "tables_too_large": (
            "LimitExceeded", good.with_config(pack_config(tables)), "16 tables of 2**20 entries"),
        "mlp_compute_bomb": (
            "LimitExceeded", good.with_header(slow), "2**28 pixels of 4,416 multiply-accumulates"),
        "mlp_cut_in_head": ("TruncatedFile", good.payload(payload[:5]), "no whole head"),
        "mlp_stream_missing": ("CorruptFile", good.payload(payload[:9]), "no stream"),
        "mlp_table_row_96": (
            "CorruptFile", good.payload(payload[:1] + b"\x60" + payload[2:]), "no such table row"),
        "mlp_too_many_escapes": (
            "CorruptFile",
            good.payload(payload[:8] + pack_varint(10**4) + payload[9:]),
            "more escapes than integers",
        ),
        "mlp_payload_tail": ("CorruptFile", good.payload(payload + b"tail"), "surplus bytes"),
        "mlp_other_width": (
            "CorruptFile", good.with_config(code + (1 << 10)), "a feature more than was written"),
    }  # fmt: skip


def fields_beside() -> dict[str, tuple[str, bytes, str]]:
    """Faults of fields 3 and 4, and fields of other kinds of signals."""
    mfn, loe, sound = Forge("mfn_gabornet"), Forge("loe_sound"), Forge("sound_mono_8_bit")
    top = 3 * 1024 * 8 * 128
    heavy = pack_config(LoeConfig(1024, 15, 4, 0, 0))
    return {
        "mfn_config_code_too_large": ("CorruptFile", mfn.with_config(top), "first beyond"),
        "mfn_cut_in_head": ("TruncatedFile", mfn.payload(mfn[PAYLOAD][:20]), "no whole head"),
        "mfn_other_layers": (
            "CorruptFile", mfn.with_config(pack_config(MfnConfig(2, 5, 8, 127))), "more layers"),
        "loe_too_many_parameters": (
            "LimitExceeded", loe.with_config(heavy), "four candidates of every layer"),
        "loe_stream_missing": ("CorruptFile", loe.payload(loe[PAYLOAD][:11]), "no stream"),
        "grid_of_sound": (
            "UnsupportedFile",
            sound.with_header(replace(sound.header, field_id=1, config_code=0)),
            "a sound in field 1",
        ),
    }  # fmt: skip


def sounds() -> dict[str, tuple[str, bytes, str]]:
    """Faults of headers of sounds, and of segments."""
    good, whole = Forge("sound_segments"), Forge("sound_mono_8_bit")
    header, segment = good.header, good[SEGMENT]
    rate = pack_varint(whole.header.rate_hz)
    last = good.sections[max(i for i, s in enumerate(good.sections) if s.type == SEGMENT)]

    def first(change: Callable[[bytes], bytes]) -> bytes:
        return good.each(SEGMENT, lambda s: change(s) if s == segment else s)

    unknown = pack_varint(header.config_code - 1 + 31 + 1)
    return {
        "segment_crc": (
            "CorruptFile", first(lambda s: s[:-1] + bytes([s[-1] ^ 1])), "one bit of a segment"),
        "segment_missing": ("CorruptFile", good.without(SEGMENT), "three segments of four"),
        "segment_surplus": (
            "CorruptFile", good.file([*good.sections, last]), "five segments of four"),
        "segment_empty": ("CorruptFile", first(lambda _: resealed(b"")), "a segment without code"),
        "segment_cut_in_head": (
            "TruncatedFile", first(lambda s: resealed(s[4:9])), "a segment of half a head"),
        "segment_unknown_activation": (
            "UnsupportedFile", first(lambda s: resealed(unknown + s[5:])), "id 31 in one segment"),
        "segment_and_payload": (
            "CorruptFile",
            good.file([*good.sections, Section(PAYLOAD, segment[5:])]),
            "segments beside a payload",
        ),
        "segments_longer_than_sound": (
            "CorruptFile",
            whole.with_header(
                whole[HEADER].replace(rate + b"\0", rate + pack_varint(whole.header.frames))),
            "one segment whose length is written out",
        ),
        "sound_of_no_rate": (
            "CorruptFile", whole.with_header(whole[HEADER].replace(rate, b"\0")), "0 per second"),
        "sound_of_25_bits": (
            "UnsupportedFile",
            whole.with_header(whole[HEADER][:1] + b"\x18" + whole[HEADER][2:]),
            "25 bits per sample",
        ),
        "sound_bomb": (
            "LimitExceeded",
            whole.with_header(replace(whole.header, frames=2**62, segment_frames=2**62)),
            "2**62 frames",
        ),
    }  # fmt: skip


def videos() -> dict[str, tuple[str, bytes, str]]:
    """Faults of headers of videos, and of ticks."""
    plain, varied = Forge("video_420"), Forge("video_variable_rate")
    wide = Forge("video_444_10_bit")
    ticks = varied[TICKS]
    _, step_at = read_varint(ticks, read_varint(ticks, 0)[1])

    def layout(forge: Forge, at: int, value: int) -> bytes:
        packed = forge[HEADER]
        return forge.with_header(packed[:at] + bytes([value]) + packed[at + 1 :])

    backwards = ticks[: step_at + 1] + b"\x05" + ticks[step_at + 2 :]
    return {
        "video_subsampling_7": ("UnsupportedFile", layout(plain, 1, 7), "subsampling 7"),
        "video_of_17_bits": ("UnsupportedFile", layout(plain, 1, 9 << 3 | 1), "17 bits"),
        "video_reserved_flag": (
            "UnsupportedFile", layout(plain, 2, plain[HEADER][2] | 128), "bit 7 of the flags"),
        "video_points_written_out": (
            "CorruptFile",
            wide.with_header(wide[HEADER][:3] + bytes((2, 2, 2)) + wide[HEADER][6:]),
            "code points 2, 2, 2",
        ),
        "video_aspect_not_reduced": (
            "CorruptFile",
            wide.with_header(wide[HEADER][:6] + bytes((8, 6)) + wide[HEADER][8:]),
            "pixels of 8:6",
        ),
        "video_bomb": (
            "LimitExceeded",
            plain.with_header(replace(plain.header, frames=2**40, segment_frames=2**40)),
            "2**40 frames in one segment",
        ),
        "ticks_missing": ("CorruptFile", varied.without(TICKS), "announced, not there"),
        "ticks_unannounced": (
            "CorruptFile", plain.without(TICKS, (Section(TICKS, ticks),)), "there, not announced"),
        "ticks_backwards": (
            "CorruptFile", varied.each(TICKS, lambda _: backwards), "a frame before another"),
        "ticks_too_many": ("CorruptFile", varied.each(TICKS, lambda t: t + b"\0"), "one too many"),
        "ticks_too_few": ("TruncatedFile", varied.each(TICKS, lambda t: t[:-1]), "one too few"),
    }  # fmt: skip
