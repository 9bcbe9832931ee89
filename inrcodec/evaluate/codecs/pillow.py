"""Pictures through Pillow: JPEG, JPEG 2000, WebP, AVIF, and JPEG XL where a plugin adds it.

All code 8 bits; of deeper pictures they code the 8-bit version, and are judged against all bits.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, features

from inrcodec.errors import BadInput
from inrcodec.evaluate.codecs.codec import Probe, Setting
from inrcodec.media.image import convert_depth
from inrcodec.signal import Signal

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_WIDER = {"L": "RGB", "LA": "RGBA"}  # nothing is lost by it


@dataclass(frozen=True)
class PillowCodec:
    """A picture format of Pillow with a quality scale.

    Args:
        name, extension: see `Codec`.
        format: Pillow's name of it.
        feature: what `PIL.features` calls its library; "" for a plugin.
        scale: letters before the number in the names of settings.
        dial: the option that takes the number, or the first item of it.
        levels: the numbers.
        options: the other options.
        modes: what it holds; other pictures are converted if nothing is lost by it.
        plugin: module to import first, and the package that it comes from.
    """

    name: str
    extension: str
    format: str
    feature: str
    levels: tuple[float, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    modes: tuple[str, ...] = ("L", "RGB")
    scale: str = "q"
    dial: str = "quality"
    plugin: tuple[str, str] | None = None
    kinds: tuple[str, ...] = ("image",)
    slow: bool = False
    renders: bool = False

    def probe(self) -> Probe:
        """Whether this Pillow has it."""
        if self.plugin is not None:
            module, package = self.plugin
            try:
                importlib.import_module(module)
            except ImportError:
                return Probe(
                    package, missing=f"install its plugin for Pillow: pip install {package}"
                )
            return Probe(package, importlib.metadata.version(package))
        if not features.check(self.feature):
            return Probe(
                f"Pillow {Image.__version__}",
                missing=f"this Pillow was built without {self.format}: "
                "pip install --upgrade 'pillow>=11.3'",
            )
        libraries = [self.feature]
        if self.feature == "jpg" and features.check("libjpeg_turbo"):
            libraries = ["libjpeg_turbo"]
        versions = [f"{library} {features.version(library)}" for library in libraries]
        return Probe(f"Pillow {Image.__version__}", ", ".join(versions))

    def refusal(self, signal: Signal) -> str | None:
        """Why it does not take a picture: channels that no mode of it holds."""
        if self._mode(signal) is not None:
            return None
        return (
            f"{self.name} holds {' and '.join(self.modes)}, the picture is "
            f"{_MODES[signal.channels]}; leave the codec out, or convert the picture"
        )

    def _mode(self, signal: Signal) -> str | None:
        """What the picture becomes in a file; None if something would be lost."""
        mode = _MODES[signal.channels]
        return next((m for m in (mode, _WIDER.get(mode)) if m in self.modes), None)

    def settings(self, signal: Signal) -> tuple[Setting, ...]:
        """One for each level."""
        return tuple(self._setting(level) for level in self.levels)

    def _setting(self, level: float) -> Setting:
        value: Any = [level] if self.dial == "quality_layers" else level
        options = {self.dial: value, **self.options}
        words = ", ".join(f"{name}={value!r}" for name, value in options.items())
        return Setting(f"{self.scale}{level:g}", f"Pillow {self.format}: {words}", options)

    def encode(self, signal: Signal, setting: Setting) -> bytes:
        """The file of a picture, without its metadata."""
        reason = self.refusal(signal)
        if reason:
            raise BadInput(reason)
        samples = convert_depth(signal, 8).samples
        image = Image.fromarray(samples[:, :, 0] if samples.shape[2] == 1 else samples)
        mode = self._mode(signal)
        if image.mode != mode:
            image = image.convert(mode)
        out = io.BytesIO()
        try:
            image.save(out, self.format, **setting.options)
        except (OSError, ValueError) as error:
            raise BadInput(
                f"{self.name} cannot hold {signal!r}: {error}; leave the codec or the picture out"
            ) from error
        return out.getvalue()

    def decode(self, data: bytes, like: Signal) -> Signal:
        """The picture, with the channels and the depth of `like`."""
        image = Image.open(io.BytesIO(data)).convert(_MODES[like.channels])
        samples = np.array(image).reshape(image.height, image.width, like.channels)
        return convert_depth(Signal(samples), like.bit_depth)

    def payload_bytes(self, data: bytes) -> int:
        """All of it: picture formats are weighed whole."""
        return len(data)


_EVERY_5 = tuple(range(5, 100, 5))
JPEG = PillowCodec("jpeg", ".jpg", "JPEG", "jpg", _EVERY_5, {"optimize": True})
CODECS = (
    JPEG,
    # As CompressAI's published JPEG curve, by the Huffman tables of the standard; its Pillow 7.1.2
    # had IJG's libjpeg, whose decodes are 0.1 dB worse (results/kodak).
    PillowCodec("jpeg-standard-tables", ".jpg", "JPEG", "jpg", _EVERY_5),
    PillowCodec(
        "jpeg2000",
        ".jp2",
        "JPEG2000",
        "jpg_2000",
        tuple(range(22, 47, 2)),
        # Pillow leaves the colour transform out unless asked: half the rate at equal quality.
        {"quality_mode": "dB", "irreversible": True, "mct": 1},
        ("L", "LA", "RGB", "RGBA"),
        "db",
        "quality_layers",
    ),
    PillowCodec("webp", ".webp", "WEBP", "webp", _EVERY_5, {"method": 6}, ("RGB", "RGBA")),
    PillowCodec(
        "avif",
        ".avif",
        "AVIF",
        "avif",
        tuple(range(10, 100, 10)),
        {"speed": 4, "max_threads": 1},
        ("RGB", "RGBA"),
    ),
    # libavif tunes for the eye; this needs 12 to 18% fewer bits for the same PSNR (kodim03, 08).
    PillowCodec(
        "avif-psnr",
        ".avif",
        "AVIF",
        "avif",
        tuple(range(10, 100, 10)),
        {"speed": 2, "max_threads": 1, "subsampling": "4:4:4", "advanced": {"tune": "psnr"}},
        ("RGB", "RGBA"),
    ),
)
JPEG_XL = PillowCodec(
    "jxl",
    ".jxl",
    "JXL",
    "",
    (10, 20, 30, 40, 50, 60, 70, 80, 90, 95),
    {"effort": 7, "num_threads": 1},
    ("L", "LA", "RGB", "RGBA"),
    plugin=("pillow_jxl", "pillow-jxl-plugin"),
)
