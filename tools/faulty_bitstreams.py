"""The faulty files of the conformance corpus: each with the error that it raises."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from good_bitstreams import GOOD, sealed

from inrcodec.bitstream.config import pack_config, ranges_of
from inrcodec.bitstream.container import read_container
from inrcodec.bitstream.header import pack_header, parse_header
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.varint import pack_varint, read_varint
from inrcodec.fields.grid import GROUPS, GridConfig


def forge(data: bytes, **parts: Any) -> bytes:
    """A file with other parts and a correct CRC: header=, payload=, hash=, more=, drop=.

    `header` is a Header, or its bytes; a section given twice is written twice.
    """
    sections = {s.type: s.payload for s in read_container(data, Limits())}
    header = parts.get("header", sections[1])
    sections[1] = header if isinstance(header, bytes) else pack_header(header)
    sections[2] = parts.get("payload", sections[2])
    sections[128] = parts.get("hash", sections[128])
    listed = [(t, p) for t, p in sections.items() if t != parts.get("drop")] + parts.get("more", [])
    body = data[:10]
    for type_, payload in listed:
        body += bytes([type_]) + pack_varint(len(payload)) + payload
    return sealed(body)


def faulty_files() -> dict[str, tuple[str, bytes, str]]:
    """name -> (error class, file, purpose) of every faulty case."""
    good = GOOD["escaped_latents"].build("escaped_latents")
    sections = {s.type: s.payload for s in read_container(good, Limits())}
    header, payload = parse_header(sections[1], Limits()), sections[2]
    head = 2 * len(GROUPS)
    count, start = read_varint(payload, head)
    top = math.prod(high - low + 1 for low, high in ranges_of(GridConfig))
    wide = pack_config(GridConfig(0, 9, 22, 9, 64, 64, 2))

    def edited(index: int, value: int) -> bytes:
        return payload[:index] + bytes([value]) + payload[index + 1 :]

    def announcing(n: int) -> bytes:
        return payload[:head] + pack_varint(n) + payload[start:]

    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 0x10
    bomb = replace(header, width=16384, height=16384)
    return {
        "empty": ("NotAnInrFile", b"", "no byte at all"),
        "other_format": ("NotAnInrFile", b"\x89PNG\r\n\x1a\n" + good[8:], "the magic of PNG"),
        "text_mode_lf": ("NotAnInrFile", good.replace(b"\r\n", b"\n"), "CR LF became LF"),
        "text_mode_crlf": ("NotAnInrFile", good.replace(b"\n", b"\r\n"), "LF became CR LF"),
        "seven_bit": ("NotAnInrFile", bytes(b & 127 for b in good), "top bits cleared"),
        "cut_in_magic": ("TruncatedFile", good[:5], "ends inside the magic"),
        "cut_in_payload": ("TruncatedFile", good[: len(good) // 2], "ends inside the payload"),
        "cut_by_one": ("TruncatedFile", good[:-1], "the last byte is missing"),
        "flipped_bit": ("CorruptFile", bytes(flipped), "one bit of the payload flipped"),
        "trailing_bytes": ("TruncatedFile", good + b"more", "bytes behind the CRC"),
        "newer_major": ("UnsupportedFile", sealed(good[:8] + b"\2" + good[9:-4]), "version 2.0"),
        "unknown_critical_section": (
            "UnsupportedFile", forge(good, more=[(100, b"needed")]), "section type 100"),
        "no_payload": ("CorruptFile", forge(good, drop=2), "the payload section is missing"),
        "second_header": ("CorruptFile", forge(good, more=[(1, sections[1])]), "two headers"),
        "unknown_kind": ("UnsupportedFile", forge(good, header=b"\7" + sections[1][1:]), "kind 7"),
        "unknown_field": (
            "UnsupportedFile", forge(good, header=replace(header, field_id=250)), "field id 250"),
        "reserved_bits": (
            "UnsupportedFile",
            forge(good, header=sections[1][:1] + b"\xa7" + sections[1][2:]),
            "reserved bits of the sample layout set",
        ),
        "header_too_long": ("CorruptFile", forge(good, header=sections[1] + b"\0"), "a byte more"),
        "overlong_varint": (
            "CorruptFile",
            forge(good, header=sections[1][:2] + b"\x8e\0" + sections[1][3:]),
            "the width in two bytes where one would do",
        ),
        "no_pixels": (
            "CorruptFile", forge(good, header=sections[1][:2] + b"\0" + sections[1][3:]), "no width"
        ),
        "config_code_too_large": (
            "CorruptFile", forge(good, header=replace(header, config_code=top)), "first beyond"),
        "size_bomb": (
            "LimitExceeded",
            forge(good, header=replace(header, width=2**20 - 1, height=2**20 - 1)),
            "10**12 pixels",
        ),
        "dimension_bomb": (
            "LimitExceeded", forge(good, header=replace(header, width=2**62)), "2**62 columns"),
        "compute_bomb": (
            "LimitExceeded",
            forge(good, header=replace(bomb, config_code=wide)),
            "2**28 pixels by the largest networks: 2.5e12 multiply-accumulates",
        ),
        "payload_too_short": ("TruncatedFile", forge(good, payload=payload[:9]), "no whole head"),
        "table_row_96": ("CorruptFile", forge(good, payload=edited(1, 96)), "row behind the last"),
        "weights_too_fine": (
            "CorruptFile", forge(good, payload=edited(2, payload[2] | 31)), "arm.w2 by 2**-31"),
        "too_many_escapes": (
            "CorruptFile", forge(good, payload=announcing(10**6)), "more escapes than integers"),
        "escape_bomb": (
            "CorruptFile",
            forge(good, header=bomb, payload=announcing(2**28)),
            "2**28 escapes announced by a stream of some hundred bytes",
        ),
        "too_few_escapes": (
            "CorruptFile", forge(good, payload=announcing(count // 2)), "half as many as needed"),
        "payload_tail": ("CorruptFile", forge(good, payload=payload + b"hidden tail"), "surplus"),
        "payload_zeros": ("CorruptFile", forge(good, payload=payload + bytes(4)), "surplus zeros"),
        "stream_missing": ("CorruptFile", forge(good, payload=payload[:start]), "no stream"),
        "wrong_decode_hash": (
            "CorruptFile", forge(good, hash=b"not this"), "decodes, but verify must fail"),
        "short_decode_hash": ("CorruptFile", forge(good, hash=b"7 bytes"), "7 bytes, not 8"),
    }  # fmt: skip
