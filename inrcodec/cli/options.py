"""Options that several verbs share: their types, and the names of outputs."""

from __future__ import annotations

import argparse
import math
import os
from fractions import Fraction
from pathlib import PurePath

from inrcodec import files
from inrcodec.errors import BadOption

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


def scale(text: str) -> float:
    """A factor from a millionth to a million, from "2", "0.5" or "1/3"."""
    try:
        factor = float(Fraction(text)) if "/" in text else _finite(text)
    except (ValueError, ZeroDivisionError, OverflowError):
        factor = 0.0
    if not 1e-6 <= factor <= 1e6:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number from 1e-6 to 1e6, for example 2 or 1/3"
        )
    return factor


def count(text: str) -> int:
    """A whole number from 1 on."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return number


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


def is_device(path: str) -> bool:
    """Whether a path is a device or pipe, whose name says nothing of its format."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def check_json_target(json_output: bool, target: str) -> None:
    """Refuses JSON and data on the same stream.

    Raises:
        BadOption: both would go to standard output.
    """
    if json_output and target == files.STANDARD_STREAM:
        raise BadOption("--json and OUT - would both write to standard output; name a file as OUT")
