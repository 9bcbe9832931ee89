"""Our own codec, as every other one: files of several lambdas, decoded by its decoder."""

from __future__ import annotations

from dataclasses import dataclass

from inrcodec import __version__, api, codec
from inrcodec.bitstream.container import FORMAT_VERSION
from inrcodec.bitstream.limits import Limits
from inrcodec.evaluate.codecs.codec import Probe, Setting
from inrcodec.signal import Signal

# Those of Cool-Chic's published curves.
DEFAULT_LMBDAS = (2e-2, 4e-3, 1e-3, 4e-4, 1e-4)
DEFAULT_FIELD = "grid"


@dataclass(frozen=True)
class InrCodec:
    """One field at one effort.

    Args:
        field: family of the representation.
        effort: 1..9.
        lmbdas: one point for each, from the smallest file to the largest.
        device, engine, seed: as in `fit.EncodeOptions`.
    """

    field: str = DEFAULT_FIELD
    effort: int = 5
    lmbdas: tuple[float, ...] = DEFAULT_LMBDAS
    device: str = "auto"
    engine: str = "auto"
    seed: int = 0
    extension: str = ".inr"
    kinds: tuple[str, ...] = ("image",)
    slow: bool = True
    renders: bool = True

    @property
    def name(self) -> str:
        """`inr-e5`, or `inr-siren-e5` for another family than the default one."""
        return "-".join(
            ["inr", *([] if self.field == DEFAULT_FIELD else [self.field]), f"e{self.effort}"]
        )

    def probe(self) -> Probe:
        """It is always here."""
        version = ".".join(map(str, FORMAT_VERSION))
        return Probe("inrcodec", f"{__version__}, format {version}")

    def settings(self, signal: Signal) -> tuple[Setting, ...]:
        """One for each lambda."""
        return tuple(
            Setting(
                f"lmbda{lmbda:g}",
                f"field {self.field}, lmbda {lmbda:g}, effort {self.effort}, seed {self.seed}, "
                f"device {self.device}, engine {self.engine}",
                lmbda=lmbda,
            )
            for lmbda in sorted(set(self.lmbdas), reverse=True)
        )

    def encode(self, signal: Signal, setting: Setting) -> bytes:
        """The `.inr` file of a picture, without its metadata."""
        options = api.encode_options(
            lmbda=setting.lmbda,
            effort=self.effort,
            field=self.field,
            device=self.device,
            engine=self.engine,
            seed=self.seed,
        )
        return codec.encode(signal.stripped(), options).data

    def decode(self, data: bytes, like: Signal) -> Signal:
        """The picture at the size of `like`; at its native size checked against its hash.

        At one n-th of it, the part that n divides, as `resolutions.reduced` has it.
        """
        header = codec.InrFile.parse(data, Limits()).header
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
