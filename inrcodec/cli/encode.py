"""`inrcodec encode`: a picture, sound or video becomes an `.inr` file."""

from __future__ import annotations

import argparse
import logging
import math
import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from inrcodec import files, progress
from inrcodec.cli import console
from inrcodec.cli.options import (
    add_force,
    add_network_options,
    add_verb,
    check_json_target,
    count,
    fps,
    network_options,
    output_name,
    seconds,
    shown,
)
from inrcodec.errors import BadOption

if TYPE_CHECKING:
    from inrcodec.codec import Encoded
    from inrcodec.fit import EncodeOptions
    from inrcodec.target_size import Attempt

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
it. On one machine the same input, options, seed and number of threads (OMP_NUM_THREADS) give the
same bytes; with engine reference on CUDA up to the order in which gradients are added.

Sound and video are read, fitted and written in segments of time, so that memory is that of one
segment: of up to 30 seconds of sound, 8 of video, unless --segment says otherwise.

examples:
  inrcodec encode photo.jpg                     writes photo.inr
  inrcodec encode song.flac                     writes song.inr
  inrcodec encode frames/%05d.png film.inr --fps 24
  inrcodec encode photo.png small.inr -q 25 -e 3
  inrcodec encode photo.png --target-bytes 20000
  inrcodec encode - - < photo.png > photo.inr

