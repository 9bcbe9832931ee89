"""`inrcodec spectrum`: which frequencies a signal has, and when a network learns them."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from inrcodec import files, progress
from inrcodec.cli import console
from inrcodec.cli.options import add_force, add_network_options, add_verb, network_options
from inrcodec.errors import BadOption, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from inrcodec.evaluate.spectra.study import Study
    from inrcodec.fit import EncodeOptions
    from inrcodec.remedies.auto import Choice

_EPILOG = """\
FILE is an image, a sound, a video (also a folder of PNG frames) or an .inr file, which is decoded.
Of a long sound or video the beginning is looked at, of videos the luma; `taken` says which part.

of every signal:
  sec                      Spectral Energy Centroid, cycles per picture; of sound and video, in one
                           and three dimensions, our extension
  psi, s0, s1              WINNER's amplitude centroid, and the noise it asks for; of sound those of
                           the mean of its channels; of video ours
  slope                    of power over frequency in a log-log plot, about -2 for photographs
  spectrum                 power by distance from frequency 0; with --json, as all arrays
with --against, or with --field, whose file is then decoded:
  psnr_db or snr_db, rho_ag (SPDER), rho_ag_no_dc, spectrum of the error, and its ratio to the
  original's by frequency
with --field: a coordinate network is fitted, and while it is, about 12 times:
  sec (the climb), psnr_db or snr_db, spectrum of the error; and at the beginning and the end of the
  phase before weights are made cheap to write: eigenvalues of the empirical tangent kernel on up to
  256 samples, the share of the residual's energy along each eigenvector, histograms and spectra of
  the activations of each layer

-o writes all that as figures, PNG and SVG, and as spectrum.json:
  spectrum, error_ratio, climb, error_spectra, tangent_kernel, activations, activation_spectra,
  gradients (of the signal, and of what stands for it)

examples:
  inrcodec spectrum photo.png --json
  inrcodec spectrum photo.inr --against photo.png -o figures
  inrcodec spectrum photo.png --field siren -e 4 -o figures
  inrcodec spectrum photo.png --field siren --remedy winner -o figures

"""

RECORD_NAME = "spectrum.json"


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    parser = add_verb(verbs, "spectrum", "measure the spectrum of a signal or of a fit", _EPILOG)
    parser.add_argument("input", metavar="FILE", help="what is looked at; - is stdin")
    parser.add_argument("--against", metavar="ORIGINAL", help="what FILE is a reconstruction of")
    parser.add_argument(
        "-o", "--output", dest="folder", metavar="FOLDER", help="where figures and spectrum.json go"
    )
    add_force(parser)
    parser.add_argument(
        "--field", metavar="NAME", help="a coordinate network to fit, see `inrcodec fields`"
    )
    parser.add_argument(
        "--lmbda", type=float, metavar="F", help="of that fit, as for encode; default 1e-3 or 3e-5"
    )
    parser.add_argument(
        "-e", "--effort", type=int, metavar="N", help="of that fit, 1 to 9, default 5"
    )
    add_network_options(parser)
    parser.add_argument("--device", default="auto", metavar="D", help="as for encode")
    parser.add_argument("--engine", default="auto", metavar="E", help="as for encode")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default 0")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Measures spectra.

    Raises:
        InrError: what cannot be read, fitted or written.
    """
    _check(args)

    from inrcodec.evaluate.spectra.record import as_json
    from inrcodec.evaluate.spectra.study import study_fit, study_pair, study_signal
    from inrcodec.evaluate.spectra.view import read_view

    choices: list[Choice] = []
    _options(args)  # refuses them before anything is read
    view = read_view(args.input)
    record: dict[str, Any] = {"file": args.input}
    if args.against is not None:
        record["against"] = args.against
        study = study_pair(read_view(args.against), view)
    elif args.field is not None:
        options = _options(args, view.signal.kind, choices.append)
        try:
            study = study_fit(view, options)
        finally:
            options.reporter.end()
        record["fit"] = _fit(options, choices)
        if choices and not args.quiet:
            console.say(str(choices[0]))
    else:
        study = study_signal(view)
    record |= as_json(study)
    if args.folder is not None:
        _write(args, record, study)
    if args.json:
        console.write_json(record)
    else:
        console.write_facts(_short(record))


