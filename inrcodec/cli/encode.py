"""`inrcodec encode`: a picture becomes an `.inr` file."""

from __future__ import annotations

import argparse
import logging
import math
import os
import time
from typing import TYPE_CHECKING, Any

from inrcodec import files, progress
from inrcodec.bitstream.limits import Limits
from inrcodec.cli import console
from inrcodec.cli.options import (
    add_force,
    add_verb,
    check_json_target,
    is_device,
    output_name,
    shown,
)
from inrcodec.errors import BadOption

if TYPE_CHECKING:
    from inrcodec.codec import Encoded
    from inrcodec.fit import EncodeOptions

EXTENSION = ".inr"

_EPILOG = """\
The encoder makes D + lmbda * R small: D is the mean squared error with samples in [0, 1], R the
rate in bits per pixel. -q is another scale for the same dial, lmbda = 10**(-1 - q/25); higher is
finer and larger, and 100 is not lossless:

     -q    lmbda           -q    lmbda
      0    0.1             60    0.000398
     10    0.0398          70    0.000158
     20    0.0158          75    0.0001
     25    0.01            80    0.0000631
     30    0.00631         90    0.0000251
     40    0.00251        100    0.00001
     50    0.001   (default)

--effort says how long to search for a smaller file of the same quality; decoding is not slower for
it. On the CPU the same input, options, seed and number of threads (OMP_NUM_THREADS) give the same
bytes; on CUDA up to the order in which gradients are added.

examples:
  inrcodec encode photo.jpg                     writes photo.inr
  inrcodec encode photo.png small.inr -q 25 -e 3
  inrcodec encode - - < photo.png > photo.inr

"""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    parser = add_verb(verbs, "encode", "encode a picture as an .inr file", _EPILOG)
    parser.add_argument(
        "input",
        metavar="IN",
        help="PNG, JPEG, WebP, TIFF, AVIF, PNM, BMP or GIF, told by content; - is stdin",
    )
    parser.add_argument(
        "output",
        metavar="OUT",
        nargs="?",
        help="the .inr file; - is stdout; default IN with the extension .inr",
    )
    dial = parser.add_mutually_exclusive_group()
    dial.add_argument(
        "--lmbda", type=float, metavar="F", help="weight of the rate, 1e-7 to 10 (default 1e-3)"
    )
    dial.add_argument(
        "-q", "--quality", type=float, metavar="Q", help="0 (smallest) to 100 (finest), see below"
    )
    parser.add_argument(
        "-e", "--effort", type=int, metavar="N", help="1 (quick) to 9 (small), default 5"
    )
    parser.add_argument("--field", default="grid", metavar="NAME", help="family, default grid")
    parser.add_argument(
        "--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:N; default auto"
    )
    parser.add_argument(
        "--engine",
        default="auto",
        metavar="E",
        help="auto, reference (torch) or cpu (compiled); default auto, the fastest that works",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default 0")
    parser.add_argument(
        "--strip", action="store_true", help="leave out ICC profile, EXIF and XMP metadata"
    )
    add_force(parser)
    parser.add_argument(
        "--progress",
        choices=progress.STYLES,
        help="how progress is shown on stderr; default auto: a bar on a terminal, else lines",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Encodes a picture.

    Raises:
        InrError: what cannot be read, encoded or written; no output is left then.
    """
    target = output_name(args.input, args.output, EXTENSION)
    _check_target(args, target)
    style = args.progress or ("none" if args.quiet else "auto")
    reporter = progress.reporter(style)
    if style in ("none", "json"):
        logging.getLogger("inrcodec").setLevel(logging.ERROR)

    from inrcodec import api, codec
    from inrcodec.media.image import load_image

    options = api.encode_options(
        lmbda=args.lmbda,
        quality=args.quality,
        effort=args.effort,
        field=args.field,
        device=args.device,
        engine=args.engine,
        seed=args.seed,
        reporter=reporter,
    )
    data = files.read_bytes(args.input, Limits().max_file_bytes)
    signal = load_image(data, "" if args.input == "-" else os.path.basename(args.input))
    if args.verbose:
        console.say(
            f"{shown(args.input)}: {signal!r}, lmbda {options.lmbda:g}, effort {options.effort}"
        )
    begun = time.perf_counter()
    try:
        encoded = codec.encode(signal.stripped() if args.strip else signal, options)
    finally:
        reporter.end()
    seconds = time.perf_counter() - begun
    files.write_atomic(target, encoded.data, args.force)
    _report(args, target, encoded, options, seconds)


def _check_target(args: argparse.Namespace, target: str) -> None:
    check_json_target(args.json, target)
    console.check_streams(args.input, target, args.json)
    suffix = os.path.splitext(target)[1]
    if target != files.STANDARD_STREAM and not is_device(target) and suffix.lower() != EXTENSION:
        found = f"extension {suffix!r}" if suffix else "no extension"
        raise BadOption(
            f"the output {target!r} has {found}, expected {EXTENSION}; "
            "did IN and OUT change places?"
        )
    files.check_output(target, args.force, args.input)


def _report(
    args: argparse.Namespace, target: str, encoded: Encoded, options: EncodeOptions, seconds: float
) -> None:
    # Programs that read progress as JSON find nothing else on stderr.
    if not args.quiet and args.progress != "json":
        console.say(
            f"{shown(target)}: {len(encoded.data)} bytes, {encoded.rate_bpp:.4f} bpp, "
            f"{encoded.psnr_db:.2f} dB PSNR, {seconds:.1f} s, lmbda {options.lmbda:g}"
        )
    if args.json:
        console.write_json(_record(args.input, target, encoded, options, seconds))


def _record(
    source: str, target: str, encoded: Encoded, options: EncodeOptions, seconds: float
) -> dict[str, Any]:
    return {
        "input": source,
        "output": target,
        "width": encoded.decoded.width,
        "height": encoded.decoded.height,
        "channels": encoded.decoded.channels,
        "bit_depth": encoded.decoded.bit_depth,
        "file_bytes": len(encoded.data),
        "rate_bpp": encoded.rate_bpp,
        # JSON knows no infinity: null is a decode without any error.
        "psnr_db": encoded.psnr_db if math.isfinite(encoded.psnr_db) else None,
        "encode_seconds": round(seconds, 3),
        "lmbda": options.lmbda,
        "effort": options.effort,
        "field": options.field,
        "seed": options.seed,
    }
