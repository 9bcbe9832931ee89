"""`inrcodec decode`: an `.inr` file becomes a picture of any size."""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING, Any

from inrcodec import files
from inrcodec.bitstream.limits import Limits
from inrcodec.cli import console, options
from inrcodec.errors import BadOption

if TYPE_CHECKING:
    from inrcodec.signal import Signal

_EPILOG = """\
The picture is a continuous function, so any size is rendered from it directly, not resampled from
the native one. Regions are in native pixels and may have fractions; a region or another size shows
exactly what the whole would show there. A pixel wider than a native one is the mean of what it
covers.

The format follows from the extension of OUT or from --format. PNG and TIFF hold everything, PNM
all but metadata, WebP 8 bits without loss; JPEG and AVIF are lossy at quality 95.

examples:
  inrcodec decode photo.inr                     writes photo.png
  inrcodec decode photo.inr big.png --scale 4
  inrcodec decode photo.inr thumb.webp --size 192x128
  inrcodec decode photo.inr eye.png --region 300,120,64,64 --scale 8
  inrcodec decode photo.inr - --format ppm | display

"""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    parser = options.add_verb(verbs, "decode", "decode an .inr file to a picture", _EPILOG)
    parser.add_argument("input", metavar="IN", help="the .inr file; - is stdin")
    parser.add_argument(
        "output",
        metavar="OUT",
        nargs="?",
        help="the picture; - is stdout; default IN with the extension .png",
    )
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--size", type=options.size, metavar="WxH", help="output size in pixels")
    extent.add_argument(
        "--scale", type=options.scale, metavar="S", help="output pixels per native pixel: 2, 1/3"
    )
    parser.add_argument(
        "--region",
        type=options.region,
        metavar="X,Y,W,H",
        help="decode only this part, in native pixels from the top left corner",
    )
    parser.add_argument(
        "--bit-depth",
        type=int,
        choices=(8, 16),
        help="bits per sample of OUT; default that of the file",
    )
    parser.add_argument(
        "--fast",
        action="store_true",
        help="compute in float32: quicker, samples may be off by 1 of 255",
    )
    parser.add_argument(
        "--format", metavar="EXT", help="format of OUT as an extension, such as png or ppm"
    )
    parser.add_argument(
        "--max-pixels",
        type=options.count,
        metavar="N",
        help=f"refuse files and outputs of more pixels, default {Limits().max_pixels}",
    )
    options.add_force(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Decodes a file.

    Raises:
        InrError: what cannot be read, decoded or written; no output is left then.
    """
    asked = "." + args.format.lower().removeprefix(".") if args.format else None
    target = options.output_name(args.input, args.output, asked or ".png")
    options.check_json_target(args.json, target)
    console.check_streams(args.input, target, args.json)

    from inrcodec import codec
    from inrcodec.media.image import save_image

    extension = asked or _extension_of(target)
    _check_extension(extension)
    files.check_output(target, args.force, args.input)
    limits = Limits(max_pixels=args.max_pixels) if args.max_pixels else Limits()
    data = files.read_bytes(args.input, limits.max_file_bytes)
    begun = time.perf_counter()
    signal = codec.decode(
        data,
        limits,
        bit_depth=args.bit_depth,
        fast=args.fast,
        size=args.size,
        scale=args.scale,
        region=args.region,
    )
    seconds = time.perf_counter() - begun
    picture = save_image(signal, extension)
    files.write_atomic(target, picture, args.force)
    if not args.quiet:
        console.say(
            f"{options.shown(target)}: {signal.width}x{signal.height}, {signal.channels} channels, "
            f"{signal.bit_depth} bits, {len(picture)} bytes, {seconds:.2f} s"
        )
    if args.json:
        console.write_json(_record(args.input, target, signal, len(data), len(picture), seconds))


def _record(
    source: str, target: str, signal: Signal, file_bytes: int, output_bytes: int, seconds: float
) -> dict[str, Any]:
    return {
        "input": source,
        "output": target,
        "width": signal.width,
        "height": signal.height,
        "channels": signal.channels,
        "bit_depth": signal.bit_depth,
        "file_bytes": file_bytes,
        "output_bytes": output_bytes,
        "decode_seconds": round(seconds, 3),
    }


def _extension_of(target: str) -> str:
    if target == files.STANDARD_STREAM or options.is_device(target):
        return ".png"
    return os.path.splitext(target)[1].lower()


def _check_extension(extension: str) -> None:
    from inrcodec.media.image import EXTENSIONS_OUT

    if extension not in EXTENSIONS_OUT:
        raise BadOption(
            f"the output has {'extension ' + repr(extension) if extension else 'no extension'}, "
            f"expected one of {' '.join(EXTENSIONS_OUT)}; choose one with OUT or --format"
        )
