"""`inrcodec metrics`: how near one file is to another, by every metric of their kind."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from inrcodec import files
from inrcodec.bitstream.limits import Limits
from inrcodec.cli import console
from inrcodec.cli.options import add_verb
from inrcodec.errors import BadInput, BadOption, InrError

if TYPE_CHECKING:
    from inrcodec.evaluate.metrics.catalogue import Report, Value
    from inrcodec.signal import AnySignal

_EPILOG = """\
Both are images, sounds or videos (also folders of PNG frames) of the same size, channels and depth;
.inr files are decoded at their native size. Numbers are of samples as files hold them, rounded.

images:
  psnr_db                  over all samples and channels; psnr_channels_db has each channel
  psnr_yuv_db              (6 Y + U + V) / 8, colours by BT.601, full range, 4:4:4
  ssim, ms_ssim            as pytorch-msssim, mean over colours; ms_ssim_db is -10 log10(1 - it)
  rho_ag                   cosine of the amplitude spectra, as SPDER; with DC nearly blind to blur
  sec_reference, .._decoded
                           Spectral Energy Centroid in cycles per picture: equal if detail is kept
sounds:
  snr_db, si_snr_db, segmental_snr_db, log_spectral_distance (log10 of power), rho_ag, sec_...
  visqol_mos, zimtohrli_mos, pesq_mos, stoi
                           with the packages of: pip install "inrcodec[audio-metrics]"
videos:
  psnr_yuv_db, ssim, vmaf  means over frames, of the planes that the files store; VMAF where
                           FFmpeg in PyAV has it

What cannot be had here is null in JSON, with a note; so is infinity, where nothing was lost.

example:
  inrcodec metrics photo.png photo.inr

"""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    parser = add_verb(verbs, "metrics", "measure how near a file is to its original", _EPILOG)
    parser.add_argument("reference", metavar="A", help="the original; - is stdin")
    parser.add_argument("reconstruction", metavar="B", help="what to judge; - is stdin")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Measures two files.

    Raises:
        InrError: a file cannot be read, or the two cannot be compared.
    """
    sources = args.reference, args.reconstruction
    if sources.count(files.STANDARD_STREAM) == 2:
        raise BadOption("A and B are both standard input; name at least one file")
    for source in sources:
        console.check_streams(source, None, json_output=True)

    from inrcodec.evaluate.metrics import catalogue

    reference, decoded = (_read(source) for source in sources)
    report = catalogue.measure(catalogue.pair_of(reference.signal, decoded.signal))
    facts = {"reference": sources[0], "reconstruction": sources[1], **_facts(decoded)}
    if args.json:
        console.write_json({**facts, "metrics": _json(report), "notes": _notes(report)})
        return
    for name, note in report.notes.items():
        if not args.quiet:
            console.say(f"{name}: {note}")
    console.write_facts({**facts, **report.values})


class _Read(NamedTuple):
    """A signal and the size of its file, None for a folder of frames."""

    signal: AnySignal
    file_bytes: int | None


def _read(source: str) -> _Read:
    from inrcodec.media.frames import is_frames
    from inrcodec.media.video import load_video

    if source != files.STANDARD_STREAM and is_frames(source):
        return _Read(load_video(source), None)
    data = files.read_bytes(source, Limits().max_file_bytes)
    name = "standard input" if source == files.STANDARD_STREAM else os.path.basename(source)
    return _Read(_signal(data, name), len(data))


def _signal(data: bytes, name: str) -> AnySignal:
    """What the content of a file holds, decoded if it is an `.inr` file."""
    from inrcodec import codec
    from inrcodec.bitstream.container import MAGIC
    from inrcodec.media.audio import load_audio
    from inrcodec.media.image import load_image
    from inrcodec.media.kind import found_in, kind_of, mark_of
    from inrcodec.media.source import HEAD_BYTES
    from inrcodec.media.video import load_video

    if data.startswith(MAGIC[:4]):
        with _named(name):
            return codec.decode(data)
    head = data[:HEAD_BYTES]
    mark = mark_of(head)
    if mark is None or mark.kind is None:
        raise BadInput(
            f"{name}: found {found_in(head)}, expected an image, sound, video or .inr file"
        )
    with _named(name):
        kind = kind_of(data)
    return {"image": load_image, "audio": load_audio, "video": load_video}[kind](data, name)


@contextlib.contextmanager
def _named(name: str) -> Iterator[None]:
    """Adds the name of a file to errors: with two files it must be said which one is damaged."""
    try:
        yield
    except InrError as error:
        raise type(error)(f"{name}: {error}") from error


def _facts(read: _Read) -> dict[str, Any]:
    """What the file B is, and its rate in the units of its kind."""
    signal, file_bytes = read
    facts: dict[str, Any] = {"kind": signal.kind}
    for name in ("width", "height", "frames", "channels", "rate_hz", "subsampling", "bit_depth"):
        if hasattr(signal, name):
            facts[name] = getattr(signal, name)
    facts["file_bytes"] = file_bytes
    bits = math.nan if file_bytes is None else 8 * file_bytes
    if signal.kind != "audio":
        samples = signal.width * signal.height * getattr(signal, "frames", 1)
        facts["rate_bpp"] = _or_none(bits / samples)
    if signal.kind != "image":
        facts["rate_kbps"] = _or_none(bits / float(signal.duration_seconds) / 1000)
    return facts


def _or_none(value: float) -> float | None:
    """The value, or None for what JSON does not know: infinity and NaN."""
    return value if math.isfinite(value) else None


def _json(report: Report) -> dict[str, Value | None | list[float | None]]:
    return {
        name: [_or_none(v) for v in value] if isinstance(value, list) else _or_none(value)
        for name, value in report.values.items()
    }


def _notes(report: Report) -> dict[str, str]:
    """Why a number is null, by name."""
    endless = {}
    for name, value in report.values.items():
        values = value if isinstance(value, list) else [value]
        if math.inf in values:
            endless[name] = "infinite: nothing was lost"
        elif -math.inf in values:
            endless[name] = "minus infinite: nothing of the reference is left"
    return {**endless, **report.notes}
