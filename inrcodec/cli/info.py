"""`inrcodec info`: what a file says of itself, in milliseconds, without decoding it."""

from __future__ import annotations

import argparse
import time

from inrcodec import files
from inrcodec.bitstream.limits import Limits
from inrcodec.cli import console
from inrcodec.cli.options import add_verb

_EPILOG = """\
The check sum is verified, the payload is not decoded: use `inrcodec verify` for that.

"""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    parser = add_verb(verbs, "info", "show what an .inr file holds, without decoding it", _EPILOG)
    parser.add_argument("file", metavar="FILE", help="the .inr file; - is stdin")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Shows the header of a file.

    Raises:
        InrError: the file cannot be read, or is damaged.
    """
    console.check_streams(args.file, None, json_output=True)

    from inrcodec import codec

    limits = Limits()
    data = files.read_bytes(args.file, limits.max_file_bytes)
    begun = time.perf_counter()
    facts = {"file": args.file, **codec.InrFile.parse(data, limits).info()}
    facts["info_milliseconds"] = round((time.perf_counter() - begun) * 1000, 2)
    if args.json:
        console.write_json(facts)
    else:
        console.write_facts(facts)
