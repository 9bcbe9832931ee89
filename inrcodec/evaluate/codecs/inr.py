"""Our own codec, as every other one: files of several lambdas, decoded by its decoder."""

from __future__ import annotations

from dataclasses import dataclass, replace

from inrcodec import __version__, api, codec
from inrcodec.bitstream.container import FORMAT_VERSION
from inrcodec.bitstream.limits import Limits
from inrcodec.evaluate.codecs.codec import Probe, Setting
from inrcodec.evaluate.resolutions import reduced
from inrcodec.evaluate.source import source_digest
from inrcodec.fields import default_field, family_of
from inrcodec.fields.grid import GridField
from inrcodec.fit import DEFAULT_EFFORT, EncodeOptions
from inrcodec.grid import Axis
from inrcodec.kinds.pace import Pace
from inrcodec.signal import AnySignal, AudioSignal, VideoSignal

# Of images those of Cool-Chic's published curves.
DEFAULT_LMBDAS = {
    "image": (2e-2, 4e-3, 1e-3, 4e-4, 1e-4),
    "audio": (1e-3, 3e-4, 1e-4, 3e-5, 1e-5),
    "video": (2e-2, 4e-3, 1e-3, 4e-4, 1e-4),
}


@dataclass(frozen=True)
class InrCodec:
    """One field at one effort.

    Args:
        field: family of the representation, "" for the usual one of the kind.
        effort: 1..9.
        lmbdas: one point for each; none for the usual ones of the kind.
        device, engine, seed: as in `fit.EncodeOptions`.
        kind: of the signals.
        remedies: names of remedies against spectral bias.
        network: (name, value) of options of the network and of the remedies.
    """

    field: str = ""
    effort: int = DEFAULT_EFFORT
    lmbdas: tuple[float, ...] = ()
    device: str = "auto"
    engine: str = "auto"
    seed: int = 0
    kind: str = "image"
    remedies: tuple[str, ...] = ()
    network: tuple[tuple[str, float], ...] = ()
    extension: str = ".inr"
    slow: bool = True
    renders: bool = True

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind that this configuration is for."""
        return (self.kind,)

    @property
    def family(self) -> str:
        """The name of its field.

        Raises:
            BadOption: there is no field for the kind.
        """
        return self.field or default_field(self.kind)

    @property
    def name(self) -> str:
        """`inr-e5`; `inr-siren-e5` for another field than the usual one, `inr-siren+iga-e5`."""
        usual = self.family == default_field(self.kind) and not self.remedies
        fitted = [] if usual else ["+".join([self.family, *self.remedies])]
        return "-".join(["inr", *fitted, f"e{self.effort}"])

    def probe(self) -> Probe:
        """It is always here; a version is another one as soon as its source is."""
        version = ".".join(map(str, FORMAT_VERSION))
        return Probe("inrcodec", f"{__version__}, format {version}, source {source_digest()}")

    def refusal(self, signal: AnySignal) -> str | None:
        """None: signals of any channels and depth fit."""
        return None

    def settings(self, signal: AnySignal) -> tuple[Setting, ...]:
        """One for each lambda."""
        return tuple(
            Setting(
                f"lmbda{lmbda:g}",
                f"field {self.family}, lmbda {lmbda:g}, effort {self.effort}, seed {self.seed}, "
                f"device {self.device}, engine {self.engine}{self._choices()}",
                lmbda=lmbda,
            )
            for lmbda in sorted(set(self.lmbdas or DEFAULT_LMBDAS[self.kind]), reverse=True)
        )

    def check(self) -> None:
        """Refuses what no encode could be done with, before any is.

        Raises:
            BadOption: a value is out of range, the field does not represent such signals, or a
                remedy does not suit it.
        """
        family = family_of(self.family, self.kind).part
        variant = family.variants().get(self.family)
        for lmbda in self.lmbdas or DEFAULT_LMBDAS[self.kind]:
            options = self._options(lmbda)
            if variant is not None:
                options.combined().check(self.kind, variant.config)

    def _options(self, lmbda: float) -> EncodeOptions:
        return api.encode_options(
            self.kind,
            lmbda=lmbda,
            effort=self.effort,
            field=self.family,
            device=self.device,
            engine=self.engine,
            seed=self.seed,
            network=dict(self.network),
            remedies=self.remedies,
        )

    def _choices(self) -> str:
        """What settings say of remedies and options of the network."""
        remedies = f", remedies {'+'.join(self.remedies)}" if self.remedies else ""
        return remedies + "".join(f", {name} {value:g}" for name, value in self.network)

    def encode(self, signal: AnySignal, setting: Setting) -> bytes:
        """The `.inr` file of a signal, without its metadata."""
        return codec.encode(signal.stripped(), self._options(setting.lmbda)).data

    def decode(self, data: bytes, like: AnySignal) -> AnySignal:
        """The signal at the size or rate of `like`; at its native one checked against its hash.

        At one n-th of it, the part that n divides, as `resolutions.reduced` has it.
        """
        header = codec.InrFile.parse(data, Limits()).header
        if isinstance(like, AudioSignal):
            if header.rate_hz == like.rate_hz:
                return codec.verify(data)
            return codec.decode(data, rate_hz=like.rate_hz).part(0, like.frames)
        if isinstance(like, VideoSignal):
            if header.rate < like.rate:
                return _between_frames(data, like)
            return reduced(codec.verify(data), round(header.rate / like.rate))
        if (header.height, header.width) == (like.height, like.width):
            return codec.verify(data)
        region = None
        n = min(header.height // like.height, header.width // like.width)
        if n > 1:
            region = (0.0, 0.0, float(n * like.width), float(n * like.height))
        return codec.decode(data, size=(like.height, like.width), region=region)

    def payload_bytes(self, data: bytes) -> int:
        """All of it: `.inr` files are weighed whole."""
        return len(data)

    def network_bytes(self, data: bytes) -> int:
        """What is not latents: networks, header and hash, to about one byte.

        All is one stream, so the latents weigh what the range coder spends on them, without those
        few that are escaped. A family that has no latents is network alone.
        """
        field = codec.InrFile.parse(data, Limits()).field(Limits())
        if not isinstance(field, GridField):
            return len(data)
        return round(len(data) - field.latent_coder().rate_bits(field.latents) / 8)


def _between_frames(data: bytes, like: VideoSignal) -> VideoSignal:
    """A video at the rate of `like`, its frames where they begin instead of in their middle.

    Of a video without every n-th frame those that are left stand for their beginnings: frame j lies
    at j + 1/2 of the field, so that frame k of the whole one is looked for at k/n + 1/2.
    """
    limits = Limits.unlimited()
    parsed = codec.InrFile.parse(data, limits)
    plan = parsed.plan(limits)
    n = like.rate / parsed.header.rate
    t = Axis.over(parsed.header.frames, (1 - 1 / n) / 2, like.frames / n, like.frames)
    pace = Pace((t,), like.rate, range(like.frames), 1 / like.rate)
    return parsed.joined(replace(plan, pace=pace).render(parsed.source(limits)))
