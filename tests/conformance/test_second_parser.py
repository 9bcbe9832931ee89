"""The second decoder reads headers, segments and times of sound and video as the first one does."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import reference_decoder as reference

from inrcodec import codec
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.video_header import CHROMA_LOCATION_IDS, SUBSAMPLING_IDS
from inrcodec.inr_file import InrFile
from inrcodec.signal import AnySignal, Colour, VideoSignal, audio_signal


def a_sound() -> AnySignal:
    return audio_signal(np.linspace(-0.5, 0.5, 2000)[:, None] * np.ones(3), 11025, 24)


def a_video(varies: bool) -> AnySignal:
    planes = [np.full((7, *shape), 600, np.uint16) for shape in ((6, 9), (3, 5), (3, 5))]
    ticks = np.array([0, 2, 3, 7, 8, 9, 11], np.int64) if varies else None
    base = Fraction(1, 50) if varies else None
    colour = Colour(9, 1, 16, True, "topleft")
    return VideoSignal(
        tuple(planes), Fraction(24000, 1001), 10, "4:2:0", colour, ticks, base, Fraction(4, 3)
    )


@pytest.mark.parametrize("seconds", [None, 0.1])
@pytest.mark.parametrize("make", [a_sound, lambda: a_video(False), lambda: a_video(True)])
def test_both_parsers_agree(cosine_field, make, seconds) -> None:
    options = SimpleNamespace(segment_seconds=seconds)
    data = codec.encode(make(), options, cosine_field.fitted).data
    file = InrFile.parse(data, Limits())
    parts = reference.fields(data)
    assert len(parts) == len(file.segments) == (1 if seconds is None else file.header.segments)
    for index, (found, payload) in enumerate(parts):
        header, expected = file.segment(index)
        assert payload == expected
        for name in ("kind", "field_id", "config_code", "channels", "bit_depth", "frames"):
            assert found[name] == getattr(header, name), name
    found, header = reference.header(file.sections[0].payload), file.header
    assert found["segment_frames"] == header.segment_frames
    if header.kind_name == "audio":
        assert found["rate_hz"] == header.rate_hz
        return
    assert found["subsampling"] == SUBSAMPLING_IDS[header.subsampling]
    assert found["chroma_location"] == CHROMA_LOCATION_IDS[header.chroma_location]
    assert (found["rate"], found["aspect"]) == (header.rate, header.pixel_aspect)
    assert found["code_points"] == header.code_points == (9, 1, 16)
    assert (found["width"], found["height"]) == (9, 6)
    if header.has_ticks:
        shown, base = reference.ticks(reference.sections(data)[4][0], header.frames)
        assert (shown, base) == (list(file.times.ticks), file.times.base)
