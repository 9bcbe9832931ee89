"""`inrcodec fields`: the representations that a signal can be fitted with."""

from __future__ import annotations

import argparse
from typing import Any

from inrcodec.cli import console
from inrcodec.cli.options import add_verb

_EPILOG = """\
Parameters and multiply-adds (MACs) per sample are those of the default shape for a picture of
768x512 pixels in RGB; an encode chooses the shape by the rate that is wanted. Options are set with
`inrcodec encode --set NAME=VALUE` where they are numbers, the others with --activation NAME and
--encoding NAME.

"""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    parser = add_verb(verbs, "fields", "list the fields that --field takes", _EPILOG)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Lists every name that --field takes."""
    from inrcodec.fields import fields_table

    rows = fields_table()
    if args.json:
        console.write_json({"fields": rows})
    else:
        console.write_text("".join(map(_shown, rows)))


def _shown(row: dict[str, Any]) -> str:
    numbers = f"{row['parameters']} parameters, {row['macs_per_sample']:g} MACs per sample"
    shape = ", ".join(f"{name}={value}" for name, value in row["config"].items())
    kinds = ", ".join(row["kinds"])
    return (
        f"{row['name']:11s} {row['summary']}\n"
        f"{'':11s} {row['source']}\n"
        f"{'':11s} {kinds}; {numbers}\n"
        f"{'':11s} {shape}\n"
        f"{'':11s} options: {', '.join(row['options']) or 'none'}\n"
    )
