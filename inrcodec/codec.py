"""The story of the codec: a signal becomes a file, a file becomes a signal at any size.

```
Signal ──fit──► Field (integers) ──pack──► payload ─┐
                                          header ───┼─► container ──► bytes
                 decode hash, times, ICC, EXIF, XMP ┘
Signal ◄──round── means ◄──render(Grid)── Field ◄──unpack── payload ◄── container ◄── bytes
```

A long sound or video is a row of segments, each with a field of its own; all else is the same. What
is special to images, sounds and videos is in `kinds`. Decoding imports neither torch nor anything
of `fit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from inrcodec.bitstream.config import pack_config
from inrcodec.bitstream.limits import Limits
from inrcodec.encoded import Encoded
from inrcodec.fields import Field
from inrcodec.grid import Grid
from inrcodec.inr_file import METADATA, InrFile
from inrcodec.kinds import KINDS, decode_hash
from inrcodec.kinds.depth import depth_of
from inrcodec.kinds.image import ImagePlan
from inrcodec.segments import Gathered, check_encodable, part_options, parts_of
from inrcodec.signal import AnySignal, Signal

__all__ = [
    "METADATA",
    "Encoded",
    "InrFile",
    "decode",
    "decode_hash",
    "encode",
    "encode_parts",
    "render",
    "verify",
]

Fit = Callable[[Any, Any], tuple[int, Field]]


def encode(signal: AnySignal, options: Any, fit: Fit | None = None) -> Encoded:
    """A signal as an `.inr` file.

    Args:
        signal: what to encode.
        options: `fit.EncodeOptions`: field, lambda, effort, seed, device.
        fit: makes (field id, field) of a signal and options; default `fit.fit`.

    Raises:
        BadOption: an option is out of range, or the field cannot represent such a signal.
        BadInput: the signal is larger than a decoder with default limits would accept.
    """
    return encode_parts(*parts_of(signal, options), options, fit)


def encode_parts(
    parts: Iterable[AnySignal],
    segment_frames: int,
    count: int | None,
    options: Any,
    fit: Fit | None = None,
) -> Encoded:
    """A signal that comes in segments as an `.inr` file; memory is that of one segment.

    Args:
        parts: the segments in their order.
        segment_frames: length of every segment but the last.
        count: how many there are; None where nobody knows.
        options, fit: as for `encode`.

    Raises:
        BadOption, BadInput: as `encode`; or the segments differ.
    """
    if fit is None:
        from inrcodec.fit import fit  # the encoder's side is loaded only by encoders
    gathered = Gathered(segment_frames)
    for index, part in enumerate(parts):
        check_encodable(part, count)
        kind = KINDS[part.kind]
        field_id, field = fit(part, part_options(options, index, count))
        header = kind.header(part, field_id, pack_config(field.config))
        payload = field.pack()
        # What the decoder will see, from the bytes themselves: nothing is measured that is not in
        # them.
        reopened = type(field).unpack(payload, header, Limits())
        plan = kind.plan(header, None, {}, Limits.unlimited(), None, {})
        gathered.add(header, payload, part, kind.joined(list(plan.render(reopened))))
    return gathered.encoded()


def decode(
    data: bytes,
    limits: Limits | None = None,
    *,
    bit_depth: int | None = None,
    fast: bool = False,
    band: int | None = None,
    device: str = "cpu",
    **where: Any,
) -> AnySignal:
    """The signal in a file, at native size or anywhere else.

    Args:
        data: an `.inr` file.
        limits: what the file may ask for.
        bit_depth: bits per output sample, rounded once from the field; default the file's.
        fast: allow float32, at most one level off at 8 bits; never used to verify.
        band: of a field with several outputs which one, 0 the coarsest; default the finest. The
            beginning of the file suffices for a coarse one.
        device: where to render; see `InrFile.on`.
        where: of images and videos size=(height, width), scale=, region=(x, y, width, height);
            rate_hz= of sounds, fps= of videos, time=(begin, end) in seconds of both.

    Raises:
        CorruptFile, LimitExceeded, UnsupportedFile: the file cannot be decoded.
        BadOption: what was asked for makes no sense for this signal.
    """
    limits = limits or Limits()
    whole = band is None
    parsed = InrFile.parse(data, limits) if whole else InrFile.parse_band(data, limits, band)
    parsed = parsed.on(device)
    return parsed.joined(parsed.stretches(limits, bit_depth, fast, whole=True, **where))


def verify(data: bytes, limits: Limits | None = None, device: str = "cpu") -> AnySignal:
    """The native decode of a file, after its samples were checked against the stored hash.

    Args:
        data: an `.inr` file.
        limits: what the file may ask for.
        device: where to render; see `InrFile.on`.

    Raises:
        CorruptFile: the samples differ from those that the encoder saw, or no hash is stored.
    """
    limits = limits or Limits()
    parsed = InrFile.parse(data, limits).on(device)
    return parsed.joined(parsed.verified(limits, whole=True))


def render(
    field: Field, grid: Grid, file: InrFile, *, bit_depth: int | None = None, fast: bool = False
) -> Signal:
    """The samples of the decoded field of an image on a grid, with the metadata of its file.

    Raises:
        BadOption: the bit depth is no whole number from 1 to 16.
    """
    depth = depth_of(bit_depth, file.header.bit_depth, 1, 16)
    (image,) = ImagePlan(grid, depth, file.metadata).render(field, fast)
    return image
