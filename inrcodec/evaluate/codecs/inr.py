"""Our own codec, as every other one: files of several lambdas, decoded by its decoder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from inrcodec import __version__, api, codec
from inrcodec.bitstream.container import FORMAT_VERSION
from inrcodec.bitstream.limits import Limits
from inrcodec.evaluate.codecs.codec import Probe, Setting
from inrcodec.fields.grid import GridField
from inrcodec.fit import DEFAULT_EFFORT
from inrcodec.signal import Signal

# Those of Cool-Chic's published curves.
DEFAULT_LMBDAS = (2e-2, 4e-3, 1e-3, 4e-4, 1e-4)
DEFAULT_FIELD = "grid"
# What cannot change a file or its decode.
_BESIDE = ("evaluate", "cli")


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
    effort: int = DEFAULT_EFFORT
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
        """It is always here; a version is another one as soon as its source is."""
        version = ".".join(map(str, FORMAT_VERSION))
        return Probe("inrcodec", f"{__version__}, format {version}, source {source_digest()}")

    def refusal(self, signal: Signal) -> str | None:
        """None: pictures of any channels and depth fit."""
        return None

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

    def network_bytes(self, data: bytes) -> int:
        """What is not latents: networks, header and hash, to about one byte.

        All is one stream, so the latents weigh what the range coder spends on them, without those
        few that are escaped. A family that has no latents is network alone.
        """
        field = codec.InrFile.parse(data, Limits()).field(Limits())
        if not isinstance(field, GridField):
            return len(data)
        return round(len(data) - field.latent_coder().rate_bits(field.latents) / 8)


@cache
def source_digest() -> str:
    """First 12 digits of a SHA-256 over the source and the tables of the codec.

    Better than a commit, which also changes with what cannot change a file, does not tell two
    states of a changed tree apart, and is unknown where the package is installed.
    """
    root = Path(__file__).parents[2]
    found = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        inner = path.relative_to(root)
        if inner.parts[0] in _BESIDE or "__pycache__" in inner.parts or not path.is_file():
            continue
        found.update(f"{inner.as_posix()}\0{path.stat().st_size}\0".encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:12]
