"""`inrcodec remedies`: what `--remedy` takes."""

from __future__ import annotations

import argparse
from typing import Any

from inrcodec.cli import console
from inrcodec.cli.options import add_verb

_EPILOG = """\
Several are combined with commas: --remedy iga,decay. Options are set with
`inrcodec encode --set NAME.OPTION=VALUE`. They are for coordinate networks (--field siren and so
on), and for the field grid where they say so. All of them end in plain weights, unless they say
that the decoder knows them.

"""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    parser = add_verb(verbs, "remedies", "list the remedies against spectral bias", _EPILOG)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Lists every name that --remedy takes."""
    from inrcodec.remedies.combined import remedies_table

    rows = remedies_table()
    if args.json:
        console.write_json({"remedies": rows})
    else:
        console.write_text("".join(map(_shown, rows)))


def _shown(row: dict[str, Any]) -> str:
    options = ", ".join(f"{row['name']}.{name}={value:g}" for name, value in row["options"].items())
    lines = [
        f"{row['name']:9s} {row['summary']}",
        row["source"],
        f"cost of a step: {row['cost']}; with: {row['combines']}",
        *([f"options: {options}"] if options else []),
        *(["also for the field grid"] if row["grid"] else []),
        *(["the decoder knows it"] if row["decoder"] else []),
        *([row["note"]] if row["note"] else []),
    ]
    return ("\n" + " " * 10).join(lines) + "\n"
