"""`inrcodec`: the parser, and how every outcome becomes an exit code and one line on stderr."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from types import FrameType

from inrcodec import __version__, files
from inrcodec.cli import (
    compare,
    console,
    decode,
    encode,
    fields,
    info,
    metrics,
    remedies,
    spectrum,
    verify,
)
from inrcodec.cli.options import EXIT_CODES
from inrcodec.errors import InrError, LimitExceeded, OutputError

VERBS = (encode, decode, info, verify, fields, remedies, metrics, spectrum, compare)


class Terminated(KeyboardInterrupt):
    """The process was asked to end by a signal other than Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; `args.run(args)` does what was asked for."""
    parser = argparse.ArgumentParser(
        prog="inrcodec",
        description="Pictures, sounds and videos as implicit neural representations: small files, "
        "any resolution.",
        epilog="`inrcodec VERB --help` tells more.\n\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"inrcodec {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)
    for verb in VERBS:
        verb.add_parser(verbs)
    return parser


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of a command line, in any order: OUT may follow options that follow IN.

    Before Python 3.13 argparse takes an optional OUT for missing at the first option behind IN.
    """
    args, rest = build_parser().parse_known_args(argv)
    names = rest if not any(map(_is_option, rest)) else []
    more = getattr(args, "more", None)
    if names and getattr(args, "output", "") is None and (len(names) == 1 or more is not None):
        args.output = names.pop(0)
    if more is not None:
        more += names
        names.clear()
    if rest:
        args.parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return args


def _is_option(argument: str) -> bool:
    return argument.startswith("-") and argument != files.STANDARD_STREAM


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of a command line.

    Args:
        argv: its arguments; default those of the process.
    """
    console.prepare_streams()
    try:
        with _signals_as_interrupts():
            code = _run(parse(argv))
    except SystemExit as exit_:  # argparse: 0 after --help and --version, 2 after a usage error
        code = exit_.code if isinstance(exit_.code, int) else 2
    except Terminated as interrupt:
        console.say("inrcodec: terminated")
        code = 128 + interrupt.number
    except KeyboardInterrupt:
        console.say("inrcodec: interrupted")
        code = 130
    return console.flush_streams() or code


def _run(args: argparse.Namespace) -> int:
    try:
        as_json = getattr(args, "progress", None) == "json"
        with console.warnings_shown(args.quiet, args.verbose, as_json):
            return args.run(args) or 0
    except InrError as error:
        return _fail(args, error, error.exit_code, str(error) + _hint(args, error))
    except MemoryError as error:
        return _fail(args, error, 1, "not enough memory; try a smaller size, region or time")
    except Exception as error:
        found = f"unexpected {type(error).__name__}: {error}"
        return _fail(args, error, 1, found + "; run again with -v for the traceback")


def _fail(args: argparse.Namespace, error: Exception, code: int, message: str) -> int:
    if args.verbose:
        with contextlib.suppress(OSError, ValueError):
            traceback.print_exception(error, file=sys.stderr)
    console.say(f"inrcodec: error: {message}")
    if args.json and sys.stdout is not None and getattr(args, "output", None) != "-":
        with contextlib.suppress(OutputError):
            console.write_json(
                {"error": type(error).__name__, "message": message, "exit_code": code}
            )
    return code


def _hint(args: argparse.Namespace, error: InrError) -> str:
    """What the library's message says in words of its Python interface."""
    if isinstance(error, LimitExceeded) and args.verb in ("decode", "verify"):
        for name in ("max_pixels", "max_macs"):
            if name in str(error):
                return f"; on the command line that is --{name.replace('_', '-')} N"
    return ""


@contextlib.contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP end us as Ctrl-C does, so that partial outputs are removed."""

    def interrupt(number: int, _: FrameType | None) -> None:
        raise Terminated(number)

    replaced = []
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # Left alone where somebody chose to ignore it, as nohup does.
        if number is None or signal.getsignal(number) is not signal.SIG_DFL:
            continue
        with contextlib.suppress(ValueError):  # not in the main thread
            signal.signal(number, interrupt)
            replaced.append(number)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main())
