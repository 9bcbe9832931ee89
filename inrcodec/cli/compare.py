"""`inrcodec compare`: rate-distortion curves of codecs, ours among them, on one's own files."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inrcodec.cli import console
from inrcodec.cli.options import add_verb, count, names, setting
from inrcodec.errors import BadOption, InrError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inrcodec.evaluate.bd_table import BdRow
    from inrcodec.evaluate.compare import Choices, Outcome, Progress
    from inrcodec.evaluate.measuring import Made, Task
    from inrcodec.evaluate.points import Point

NO_REMEDY = "none"  # beside others: our codec without any

_EPILOG = """\
All inputs are images, or all sounds, or all videos; of a folder every file in it counts (frames of
a video as PNG files are named by a pattern, frame_%05d.png). OUTDIR gets:

  report.html              curves, tables, and images, frames or sounds side by side
  points.tsv               one row per signal, codec and setting: bytes, rate, seconds, metrics,
                           and what it was made of and by, which --resume goes by; of images by
                           inr also cost, MSE / lmbda + bits per pixel, which it minimises
  bd.tsv                   BD-rates: per signal, their mean with its 95% interval, of the mean curve
  published.tsv            with --published and all 24 Kodak images: rate of each codec at the PSNR
                           of each published point
  points.json, curves/     mean curves as CompressAI's tools read them
  run.json                 machine, versions, and every option of every setting
  files/                   every encoded file, and what it decodes to, to check any point by hand

codecs:
  image   jpeg jpeg2000 webp avif jxl inr; if named: jpeg-standard-tables, as CompressAI's published
          curve, and avif-psnr, slower, 4:4:4 and tuned for PSNR, 15% smaller at equal PSNR
  audio   aac mp3 opus vorbis flac inr
  video   x264 x265 svtav1 vp9 inr
Those that cannot run here are skipped, with a word on how to install them, and so is one that does
not take an input, such as jpeg for a transparent image.

Rates are those of whole files. Of short clips the container is a good part; points.tsv has the
bytes without it too, as payload_bytes.

--resolutions judges decodes at other sizes: 2 codes an image at half its width and height, and
decodes it at full size, beside upscales of what other codecs make of the same half-size image;
0.5 decodes at half the size. Sounds are coded at half their rate, videos at half their frames.

--resume never replaces a point: where OUTDIR has one of an input that has changed since, by other
options, or by another version of a codec (of ours by other source, comments and docstrings apart),
nothing is done, and the error says how they differ. --recompute makes those anew.

--metrics names metrics of `inrcodec metrics`, or all; by default those that are quick.

examples:
  inrcodec compare photos/ -o results --effort 3 5
  inrcodec compare kodim*.png --codecs jpeg,avif,inr --published -j 2 -o results --resume
  inrcodec compare kodim*.png --field siren --remedy none iga fr,decay --set iga.end=15 -o results
  inrcodec compare song.wav --codecs aac,opus --metrics all -o results

