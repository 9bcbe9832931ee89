"""A parsed `.inr` file: what its header says, the fields in it, and which decodes are possible."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from inrcodec import registry
from inrcodec.bitstream import container
from inrcodec.bitstream.container import Section, read_container, read_segment
from inrcodec.bitstream.header import Header, ImageHeader, parse_header
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.ticks import Times, read_ticks
from inrcodec.errors import BadOption, CorruptFile, TruncatedFile, UnsupportedFile
from inrcodec.fields import Field
from inrcodec.grid import Grid
from inrcodec.kinds import KINDS, DecodeHash, Kind, Plan, check_arguments
from inrcodec.row import Row, split
from inrcodec.runtime import resolve_device
from inrcodec.sampling import Renderer
from inrcodec.signal import AnySignal

METADATA = {"icc": container.ICC, "exif": container.EXIF, "xmp": container.XMP}


@dataclass(frozen=True)
class InrFile:
    """A parsed file: header and sections are checked, no payload is decoded yet."""

    header: Header
    segments: list[bytes]  # one payload, or the segment sections
    times: Times | None
    stored_hash: bytes | None
    metadata: dict[str, bytes]
    file_bytes: int
    sections: list[Section]
    version: tuple[int, int]  # of the format: major, minor
    band: int | None = None  # the output that is rendered; None is the finest
    payload_bytes: int | None = None  # of the whole payload, where only its beginning is here
    device: str = "cpu"  # where fields render: cpu, auto or cuda[:n]

    @classmethod
    def parse(cls, data: bytes, limits: Limits) -> InrFile:
        """The parts of a file.

        Raises:
            CorruptFile, LimitExceeded, UnsupportedFile: see `bitstream.container`.
        """
        sections = read_container(data, limits)
        by_type = {section.type: section.payload for section in sections}
        header = parse_header(by_type[container.HEADER], limits)
        packed = (container.PAYLOAD, container.SEGMENT)
        segments = [section.payload for section in sections if section.type in packed]
        _check_sections(header, len(segments), container.TICKS in by_type)
        ticks = by_type.get(container.TICKS)
        return cls(
            header=header,
            segments=segments,
            times=read_ticks(ticks, header.frames) if ticks is not None else None,
            stored_hash=by_type.get(container.DECODE_HASH),
            metadata={name: by_type[t] for name, t in METADATA.items() if t in by_type},
            file_bytes=len(data),
            sections=sections,
            version=container.version_of(data),
        )

    @classmethod
    def parse_band(cls, data: bytes, limits: Limits, band: int) -> InrFile:
        """A file, to be rendered at one of its bands; also one that ends behind that band.

        Of a file that was cut short nothing can be verified: a warning says so.

        Args:
            data: the file, or its beginning.
            limits: what it may ask for.
            band: 0 is the coarsest.

        Raises:
            BadOption: the field has no such band.
            CorruptFile, LimitExceeded, UnsupportedFile: as `parse`.
        """
        try:
            file = replace(cls.parse(data, limits), band=band)
        except TruncatedFile:
            file = replace(cls._beginning(data, limits), band=band)
            warnings.warn(
                "the file was cut short: its check sum is lost, and what is decoded from its "
                "beginning may be wrong without notice",
                stacklevel=2,
            )
        bands = getattr(file.family, "bands", lambda header: 1)(file.header)
        if bands == 1:
            raise BadOption(
                f"a band was given, and the field of this file, "
                f"{registry.by_id('fields', file.header.field_id).name!r}, has one output only; "
                "leave it out"
            )
        if not 0 <= band < bands:
            raise BadOption(f"band is {band}, expected 0 (coarsest) to {bands - 1} (finest)")
        return file

    @classmethod
    def _beginning(cls, data: bytes, limits: Limits) -> InrFile:
        sections = container.read_beginning(data, limits)
        by_type = {section.type: (section.payload, length) for section, length in sections}
        if sections[0][0].type != container.HEADER or container.PAYLOAD not in by_type:
            raise TruncatedFile(
                "the file was cut short, and holds no beginning of one payload; get it again"
            )
        header = parse_header(by_type[container.HEADER][0], limits)
        _check_sections(header, 1, container.TICKS in by_type)
        payload, length = by_type[container.PAYLOAD]
        ticks = by_type.get(container.TICKS)
        return cls(
            header=header,
            segments=[payload],
            times=read_ticks(ticks[0], header.frames) if ticks is not None else None,
            stored_hash=None,
            metadata={},
            file_bytes=len(data),
            sections=[section for section, _ in sections],
            version=container.version_of(data),
            payload_bytes=length,
        )

    @property
    def kind(self) -> Kind:
        """What is special to signals like this one."""
        return KINDS[self.header.kind_name]

    @property
    def payload(self) -> bytes:
        """The payload of the first field."""
        return self.segment(0)[1]

    @property
    def family(self) -> type[Field]:
        """The class of the fields.

        Raises:
            UnsupportedFile: this version does not know it, or not for such signals.
        """
        entry = registry.by_id("fields", self.header.field_id)
        if self.header.kind_name not in entry.part.kinds:
            raise UnsupportedFile(
                f"the file has {self.header.kind_name} in a field {entry.name!r}, which this "
                f"version knows for {', '.join(sorted(entry.part.kinds))} only; "
                "decode it with a newer inrcodec"
            )
        return entry.part

    def segment(self, index: int) -> tuple[Header, bytes]:
        """(header, payload) of one segment, as if it were a signal of its own.

        Raises:
            CorruptFile: its check sum is wrong.
        """
        if len(self.segments) == 1:
            return self.header, self.segments[0]
        code, payload = read_segment(self.segments[index])
        code = self.header.config_code if code is None else code
        return self.header.segment(index, code), payload

    def on(self, device: str) -> InrFile:
        """The same file, whose fields render on a device; the samples are the same everywhere.

        Args:
            device: cpu, cuda[:n], or auto: a GPU for what is large enough to be worth it.

        Raises:
            BadOption: there is no such device, or it is not usable.
        """
        if device not in ("auto", "cpu"):
            device = resolve_device(device)
        return replace(self, device=device)

    def field(self, limits: Limits, index: int = 0) -> Field:
        """The decoded field of a segment, ready to render."""
        header, payload = self.segment(index)
        if self.band is None:
            field = self.family.unpack(payload, header, limits)
        else:
            length = len(payload) if self.payload_bytes is None else self.payload_bytes
            field = self.family.unpack_prefix(payload, length, header, self.band, limits)
        field.device = self.device
        return field

    def source(self, limits: Limits) -> Renderer:
        """What renders the whole signal: its field, or its fields one behind the other."""
        self.family  # noqa: B018 - whether there is one
        if isinstance(self.header, ImageHeader):
            return self.field(limits)
        return Row(self.header, lambda index: self.field(limits, index))

    def plan(self, limits: Limits, bit_depth: int | None = None, **where: Any) -> Plan:
        """A decode, which is not too large an output and not too much work.

        Args:
            limits: what the output may cost.
            bit_depth: bits per output sample; default the file's.
            where: size, scale and region of images and videos, rate_hz of sounds, fps of videos,
                time of both; see `Grid`.

        Raises:
            BadOption: it makes no sense for this signal.
            LimitExceeded: too many samples, or too much work behind them.
        """
        given = check_arguments(self.header.kind_name, where)
        arguments = self.times, self.metadata, limits, bit_depth, given
        plan = self.kind.plan(self.header, *arguments)
        self._check_work(limits, plan.grids())
        return plan

    def _split(self, grid: Grid) -> Iterable[tuple[int, Grid]]:
        return [(0, grid)] if isinstance(self.header, ImageHeader) else split(self.header, grid)

    def stretches(
        self,
        limits: Limits,
        bit_depth: int | None = None,
        fast: bool = False,
        *,
        whole: bool = False,
        **where: Any,
    ) -> Iterator[AnySignal]:
        """A decode in stretches of time that follow each other; of an image there is one.

        Args:
            limits, bit_depth, where: as for `plan`.
            fast: allow float32.
            whole: whether the stretches will be held all at once.

        Raises:
            LimitExceeded, BadOption: as `plan`, before anything is rendered.
        """
        plan = self.plan(limits, bit_depth, **where)
        if whole:
            self.check_held(plan, limits)
        return plan.render(self.source(limits), fast)

    def check_held(self, plan: Plan, limits: Limits) -> None:
        """Refuses a sound or video that is too long to be held; the size of an image is checked.

        Raises:
            LimitExceeded: it is.
        """
        if not isinstance(self.header, ImageHeader):
            limits.check_samples(plan.samples)

    def verified(self, limits: Limits, whole: bool = False) -> Iterator[AnySignal]:
        """The native decode in stretches, checked against the stored hash after the last one.

        Raises:
            CorruptFile: the samples differ from those that the encoder saw, or no hash is stored.
        """
        if self.stored_hash is None:
            raise CorruptFile("the file stores no decode hash, so its decode cannot be verified")
        # Unpacked first: that refuses what is no payload before anything is planned.
        source, plan, found = self.source(limits), self.plan(limits), DecodeHash()
        if whole:
            self.check_held(plan, limits)
        for stretch in plan.render(source):
            found.add(stretch)
            yield stretch
        if found.digest() != self.stored_hash:
            raise CorruptFile(
                f"the decoded samples have hash {found.digest().hex()}, the encoder saw "
                f"{self.stored_hash.hex()}: this decoder is faulty, or the file was forged"
            )

    def joined(self, stretches: Iterable[AnySignal]) -> AnySignal:
        """One signal of stretches that follow each other."""
        return self.kind.joined(list(stretches))

    def _check_work(self, limits: Limits, grids: Iterable[Grid]) -> None:
        positions = macs = 0
        for grid in grids:
            for index, part in self._split(grid.refined()):
                found, each = self.family.render_work(self.segment(index)[0], part)
                positions, macs = positions + found, macs + found * each
            limits.check_macs(positions, -(-macs // positions), self.file_bytes)

    def info(self) -> dict[str, Any]:
        """What the file says of itself, without decoding it."""
        h = self.header
        timed = {} if isinstance(h, ImageHeader) else {"segments": len(self.segments)}
        return {
            "kind": h.kind_name,
            **self.kind.facts(h),
            "file_bytes": self.file_bytes,
            **self.kind.rates(h, self.file_bytes),
            "format_version": ".".join(map(str, self.version)),
            **timed,
            "field": registry.by_id("fields", h.field_id).name,
            "config": self.family.describe(h),
            **self._complexity(),
            "decode_hash": self.stored_hash.hex() if self.stored_hash else None,
            "metadata_bytes": {name: len(block) for name, block in self.metadata.items()},
        }

    def _complexity(self) -> dict[str, Any]:
        """Parameters of all segments, and what is said of a sample by the worst of them."""
        found: dict[str, Any] = {}
        for index in range(len(self.segments)):
            for name, value in self.family.complexity(self.segment(index)[0]).items():
                both = sum if name == "parameters" else max
                found[name] = both((found[name], value)) if name in found else value
        return found


def _check_sections(header: Header, segments: int, has_ticks: bool) -> None:
    expected = 1 if isinstance(header, ImageHeader) else header.segments
    if segments != expected:
        raise CorruptFile(
            f"the file has {segments} segments, expected {expected} by its header; "
            "the file was written by a faulty encoder"
        )
    if has_ticks != getattr(header, "has_ticks", False):
        raise CorruptFile(
            f"the file has {'a' if has_ticks else 'no'} ticks section, its header tells otherwise; "
            "the file was written by a faulty encoder"
        )
