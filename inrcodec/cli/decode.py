"""`inrcodec decode`: an `.inr` file becomes a picture, sound or video at any size and pace."""

from __future__ import annotations

import argparse
import time

from inrcodec import files
from inrcodec.cli import console, options

_EPILOG = """\
The picture is a continuous function, so any size is rendered from it directly, not resampled from
the native one. Regions are in native pixels and may have fractions; a region or another size shows
exactly what the whole would show there. A pixel wider than a native one is the mean of what it
covers.

So is time: a sound is rendered at any --rate, a video at any --fps, and --time decodes only the
segments that it needs.

The format follows from the extension of OUT or from --format. PNG and TIFF hold everything, PNM
all but metadata, WebP 8 bits without loss; JPEG and AVIF are lossy at quality 95. WAV and FLAC hold
every sample of a sound, OGG, Opus and MP3 are lossy. Y4M and MKV hold every sample of a video, MP4
and MOV are lossy (H.264, crf 17); a folder, or a pattern such as %05d.png, takes PNG frames.

examples:
  inrcodec decode photo.inr                     writes photo.png
  inrcodec decode photo.inr big.png --scale 4
  inrcodec decode photo.inr thumb.webp --size 192x128
  inrcodec decode photo.inr eye.png --region 300,120,64,64 --scale 8
  inrcodec decode photo.inr - --format ppm | display
  inrcodec decode bacon.inr coarse.png --band 0
  inrcodec decode song.inr song.flac --time 60:90 --rate 48000
  inrcodec decode film.inr - --scale 2 --fps 60 | ffplay -

"""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    summary = "decode an .inr file to a picture, sound or video"
    parser = options.add_verb(verbs, "decode", summary, _EPILOG)
    parser.add_argument("input", metavar="IN", help="the .inr file; - is stdin")
    parser.add_argument(
        "output",
        metavar="OUT",
        nargs="?",
        help="the output; - is stdout; default IN with the extension .png, .wav or .mp4",
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
        "--rate", type=options.rate_hz, metavar="HZ", help="samples per second of a sound"
    )
    parser.add_argument(
        "--fps", type=options.fps, metavar="F", help="frames per second of a video: 60, 30000/1001"
    )
    parser.add_argument(
        "--time",
        type=options.time_span,
        metavar="T0:T1",
        help="decode only this part of a sound or video, in seconds; 5: is up to its end",
    )
    parser.add_argument(
        "--band",
        type=options.whole,
        metavar="K",
        help="of a bacon file the output to decode, 0 is the coarsest; the beginning of the file "
        "is enough for a coarse one",
    )
    parser.add_argument(
        "--bit-depth",
        type=int,
        choices=(8, 10, 16, 24),
        help="bits per sample of OUT; default that of the file",
    )
    parser.add_argument(
        "--fast",
        action="store_true",
        help="compute in float32: quicker, samples may be off by 1 of 255",
    )
    parser.add_argument(
        "--format", metavar="EXT", help="format of OUT as an extension, such as png or flac"
    )
    options.add_decode_device(parser)
    options.add_limits(parser)
    options.add_force(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Decodes a file.

    Raises:
        InrError: what cannot be read, decoded or written; no output is left then.
    """
    asked = "." + args.format.lower().removeprefix(".") if args.format else None
    named = options.output_name(args.input, args.output, asked or ".png")
    options.check_json_target(args.json, named)
    console.check_streams(args.input, named, args.json)

    from inrcodec.inr_file import InrFile
    from inrcodec.outputs import DEFAULT_EXTENSIONS, Output

    limits = options.limits_of(args)
    data = files.read_bytes(args.input, limits.max_file_bytes)
    if args.band is None:
        file = InrFile.parse(data, limits)
    else:
        file = InrFile.parse_band(data, limits, args.band)
    if args.verbose:
        console.show_log()
    file = file.on(args.device)
    kind = file.header.kind_name
    target = options.output_name(args.input, args.output, asked or DEFAULT_EXTENSIONS[kind])
    output = Output.of(target, kind, asked)
    output.check(args.force, args.input)
    begun = time.perf_counter()
    stretches = file.stretches(
        limits,
        bit_depth=args.bit_depth,
        fast=args.fast,
        size=args.size,
        scale=args.scale,
        region=args.region,
        rate_hz=args.rate,
        fps=args.fps,
        time=args.time,
    )
    written = output.write(stretches, args.force)
    taken = time.perf_counter() - begun
    if not args.quiet:
        console.say(
            f"{options.shown(target)}: {options.in_short(written.facts)}, "
            f"{written.output_bytes} bytes, {taken:.2f} s"
        )
    if args.json:
        console.write_json(
            {
                "input": args.input,
                "output": target,
                "kind": kind,
                **written.facts,
                "file_bytes": len(data),
                "output_bytes": written.output_bytes,
                "decode_seconds": round(taken, 3),
            }
        )
