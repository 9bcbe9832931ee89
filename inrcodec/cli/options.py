"""Options that several verbs share: their types, and the names of outputs."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import PurePath
from typing import Any

from inrcodec import files
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadOption

MOST_SECONDS = 10**9  # thirty years: what is longer is a slip, and too large for a float

EXIT_CODES = """\
exit codes:
  0 done                                4 damaged or cut .inr file, or none at all
  1 unexpected error (-v tells more)    5 the file asks for more than the limits allow
  2 wrong option or argument            6 a newer version or feature is needed
  3 input not readable                  7 output exists already, or cannot be written
  130 interrupted (Ctrl-C); no partial output is left behind
"""


def add_verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    epilog: str = "",
) -> argparse.ArgumentParser:
    """The parser of one verb, with the flags that all verbs have."""
    parser = verbs.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=epilog + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    talk = parser.add_mutually_exclusive_group()
    talk.add_argument("--quiet", action="store_true", help="say nothing on stderr but errors")
    talk.add_argument(
        "-v", "--verbose", action="store_true", help="say more; errors come with their traceback"
    )
    parser.add_argument("--json", action="store_true", help="write one JSON object to stdout")
    parser.set_defaults(parser=parser)
    return parser


def add_force(parser: argparse.ArgumentParser) -> None:
    """Adds the flag of all verbs that write a file."""
    parser.add_argument(
        "-f", "--force", action="store_true", help="replace OUT if it exists; default is to refuse"
    )


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that shape coordinate networks."""
    group = parser.add_argument_group(
        "coordinate networks", "what is left out is chosen for the signal and the rate"
    )
    group.add_argument("--activation", metavar="NAME", help="instead of the field's own")
    group.add_argument("--encoding", metavar="NAME", help="of the coordinates, likewise")
    group.add_argument("--hidden-features", type=count, metavar="N", help="width of the layers")
    group.add_argument("--hidden-layers", type=whole, metavar="N", help="square matrices")
    group.add_argument(
        "--omega-0",
        type=float,
        metavar="F",
        help="boost of the layers: omega_0 of sines, scale of gauss, sigma_0 of wire; the first "
        "layer of sines keeps its own for sound",
    )
    group.add_argument("--first-omega-0", type=float, metavar="F", help="that of the first layer")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        type=setting,
        metavar="NAME=VALUE",
        help="another option of the field, such as bands=8, or of a remedy, such as iga.end=15",
    )
    group.add_argument(
        "--remedy",
        type=names,
        default=(),
        metavar="NAME,...",
        help="against spectral bias; see `inrcodec remedies`",
    )


NETWORK_FLAGS = (
    "activation", "encoding", "hidden_features", "hidden_layers", "omega_0", "first_omega_0",
)  # fmt: skip


def network_options(args: argparse.Namespace) -> dict[str, str | float]:
    """name -> value of every option of a coordinate network that was given."""
    flags = {name: getattr(args, name) for name in NETWORK_FLAGS}
    return {name: value for name, value in flags.items() if value is not None} | dict(args.set)


def setting(text: str) -> tuple[str, int | float]:
    """(name, number) from "NAME=VALUE"."""
    name, _, value = text.partition("=")
    try:
        number = _finite(value)
    except ValueError:
        number = None
    if not all(part.replace("-", "_").isidentifier() for part in name.split(".")) or number is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER, for example bands=8")
    return name, int(number) if number.is_integer() else number


def names(text: str) -> tuple[str, ...]:
    """("a", "b") from "a,b"."""
    found = tuple(part.strip() for part in text.split(","))
    if not all(found):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME,NAME,..., for example winner,decay")
    return found


def size(text: str) -> tuple[int, int]:
    """(height, width) from "WxH"."""
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not WxH, for example 1920x1080") from None
    if width < 1 or height < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is empty, expected at least 1x1")
    return height, width