def _check(args: argparse.Namespace) -> None:
    """Refuses what makes no sense before any work is done."""
    if args.field is None:
        given = ["remedy"] if args.remedy else []
        given += [name for name in ("lmbda", "effort") if getattr(args, name) is not None]
        given += network_options(args)
        if given:
            raise BadOption(
                f"{given[0]} was given, and nothing is fitted; add --field, for example siren"
            )
    elif args.against is not None:
        raise BadOption(
            "--against is for a reconstruction, and --field takes FILE as its original; "
            "leave one of them out"
        )
    if args.input == args.against == files.STANDARD_STREAM:
        raise BadOption("FILE and ORIGINAL are both standard input; name at least one file")
    for source in (args.input, args.against or args.input):
        console.check_streams(source, None, json_output=True)
    if args.folder is not None and os.path.isdir(args.folder):
        for name in _file_names():
            files.check_output(os.path.join(args.folder, name), args.force)
    elif args.folder is not None and os.path.exists(args.folder):
        raise OutputError(f"the output {args.folder!r} is a file; name a folder")


def _options(
    args: argparse.Namespace, kind: str | None = None, told: Callable[[Choice], None] | None = None
) -> EncodeOptions | None:
    """How to fit a signal of a kind, None for any; None where nothing is fitted."""
    if args.field is None:
        return None
    from inrcodec import api
    from inrcodec.evaluate.spectra.training import check_network

    check_network(args.field, kind)
    return api.encode_options(
        kind or "image",
        lmbda=args.lmbda,
        effort=args.effort,
        field=args.field,
        device=args.device,
        engine=args.engine,
        seed=args.seed,
        network=network_options(args),
        remedies=args.remedy,
        reporter=progress.reporter("none" if args.quiet else "auto"),
        told=told,
    )


def _fit(options: EncodeOptions, choices: Sequence[Choice]) -> dict[str, Any]:
    auto = {"auto": asdict(choices[0])} if choices else {}
    return auto | {
        "field": options.field,
        "remedies": list(choices[0].remedies if choices else options.remedies),
        "lmbda": options.lmbda,
        "effort": options.effort,
        "seed": options.seed,
        "options": dict(options.network) | dict(options.remedy_options),
    }


def _file_names() -> list[str]:
    """Every file that a folder of figures can hold."""
    from inrcodec.evaluate.report.spectral_figures import NAMES

    return [RECORD_NAME, *(f"{name}.{end}" for name in NAMES for end in ("png", "svg"))]


def _write(args: argparse.Namespace, record: dict[str, Any], study: Study) -> None:
    from inrcodec.evaluate.folders import make_folder
    from inrcodec.evaluate.report.spectral_figures import figures_of
    from inrcodec.evaluate.report.writing import write_figure

    source = args.against or args.input
    name = "the input" if source == files.STANDARD_STREAM else os.path.basename(source)
    make_folder(args.folder)
    figures = figures_of(study, name)
    for figure, drawing in figures.items():
        write_figure(args.folder, figure, drawing, args.force)
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    files.write_atomic(os.path.join(args.folder, RECORD_NAME), text.encode(), args.force)
    if not args.quiet:
        console.say(f"{args.folder}: {RECORD_NAME}; as PNG and SVG {', '.join(figures)}")


def _short(record: dict[str, Any]) -> dict[str, Any]:
    """What people read at once: no arrays."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if name == "climb":
            for moment in value:
                numbers = {k: v for k, v in moment.items() if isinstance(v, float)}
                found[f"step {moment['step']}"] = numbers
        elif isinstance(value, dict):
            words = {k: v for k, v in value.items() if v and k == "remedies"}
            numbers = {k: v for k, v in value.items() if not isinstance(v, dict | list)}
            found |= {name: numbers | words} if numbers else {}
        elif not isinstance(value, list):
            found[name] = value
    return found