"""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    parser = add_verb(verbs, "compare", "compare codecs on images, sounds or videos", _EPILOG)
    parser.add_argument("inputs", metavar="IN", nargs="+", help="originals, or folders of them")
    parser.add_argument(
        "-o", "--output", metavar="OUTDIR", required=True, help="folder of the results"
    )
    parser.add_argument(
        "--codecs", metavar="A,B", help="what to compare, default all for the kind of IN"
    )
    parser.add_argument("--anchor", metavar="A", help="of BD-rates, default jpeg, aac or x264")
    parser.add_argument("--metrics", metavar="M,N", help="what to measure, default the quick ones")
    parser.add_argument(
        "--resolutions", metavar="R,S", help="also decode at other sizes: 0.5,2,4; see below"
    )
    parser.add_argument(
        "--published", action="store_true", help="show published curves for Kodak in the report"
    )
    parser.add_argument(
        "--lmbda",
        type=float,
        nargs="+",
        metavar="F",
        help="points of inr, default 5 by kind, of images from 2e-2",
    )
    parser.add_argument(
        "-e", "--effort", type=int, nargs="+", metavar="N", help="of inr, default 5"
    )
    parser.add_argument(
        "--field", nargs="+", default=[""], metavar="NAME", help="of inr, default as for encode"
    )
    parser.add_argument(
        "--remedy",
        type=names,
        nargs="+",
        default=[()],
        metavar="A,B",
        help="of inr, as for encode; each one or combination makes a codec, and none one without",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=setting,
        metavar="NAME=VALUE",
        help="of inr, as for encode; options of a remedy go to the codecs that have it",
    )
    parser.add_argument("--device", default="auto", metavar="D", help="of inr, as for encode")
    parser.add_argument("--engine", default="auto", metavar="E", help="of inr, as for encode")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of inr, default 0")
    parser.add_argument(
        "-j",
        "--jobs",
        type=count,
        default=1,
        metavar="N",
        help="points at a time, which share the threads; times are longer then; default 1",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on in OUTDIR: make only what it does not have"
    )
    parser.add_argument(
        "--recompute",
        action="store_true",
        help="go on in OUTDIR, and replace points that are not of these inputs, options, versions",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Compares codecs.

    Raises:
        InrError: an input or option makes no sense, the results cannot be written, or, once all
            else is done, some points failed.
        SystemExit: some points failed, and the JSON that was asked for says which.
    """
    console.check_streams("", None, args.json)

    from inrcodec.evaluate.bd_table import bd_rows, bd_text, write_bd
    from inrcodec.evaluate.compare import compare
    from inrcodec.evaluate.mean_curves import mean_curves, write_curves
    from inrcodec.evaluate.originals import find_originals
    from inrcodec.evaluate.published_table import published_rows, write_published
    from inrcodec.evaluate.report import write_report

    say = console.say if not args.quiet else lambda text: None
    originals = find_originals(args.inputs, say)
    choices = _choices(args, originals[0].kind)
    outcome = compare(originals, args.output, choices, _told(args.quiet))
    rows: list[BdRow] = []
    if outcome.points:
        rows = bd_rows(outcome.points, outcome.run.anchor)
        write_bd(args.output, rows)
        write_curves(args.output, mean_curves(outcome.points))
        if outcome.run.published:
            write_published(args.output, published_rows(outcome.points))
        report = write_report(Path(args.output))
        say(f"{report}: {len(outcome.points)} points, {outcome.new} of them new")
        if outcome.run.not_measured:
            say(f"skipped, as said above and in the report: {'; '.join(outcome.run.not_measured)}")
        _warn_of_sizes(outcome, say)
        _warn_of_versions(outcome, say)
    text = bd_text(rows)
    if text and not args.json:
        console.write_text(text)
    if args.json:
        console.write_json(_record(args.output, outcome, rows))
    if outcome.run.failed and args.json:
        # An error would be a second JSON object on stdout.
        console.say(f"inrcodec: error: {_failures(outcome)}")
        raise SystemExit(InrError.exit_code)
    if outcome.run.failed:
        raise InrError(_failures(outcome))


def _choices(args: argparse.Namespace, kind: str) -> Choices:
    from inrcodec.evaluate.codecs.inr import InrCodec
    from inrcodec.evaluate.compare import Choices
    from inrcodec.evaluate.metrics import catalogue
    from inrcodec.evaluate.resolutions import parse_resolution
    from inrcodec.fit import DEFAULT_EFFORT

    lmbdas = tuple(args.lmbda or ())
    ours = tuple(
        InrCodec(
            field, effort, lmbdas, args.device, args.engine, args.seed,
            remedies=remedies, network=_options_for(args.set, remedies),
        )
        for field in args.field
        for remedies in _remedies(args)
        for effort in args.effort or (DEFAULT_EFFORT,)
    )  # fmt: skip
    metrics = _words("--metrics", args.metrics)
    factors = _words("--resolutions", args.resolutions)
    return Choices(
        codecs=_words("--codecs", args.codecs),
        ours=ours,
        metrics=tuple(catalogue.available(kind)) if metrics == ("all",) else metrics,
        resolutions=tuple(dict.fromkeys(map(parse_resolution, factors))),
        anchor=args.anchor or "",
        jobs=args.jobs,
        resume=args.resume,
        recompute=args.recompute,
        published=args.published,
        seed=args.seed,
        command=_command(args),
    )


def _remedies(args: argparse.Namespace) -> list[tuple[str, ...]]:
    """The combinations that were asked for, () for none.

    Raises:
        BadOption: an option is of a remedy that was not asked for.
    """
    asked = {name for combined in args.remedy for name in combined}
    for name, _ in args.set:
        if "." in name and name.split(".")[0] not in asked:
            raise BadOption(
                f"{name} was set, and the remedy {name.split('.')[0]} was not asked for; add "
                f"--remedy {name.split('.')[0]}"
            )
    return [() if combined == (NO_REMEDY,) else combined for combined in args.remedy]


