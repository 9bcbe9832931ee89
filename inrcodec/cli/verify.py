"""`inrcodec verify`: a full decode, compared with what the encoder saw."""

from __future__ import annotations

import argparse
import time

from inrcodec import files
from inrcodec.cli import console
from inrcodec.cli.options import add_decode_device, add_limits, add_verb, in_short, limits_of, shown

_EPILOG = """\
Checks structure and check sum, decodes everything at its native size, and compares the samples
with the hash that the encoder stored. Exit code 0 means that this machine decodes the file to
exactly the samples that the encoder reported.

"""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    parser = add_verb(verbs, "verify", "check that an .inr file decodes as intended", _EPILOG)
    parser.add_argument("file", metavar="FILE", help="the .inr file; - is stdin")
    add_decode_device(parser)
    add_limits(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Verifies a file.

    Raises:
        InrError: the file cannot be read, is damaged, or decodes to other samples.
    """
    console.check_streams(args.file, None, args.json)

    from inrcodec.inr_file import InrFile

    limits = limits_of(args)
    data = files.read_bytes(args.file, limits.max_file_bytes)
    begun = time.perf_counter()
    if args.verbose:
        console.show_log()
    file = InrFile.parse(data, limits).on(args.device)
    for _ in file.verified(limits):
        pass
    seconds = time.perf_counter() - begun
    digest, facts = file.stored_hash.hex(), file.kind.facts(file.header)
    if not args.quiet:
        console.say(
            f"{shown(args.file)}: ok, {in_short(facts)}, decode hash {digest}, {seconds:.2f} s"
        )
    if args.json:
        console.write_json(
            {
                "file": args.file,
                "ok": True,
                "kind": file.header.kind_name,
                **facts,
                "file_bytes": len(data),
                "decode_hash": digest,
                "verify_seconds": round(seconds, 3),
            }
        )
