"""The story of the codec: a signal becomes a file, a file becomes a signal at any size.

```
Signal ──fit──► Field (integers) ──pack──► payload ─┐
                                          header ───┼─► container ──► bytes
                       decode hash, ICC, EXIF, XMP ─┘
Signal ◄──round── means ◄──render(Grid)── Field ◄──unpack── payload ◄── container ◄── bytes
```

Decoding imports neither torch nor anything of `fit`.
"""

from __future__ import annotations

import hashlib
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from inrcodec import registry
from inrcodec.bitstream import container
from inrcodec.bitstream.config import pack_config
from inrcodec.bitstream.container import Section, read_container, write_container
from inrcodec.bitstream.header import KIND_IMAGE, KIND_NAMES, Header, pack_header, parse_header
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadInput, BadOption, CorruptFile, LimitExceeded
from inrcodec.fields import Field
from inrcodec.grid import Grid
from inrcodec.sampling import samples_of
from inrcodec.signal import Signal

METADATA = {"icc": container.ICC, "exif": container.EXIF, "xmp": container.XMP}


@dataclass(frozen=True)
class Encoded:
    """A finished file and what its own decoder makes of it.

    Args:
        data: the file.
        decoded: the samples that a decoder returns at native size, without the metadata.
        mse: mean squared error of `decoded`, rounded as written, with the signal in [0, 1].
    """

    data: bytes
    decoded: Signal
    mse: float

    @property
    def rate_bpp(self) -> float:
        """Bits of the whole file per pixel."""
        return 8 * len(self.data) / (self.decoded.width * self.decoded.height)

    @property
    def psnr_db(self) -> float:
        """PSNR over all samples and channels; infinite where nothing was lost."""
        return -10 * math.log10(self.mse) if self.mse else math.inf


def encode(
    signal: Signal, options: Any, fit: Callable[[Signal, Any], tuple[int, Field]] | None = None
) -> Encoded:
    """A signal as an `.inr` file.

    Args:
        signal: what to encode.
        options: `fit.EncodeOptions`: field, lambda, effort, seed, device.
        fit: makes (field id, field) of a signal and options; default `fit.fit`.

    Raises:
        BadOption: an option is out of range.
        BadInput: the signal is larger than a decoder with default limits would accept.
    """
    if fit is None:
        from inrcodec.fit import fit  # the encoder's side is loaded only by encoders
    _check_encodable(signal)
    field_id, field = fit(signal, options)
    header = Header(
        kind=KIND_IMAGE,
        width=signal.width,
        height=signal.height,
        channels=signal.channels,
        bit_depth=signal.bit_depth,
        field_id=field_id,
        config_code=pack_config(field.config),
    )
    payload = field.pack()
    # What the decoder will see, from the bytes themselves: nothing is measured that is not in them.
    reopened = type(field).unpack(payload, header, Limits())
    native = Grid.of(signal.height, signal.width)
    samples = samples_of(reopened, native, signal.channels, signal.bit_depth)
    decoded = Signal(samples, signal.bit_depth)
    sections = [
        Section(container.HEADER, pack_header(header)),
        Section(container.PAYLOAD, payload),
        Section(container.DECODE_HASH, decode_hash(decoded)),
        *(Section(METADATA[name], block) for name, block in signal.metadata.items()),
    ]
    error = (decoded.samples.astype(np.float64) - signal.samples) / signal.peak
    return Encoded(write_container(sections), decoded, float(np.mean(error * error)))


def _check_encodable(signal: Signal) -> None:
    """Refuses, before hours of work, what a decoder with default limits would refuse."""
    limits = Limits()
    try:
        limits.check_size(signal.width, signal.height)
        for name, block in signal.metadata.items():
            limits.check_metadata(len(block), name)
    except LimitExceeded as error:
        raise BadInput(
            f"no decoder would accept the file with its default limits: {error}"
        ) from None