def _options_for(
    given: Sequence[tuple[str, float]], remedies: Sequence[str]
) -> tuple[tuple[str, float], ...]:
    """Those of the network, and those of these remedies."""
    return tuple(
        (name, value)
        for name, value in dict(given).items()
        if "." not in name or name.split(".")[0] in remedies
    )


def _words(option: str, text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    words = tuple(word.strip() for word in text.split(","))
    if not all(words):
        raise BadOption(f"{option} is {text!r}, expected names with commas between them")
    return words


def _command(args: argparse.Namespace) -> str:
    """The command line again, without the folders of its paths, which are nobody's business."""
    words = ["inrcodec compare", *(os.path.basename(os.path.normpath(p)) for p in args.inputs)]
    for action in args.parser._actions:
        value = getattr(args, action.dest, None)
        if not action.option_strings or value in (None, False, action.default):
            continue
        if action.dest in ("output", "resume", "recompute", "quiet", "verbose", "json"):
            continue
        if isinstance(value, list) and action.nargs is None:  # given several times
            words += [w for each in value for w in (action.option_strings[-1], _as_given(each))]
            continue
        words.append(action.option_strings[-1])
        if value is not True:
            words += map(_as_given, value if isinstance(value, list) else [value])
    return " ".join(words)


def _as_given(value: Any) -> str:
    """A value as it was written: names with commas, NAME=VALUE, or a word."""
    if not isinstance(value, tuple):
        return str(value)
    return ",".join(value) if all(isinstance(v, str) for v in value) else "{}={}".format(*value)


def _told(quiet: bool) -> Progress:
    from inrcodec.evaluate.compare import Progress

    class Lines(Progress):
        """One line per file that was made."""

        def __init__(self) -> None:
            super().__init__()
            self._begun = time.monotonic()

        def say(self, text: str) -> None:
            console.say(text)

        def finished(self, task: Task, made: Made) -> None:
            left = (time.monotonic() - self._begun) / self.done * (self.total - self.done)
            head = f"{self.done}/{self.total}"
            for label, error in made.errors.items():
                console.say(f"{head}  {label}: failed: {error}")
            for point in made.points[:1]:
                shown = "".join(f"  {name} {value:.4g}" for name, value in _first(point))
                console.say(
                    f"{head}  {task.label}  {point.rate:.4g} {point.rate_unit}{shown}  "
                    f"{point.encode_seconds:.2f} s  {left / 60:.1f} min left"
                )

    return Progress() if quiet else Lines()


def _first(point: Point) -> list[tuple[str, float]]:
    return list(point.metrics.items())[:1]


def _warn_of_sizes(outcome: Outcome, say: Any) -> None:
    sizes = {point.signal: point.samples for point in outcome.points}
    if outcome.run.kind == "image" and len(set(sizes.values())) > 1:
        say(
            f"the {len(sizes)} images are of {len(set(sizes.values()))} sizes: mean curves are "
            "means of their bits per pixel, in which small ones count as much as large ones"
        )


def _warn_of_versions(outcome: Outcome, say: Any) -> None:
    for codec in dict.fromkeys(point.codec for point in outcome.points):
        versions = {p.codec_version: None for p in outcome.points if p.codec == codec}
        if len(versions) > 1:
            say(f"the points of {codec} are by {len(versions)} versions: {'; '.join(versions)}")


def _failures(outcome: Outcome) -> str:
    failed = outcome.run.failed
    name, reason = next(iter(failed.items()))
    more = f" and {len(failed) - 1} more, see run.json" if len(failed) > 1 else ""
    return f"failed: {name}: {reason}{more}; --resume tries them again"


def _record(folder: str, outcome: Outcome, rows: Sequence[BdRow]) -> dict[str, Any]:
    return {
        "output": folder,
        "kind": outcome.run.kind,
        "signals": len({point.signal for point in outcome.points}),
        "points": len(outcome.points),
        "new_points": outcome.new,
        "skipped": outcome.run.skipped,
        "left_out": outcome.run.left_out,
        "failed": outcome.run.failed,
        "anchor": outcome.run.anchor,
        "bd_rates": [
            {
                "codec": row.codec,
                "anchor": row.anchor,
                "metric": row.metric,
                "resolution": row.resolution,
                "signal": row.signal,
                "bd_rate_percent": row.bd_rate_percent,
                "bd_quality": row.bd_quality,
                "note": row.note,
            }
            for row in rows
        ],
    }
