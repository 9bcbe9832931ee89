"""`inrcodec encode`: a picture, sound or video becomes an `.inr` file."""

from __future__ import annotations

import argparse
import logging
import time
from functools import partial
from typing import Any

from inrcodec import progress
from inrcodec.cli import console
from inrcodec.cli.encode_files import (
    EXTENSION,
    Done,
    Job,
    encode_file,
    encode_files,
    jobs_into,
)
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
from inrcodec.errors import BadOption, InrError

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
segment: of up to 30 seconds of sound, 8 of video, unless --segment says otherwise. What is known
to be at most half as long again stays in one.

Several inputs go to a folder, --batch of them at a time: in processes that share the CPU's threads,
or side by side on a GPU. What fails is told and left out, and the exit code is its own.

examples:
  inrcodec encode photo.jpg                     writes photo.inr
  inrcodec encode song.flac                     writes song.inr
  inrcodec encode frames/%05d.png film.inr --fps 24
  inrcodec encode photo.png small.inr -q 25 -e 3
  inrcodec encode photo.png --target-bytes 20000
  inrcodec encode - - < photo.png > photo.inr
  inrcodec encode *.png --into encoded --batch 4

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
    parser.add_argument(
        "more", metavar="IN", nargs="*", help="more inputs, whose outputs go where --into says"
    )
    parser.add_argument(
        "--into", metavar="DIR", help="folder for the outputs; all names are inputs then"
    )
    parser.add_argument(
        "--batch", type=count, metavar="N", help="how many inputs at a time, default 1"
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
        help="auto, reference (torch), cpu or gpu (compiled); of coordinate networks also gpu-tf32 "
        "and gpu-bf16 (layers of 256 and more in fewer bits) and gpu-compiled (torch.compile); "
        "default auto, the fastest that works",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default 0")
    parser.add_argument(
        "--segment",
        type=seconds,
        metavar="S",
        help="seconds of sound or video per segment, each a field of its own",
    )
    parser.add_argument(
        "--fps",
        type=fps,
        metavar="F",
        help="frames per second of PNG frames, default 25; of a video instead of its own",
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


def run(args: argparse.Namespace) -> int:
    """Encodes a picture, sound or video, or many; the exit code.

    Raises:
        InrError: what cannot be read, encoded or written, where it is one; no output is left then.
    """
    style = args.progress or ("none" if args.quiet else "auto")
    if style in ("none", "json"):
        logging.getLogger("inrcodec").setLevel(logging.ERROR)
    elif args.verbose:
        console.show_log()
    reporter = progress.reporter(style)
    if args.into is None:
        _run_one(args, reporter)
        return 0
    return _run_many(args, reporter)


def _run_one(args: argparse.Namespace, reporter: progress.Reporter) -> None:
    if args.more:
        raise BadOption(
            f"{2 + len(args.more)} files were given; name the folder for the outputs of several "
            "inputs with --into DIR"
        )
    if args.batch is not None:
        raise BadOption("--batch N is for several inputs; name the folder with --into DIR")
    target = output_name(args.input, args.output, EXTENSION)
    check_json_target(args.json, target)
    console.check_streams(args.input, target, args.json)
    job = _job(args, args.input, target)
    _check_options(job)
    done = encode_file(job, reporter, console.say if args.verbose else None)
    _tell(args, done)
    if args.json:
        console.write_json(done.record())


def _run_many(args: argparse.Namespace, reporter: progress.Reporter) -> int:
    """The exit code: that of the files that failed, 1 where they failed for several reasons."""
    from inrcodec.runtime import resolve_device

    sources = [args.input, *([] if args.output is None else [args.output]), *args.more]
    args.output = None
    jobs = jobs_into(args.into, sources, partial(_job, args))
    console.check_streams(args.input, None, args.json)
    _check_options(jobs[0])
    at_once = min(args.batch or 1, len(jobs))
    device = "cpu" if args.engine == "cpu" or at_once < 2 else resolve_device(args.device)
    begun = time.perf_counter()
    found: dict[str, dict[str, Any]] = {}
    codes = []
    for job, outcome in encode_files(jobs, at_once, device, reporter, args.quiet):
        try:
            done = outcome()
        except InrError as error:
            codes.append(error.exit_code)
            console.say(f"inrcodec: error: {shown(job.source)}: {error}")
            found[job.source] = {
                "input": job.source,
                "error": type(error).__name__,
                "message": str(error),
                "exit_code": error.exit_code,
            }
        else:
            _tell(args, done)
            found[job.source] = done.record()
    taken = time.perf_counter() - begun
    if not args.quiet:
        console.say(
            f"{len(jobs) - len(codes)} of {len(jobs)} files encoded, {at_once} at a time, "
            f"{taken:.1f} s, {60 * (len(jobs) - len(codes)) / taken:.1f} per minute"
        )
    if args.json:
        records = [found[job.source] for job in jobs]
        console.write_json({"files": records, "encode_seconds": round(taken, 3)})
    return max(codes, default=0) if len(set(codes)) < 2 else 1


def _job(args: argparse.Namespace, source: str, target: str) -> Job:
    asked = dict(
        field=args.field,
        lmbda=args.lmbda,
        quality=args.quality,
        target_bytes=args.target_bytes,
        effort=args.effort,
        device=args.device,
        engine=args.engine,
        seed=args.seed,
        segment_seconds=args.segment,
        network=network_options(args),
        remedies=args.remedy,
    )
    return Job(source, target, asked, args.strip, args.force, args.fps)


def _check_options(job: Job) -> None:
    """Refuses options before anything is read."""
    from inrcodec import api

    api.encode_options(**job.asked)


def _tell(args: argparse.Namespace, done: Done) -> None:
    # Programs that read progress as JSON find nothing but JSON on stderr.
    if args.quiet or args.progress == "json":
        return
    if args.verbose:
        console.say(f"{shown(done.job.source)}: {done.found}")
    for choice in done.choices:
        console.say(f"{shown(done.job.source)}: {choice}")
    console.say(done.line())