def region(text: str) -> tuple[float, float, float, float]:
    """(x, y, width, height) from "X,Y,W,H"."""
    try:
        x, y, width, height = (_finite(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not X,Y,W,H in native pixels, for example 100,80,64,64"
        ) from None
    return x, y, width, height


def rate_hz(text: str) -> int:
    """Samples per second, from "48000"."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number < 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is not a sample rate in Hz, for example 48000")
    return number


def fps(text: str) -> Fraction:
    """Frames per second, from "25", "29.97" or "30000/1001"."""
    try:
        number = _fraction(text).limit_denominator(10**6)
    except (ValueError, ZeroDivisionError):
        number = Fraction(0)
    if not 0 < number <= 10**6:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a frame rate, for example 25 or 30000/1001"
        )
    return number


def time_span(text: str) -> tuple[Fraction | None, Fraction | None]:
    """(begin, end) in seconds from "T0:T1", either of them left out for where the signal ends."""
    begin, colon, end = text.partition(":")
    try:
        ends = tuple(_fraction(part) if part else None for part in (begin, end))
    except (ValueError, ZeroDivisionError):
        colon = ""
    if not colon or any(part is not None and abs(part) > MOST_SECONDS for part in ends):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not T0:T1 in seconds, for example 2.5:4 or 60:"
        )
    return ends[0], ends[1]


def seconds(text: str) -> float:
    """A positive number of seconds."""
    try:
        number = _finite(text)
    except ValueError:
        number = 0.0
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")
    return number


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of what a file may ask for."""
    parser.add_argument(
        "--max-pixels",
        type=count,
        metavar="N",
        help=f"refuse pictures, frames and segments of more samples, default {Limits().max_pixels}",
    )
    parser.add_argument(
        "--max-macs",
        type=count,
        metavar="N",
        help="refuse decodes of more multiply-accumulates (1e12 are minutes to an hour of one "
        f"core), default {Limits().max_macs}",
    )


def add_decode_device(parser: argparse.ArgumentParser) -> None:
    """Adds the flag that says where a file is rendered."""
    parser.add_argument(
        "--device",
        default="auto",
        metavar="D",
        help="where to render: cpu, cuda, cuda:N, or auto, the default: a GPU where there is one "
        "and the work is worth starting it. Samples are the same everywhere; -v says which it is",
    )


def limits_of(args: argparse.Namespace) -> Limits:
    """The limits that were asked for, else the default ones."""
    asked = {"max_pixels": args.max_pixels, "max_macs": args.max_macs}
    return Limits(**{name: value for name, value in asked.items() if value is not None})


def scale(text: str) -> float:
    """A factor from a millionth to a million, from "2", "0.5" or "1/3"."""
    try:
        factor = _fraction(text)
    except (ValueError, ZeroDivisionError):
        factor = Fraction(0)
    if not 1e-6 <= factor <= 1e6:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number from 1e-6 to 1e6, for example 2 or 1/3"
        )
    return float(factor)


def count(text: str) -> int:
    """A whole number from 1 on."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return number


def whole(text: str) -> int:
    """A whole number from 0 on."""
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _fraction(text: str) -> Fraction:
    """The number that people write as "25", "29.97" or "30000/1001".

    Decimals go through a float, since 1e999999999 as a fraction would fill the memory.

    Raises:
        ValueError, ZeroDivisionError: it is none, or infinite.
    """
    return Fraction(text if "/" in text else str(float(text)))


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def output_name(source: str, target: str | None, extension: str) -> str:
    """OUT, or where it was left out IN with another extension.

    Raises:
        BadOption: no name can be made from IN.
    """
    if target is not None:
        if not target:
            raise BadOption("OUT is empty; name a file, or - for standard output")
        return target
    if source == files.STANDARD_STREAM:
        raise BadOption("standard input has no name to derive OUT from; give OUT, or - for stdout")
    if not source or PurePath(source).suffix.lower() == extension:
        raise BadOption(f"{source!r} already ends in {extension}; give OUT")
    return os.path.splitext(source)[0] + extension


def shown(path: str) -> str:
    """How a line for people calls an input or output."""
    return "standard stream" if path == files.STANDARD_STREAM else path


def in_short(facts: Mapping[str, Any]) -> str:
    """What a line for people says of a signal: 640x480, 12.5 s, 48000 Hz, 2 channels, 16 bits."""
    parts = []
    if "width" in facts:
        parts.append(f"{facts['width']}x{facts['height']}")
    if "fps" in facts:
        parts.append(f"{facts['frames']} frames at {facts['fps']:.5g} fps")
    if "rate_hz" in facts:
        parts.append(f"{facts['duration_seconds']:.3f} s at {facts['rate_hz']} Hz")
    if "channels" in facts:
        parts.append(f"{facts['channels']} channels")
    return ", ".join([*parts, f"{facts['bit_depth']} bits"])


def check_json_target(json_output: bool, target: str) -> None:
    """Refuses JSON and data on the same stream.

    Raises:
        BadOption: both would go to standard output.
    """
    if json_output and target == files.STANDARD_STREAM:
        raise BadOption("--json and OUT - would both write to standard output; name a file as OUT")