@dataclass(frozen=True)
class InrFile:
    """A parsed file: header and sections are checked, the payload is not yet decoded."""

    header: Header
    payload: bytes
    stored_hash: bytes | None
    metadata: dict[str, bytes]
    file_bytes: int
    sections: list[Section]
    version: tuple[int, int]  # of the format: major, minor

    @classmethod
    def parse(cls, data: bytes, limits: Limits) -> InrFile:
        """The parts of a file.

        Raises:
            CorruptFile, LimitExceeded, UnsupportedFile: see `bitstream.container`.
        """
        sections = read_container(data, limits)
        by_type = {section.type: section.payload for section in sections}
        return cls(
            header=parse_header(by_type[container.HEADER], limits),
            payload=by_type[container.PAYLOAD],
            stored_hash=by_type.get(container.DECODE_HASH),
            metadata={name: by_type[t] for name, t in METADATA.items() if t in by_type},
            file_bytes=len(data),
            sections=sections,
            version=container.version_of(data),
        )

    def field(self, limits: Limits) -> Field:
        """The decoded field, ready to render."""
        family = registry.by_id("fields", self.header.field_id).part
        return family.unpack(self.payload, self.header, limits)

    def grid(self, limits: Limits, **where: Any) -> Grid:
        """The grid of a decode, which is not too large an output and not too much work.

        Args:
            limits: what the output may cost.
            where: size, scale, region; see `Grid.of`.

        Raises:
            BadOption: the grid makes no sense for this image.
            LimitExceeded: too many pixels, or too much work behind them.
        """
        h = self.header
        grid = Grid.of(h.height, h.width, **where)
        limits.check_size(grid.shape[1], grid.shape[0])
        family = registry.by_id("fields", h.field_id).part
        limits.check_macs(*family.render_work(h, grid.refined()))
        return grid

    def info(self) -> dict[str, Any]:
        """What the file says of itself, without decoding it."""
        h = self.header
        entry = registry.by_id("fields", h.field_id)
        return {
            "kind": KIND_NAMES[h.kind],
            "width": h.width,
            "height": h.height,
            "channels": h.channels,
            "bit_depth": h.bit_depth,
            "file_bytes": self.file_bytes,
            "rate_bpp": 8 * self.file_bytes / (h.width * h.height),
            "format_version": ".".join(map(str, self.version)),
            "field": entry.name,
            "config": entry.part.describe(h),
            **entry.part.complexity(h),
            "decode_hash": self.stored_hash.hex() if self.stored_hash else None,
            "metadata_bytes": {name: len(block) for name, block in self.metadata.items()},
        }


def decode(
    data: bytes,
    limits: Limits | None = None,
    *,
    bit_depth: int | None = None,
    fast: bool = False,
    **where: Any,
) -> Signal:
    """The signal in a file, at native size or anywhere else.

    Args:
        data: an `.inr` file.
        limits: what the file may ask for.
        bit_depth: 1..16 bits per output sample, rounded once from the field; default the file's.
        fast: allow float32, at most one level off at 8 bits; never used to verify.
        where: size=(height, width), scale=, region=(x, y, width, height); see `Grid.of`.

    Raises:
        CorruptFile, LimitExceeded, UnsupportedFile: the file cannot be decoded.
        BadOption: the grid makes no sense for this image.
    """
    limits = limits or Limits()
    parsed = InrFile.parse(data, limits)
    grid = parsed.grid(limits, **where)
    return render(parsed.field(limits), grid, parsed, bit_depth=bit_depth, fast=fast)


def verify(data: bytes, limits: Limits | None = None) -> Signal:
    """The native decode of a file, after its samples were checked against the stored hash.

    Raises:
        CorruptFile: the samples differ from those that the encoder saw, or no hash is stored.
    """
    limits = limits or Limits()
    parsed = InrFile.parse(data, limits)
    if parsed.stored_hash is None:
        raise CorruptFile("the file stores no decode hash, so its decode cannot be verified")
    signal = render(parsed.field(limits), parsed.grid(limits), parsed)
    found = decode_hash(signal)
    if found != parsed.stored_hash:
        raise CorruptFile(
            f"the decoded samples have hash {found.hex()}, the encoder saw "
            f"{parsed.stored_hash.hex()}: this decoder is faulty, or the file was forged"
        )
    return signal


def decode_hash(signal: Signal) -> bytes:
    """First 8 bytes of the SHA-256 of the samples, row by row, 16-bit ones little-endian."""
    samples = signal.samples.astype(signal.samples.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(samples.tobytes()).digest()[: container.DECODE_HASH_BYTES]


def render(
    field: Field, grid: Grid, file: InrFile, *, bit_depth: int | None = None, fast: bool = False
) -> Signal:
    """The samples of a decoded field on a grid, with the metadata of its file.

    Raises:
        BadOption: the bit depth is no whole number from 1 to 16.
    """
    try:
        depth = file.header.bit_depth if bit_depth is None else operator.index(bit_depth)
    except TypeError:
        depth = 0
    if not 1 <= depth <= 16:
        raise BadOption(f"bit_depth is {bit_depth!r}, expected a whole number from 1 to 16")
    samples = samples_of(field, grid, file.header.channels, depth, fast)
    return Signal(samples, depth, metadata=file.metadata)