"""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    parser = add_verb(verbs, "encode", "encode a picture, sound or video as an .inr file", _EPILOG)
    parser.add_argument(
        "input",
        metavar="IN",
        help="PNG, JPEG, WebP, TIFF, AVIF, PNM, BMP, GIF; WAV, FLAC, Ogg, MP3, M4A, AIFF; MP4, "
        "MKV, WebM, MOV, Y4M, a folder or pattern of PNG frames; told by content; - is stdin",
    )
    parser.add_argument(
        "output",
        metavar="OUT",
        nargs="?",
        help="the .inr file; - is stdout; default IN with the extension .inr",
    )
    dial = parser.add_mutually_exclusive_group()
    dial.add_argument(
        "--lmbda",
        type=float,
        metavar="F",
        help="weight of the rate, 1e-7 to 10 (default 1e-3, of sound 3e-5)",
    )
    dial.add_argument(
        "-q", "--quality", type=float, metavar="Q", help="0 (smallest) to 100 (finest), see below"
    )
    dial.add_argument(
        "--target-bytes",
        type=count,
        metavar="N",
        help="a file of at most N bytes, as a rule at most 5%% smaller; takes two or three fits",
    )
    parser.add_argument(
        "-e", "--effort", type=int, metavar="N", help="1 (quick) to 9 (small), default 5"
    )
    parser.add_argument(
        "--field", metavar="NAME", help="see `inrcodec fields`; default by kind, of pictures grid"
    )
    add_network_options(parser)
    parser.add_argument(
        "--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:N; default auto"
    )
    parser.add_argument(
        "--engine",
        default="auto",
        metavar="E",
        help="auto, reference (torch), cpu or gpu (compiled); default auto, the fastest that works",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default 0")
    parser.add_argument(
        "--segment",
        type=seconds,
        metavar="S",
        help="seconds of sound or video per segment, each a field of its own",
    )
    parser.add_argument(
        "--fps", type=fps, metavar="F", help="frames per second of PNG frames, default 25"
    )
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
    """Encodes a picture, sound or video.

    Raises:
        InrError: what cannot be read, encoded or written; no output is left then.
    """
    target = output_name(args.input, args.output, EXTENSION)
    _check_target(args, target)
    style = args.progress or ("none" if args.quiet else "auto")
    reporter = progress.reporter(style)
    if style in ("none", "json"):
        logging.getLogger("inrcodec").setLevel(logging.ERROR)
    elif args.verbose:
        console.show_log()

    from inrcodec import api
    from inrcodec.fields import default_field, family_of
    from inrcodec.sources import MediaFile

    asked = dict(
        lmbda=args.lmbda,
        quality=args.quality,
        target_bytes=args.target_bytes,
        effort=args.effort,
        device=args.device,
        engine=args.engine,
        seed=args.seed,
        segment_seconds=args.segment,
        reporter=reporter,
        network=network_options(args),
        remedies=args.remedy,
    )
    api.encode_options(field=args.field, **asked)  # refuses them before anything is read
    media = MediaFile.of(args.input)
    _check_flags(args, media.kind)
    options = api.encode_options(media.kind, field=args.field or default_field(media.kind), **asked)
    family_of(options.field, media.kind)
    if args.verbose:
        dial = f"lmbda {options.lmbda:g}"
        if args.target_bytes is not None:
            dial = f"at most {args.target_bytes} bytes"
        console.say(f"{shown(args.input)}: {media.kind}, {dial}, effort {options.effort}")
    begun = time.perf_counter()
    attempts: tuple[Attempt, ...] = ()
    try:
        if args.target_bytes is None:
            encoded, found = media.encode(options, strip=args.strip, fps=args.fps)
        else:
            sized, found = media.encode_to_size(
                args.target_bytes, options, strip=args.strip, fps=args.fps
            )
            encoded, options, attempts = sized.encoded, sized.options, sized.attempts
    finally:
        reporter.end()
    taken = time.perf_counter() - begun
    if args.verbose:
        console.say(f"{shown(args.input)}: {found}")
    files.write_atomic(target, encoded.data, args.force)
    _report(args, target, encoded, options, attempts, taken)


def _check_flags(args: argparse.Namespace, kind: str) -> None:
    for flag, value, kinds in (
        ("--segment", args.segment, ("audio", "video")),
        ("--fps", args.fps, ("video",)),
    ):
        if value is not None and kind not in kinds:
            raise BadOption(
                f"{flag} is for {' and '.join(kinds)}, {shown(args.input)} is "
                f"{'a video' if kind == 'video' else 'an ' + kind}"
            )


def _check_target(args: argparse.Namespace, target: str) -> None:
    check_json_target(args.json, target)
    console.check_streams(args.input, target, args.json)
    suffix = os.path.splitext(target)[1]
    if (
        target != files.STANDARD_STREAM
        and not files.is_special(target)
        and suffix.lower() != EXTENSION
    ):
        found = f"extension {suffix!r}" if suffix else "no extension"
        raise BadOption(
            f"the output {target!r} has {found}, expected {EXTENSION}; "
            "did IN and OUT change places?"
        )
    files.check_output(target, args.force, args.input)


def _report(
    args: argparse.Namespace,
    target: str,
    encoded: Encoded,
    options: EncodeOptions,
    attempts: tuple[Attempt, ...],
    seconds: float,
) -> None:
    # Programs that read progress as JSON find nothing else on stderr.
    if not args.quiet and args.progress != "json":
        shown_rates = {"rate_bpp": "{:.4f} bpp", "rate_kbps": "{:.2f} kbps"}
        rates = ", ".join(shown_rates[name].format(rate) for name, rate in encoded.rates.items())
        sound = encoded.header.kind_name == "audio"
        quality = f"{encoded.snr_db:.2f} dB SNR" if sound else f"{encoded.psnr_db:.2f} dB PSNR"
        console.say(
            f"{shown(target)}: {len(encoded.data)} bytes, {rates}, {quality}, {seconds:.1f} s, "
            f"lmbda {options.lmbda:g}" + (f", {len(attempts)} attempts" if attempts else "")
        )
    if args.json:
        record = _record(args.input, target, encoded, options, seconds)
        if attempts:
            record["target_bytes"] = args.target_bytes
            record["attempts"] = [asdict(attempt) for attempt in attempts]
        console.write_json(record)


def _record(
    source: str, target: str, encoded: Encoded, options: EncodeOptions, seconds: float
) -> dict[str, Any]:
    from inrcodec.kinds import KINDS

    header = encoded.header
    sound = {"snr_db": _finite(encoded.snr_db)} if header.kind_name == "audio" else {}
    return {
        "input": source,
        "output": target,
        "kind": header.kind_name,
        **KINDS[header.kind_name].facts(header),
        "file_bytes": len(encoded.data),
        **encoded.rates,
        "psnr_db": _finite(encoded.psnr_db),
        **sound,
        "encode_seconds": round(seconds, 3),
        "lmbda": options.lmbda,
        "effort": options.effort,
        "field": options.field,
        "seed": options.seed,
    }


def _finite(db: float) -> float | None:
    """JSON knows no infinity: null is a decode without any error, or a signal of silence."""
    return db if math.isfinite(db) else None
