"""`inrcodec verify`: a full decode, compared with what the encoder saw."""

from __future__ import annotations

import argparse
import time

from inrcodec import files
from inrcodec.bitstream.limits import Limits
from inrcodec.cli import console
from inrcodec.cli.options import add_verb, shown

_EPILOG = """\
Checks structure and check sum, decodes the picture at its native size, and compares its samples
with the hash that the encoder stored. Exit code 0 means that this machine decodes the file to
exactly the samples that the encoder reported.

"""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    parser = add_verb(verbs, "verify", "check that an .inr file decodes as intended", _EPILOG)
    parser.add_argument("file", metavar="FILE", help="the .inr file; - is stdin")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Verifies a file.

    Raises:
        InrError: the file cannot be read, is damaged, or decodes to other samples.
    """
    console.check_streams(args.file, None, args.json)

    from inrcodec import codec

    data = files.read_bytes(args.file, Limits().max_file_bytes)
    begun = time.perf_counter()
    signal = codec.verify(data)
    seconds = time.perf_counter() - begun
    digest = codec.decode_hash(signal).hex()
    if not args.quiet:
        console.say(
            f"{shown(args.file)}: ok, {signal.width}x{signal.height}, decode hash {digest}, "
            f"{seconds:.2f} s"
        )
    if args.json:
        console.write_json(
            {
                "file": args.file,
                "ok": True,
                "width": signal.width,
                "height": signal.height,
                "file_bytes": len(data),
                "decode_hash": digest,
                "verify_seconds": round(seconds, 3),
            }
        )
