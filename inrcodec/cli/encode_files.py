"""Encoding one file, and many at a time, with what is told of each."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any

from inrcodec import files
from inrcodec.cli import console
from inrcodec.cli.options import shown
from inrcodec.errors import BadOption
from inrcodec.progress import Reporter

if TYPE_CHECKING:
    from inrcodec.codec import Encoded
    from inrcodec.fit import EncodeOptions
    from inrcodec.remedies.auto import Choice
    from inrcodec.target_size import Attempt

EXTENSION = ".inr"


@dataclass(frozen=True)
class Job:
    """One file to encode.

    Args:
        source, target: names as the user gave them, or as they follow from these.
        asked: keywords of `api.encode_options`.
        strip, force, fps: see `inrcodec encode --help`.
    """

    source: str
    target: str
    asked: Mapping[str, Any]
    strip: bool = False
    force: bool = False
    fps: Real | None = None


@dataclass(frozen=True)
class Done:
    """An encoded file that was written.

    Args:
        job: what was asked for.
        encoded: the file.
        options: that it was made with.
        attempts: of a search for a size.
        found: what the input was found to be.
        seconds: that it took.
        choices: what --remedy auto picked, each once.
    """

    job: Job
    encoded: Encoded
    options: EncodeOptions
    attempts: tuple[Attempt, ...]
    found: str
    seconds: float
    choices: tuple[Choice, ...] = ()

    def line(self) -> str:
        """What people are told."""
        encoded = self.encoded
        shown_rates = {"rate_bpp": "{:.4f} bpp", "rate_kbps": "{:.2f} kbps"}
        rates = ", ".join(shown_rates[name].format(rate) for name, rate in encoded.rates.items())
        sound = encoded.header.kind_name == "audio"
        quality = f"{encoded.snr_db:.2f} dB SNR" if sound else f"{encoded.psnr_db:.2f} dB PSNR"
        attempts = f", {len(self.attempts)} attempts" if self.attempts else ""
        return (
            f"{shown(self.job.target)}: {len(encoded.data)} bytes, {rates}, {quality}, "
            f"{self.seconds:.1f} s, lmbda {self.options.lmbda:g}{attempts}"
        )

    def record(self) -> dict[str, Any]:
        """What programs are told."""
        from inrcodec.kinds import KINDS

        encoded, options, header = self.encoded, self.options, self.encoded.header
        sound = {"snr_db": _finite(encoded.snr_db)} if header.kind_name == "audio" else {}
        found = {
            "input": self.job.source,
            "output": self.job.target,
            "kind": header.kind_name,
            **KINDS[header.kind_name].facts(header),
            "file_bytes": len(encoded.data),
            **encoded.rates,
            "psnr_db": _finite(encoded.psnr_db),
            **sound,
            "encode_seconds": round(self.seconds, 3),
            "lmbda": options.lmbda,
            "effort": options.effort,
            "field": options.field,
            "seed": options.seed,
        }
        if self.choices:
            found["auto"] = [asdict(choice) for choice in self.choices]
        if self.attempts:
            found["target_bytes"] = self.job.asked["target_bytes"]
            found["attempts"] = [asdict(attempt) for attempt in self.attempts]
        return found


def encode_file(
    job: Job, reporter: Reporter | None = None, tell: Callable[[str], None] | None = None
) -> Done:
    """Encodes and writes a file.

    Args:
        job: which, and how.
        reporter: told of every step.
        tell: told what is about to be done.

    Raises:
        InrError: what cannot be read, encoded or written; no output is left then.
    """
    from inrcodec import api
    from inrcodec.fields import default_field, family_of
    from inrcodec.sources import MediaFile

    check_target(job)
    media = MediaFile.of(job.source)
    _check_flags(job, media.kind)
    asked = dict(job.asked) | {"field": job.asked["field"] or default_field(media.kind)}
    choices: list[Choice] = []
    options = api.encode_options(media.kind, **asked, reporter=reporter, told=choices.append)
    family_of(options.field, media.kind)
    limit = job.asked["target_bytes"]
    if tell is not None:
        dial = f"lmbda {options.lmbda:g}" if limit is None else f"at most {limit} bytes"
        tell(f"{shown(job.source)}: {media.kind}, {dial}, effort {options.effort}")
    begun = time.perf_counter()
    attempts: tuple[Attempt, ...] = ()
    try:
        if limit is None:
            encoded, found = media.encode(options, strip=job.strip, fps=job.fps)
        else:
            sized, found = media.encode_to_size(limit, options, strip=job.strip, fps=job.fps)
            encoded, options, attempts = sized.encoded, sized.options, sized.attempts
    finally:
        if reporter is not None:
            reporter.end()
    taken = time.perf_counter() - begun
    files.write_atomic(job.target, encoded.data, job.force)
    options = replace(options, reporter=None, told=None)
    return Done(job, encoded, options, attempts, found, taken, tuple(dict.fromkeys(choices)))


def encode_files(
    jobs: Sequence[Job], at_once: int, device: str, reporter: Reporter, quiet: bool = False
) -> Iterator[tuple[Job, Callable[[], Done]]]:
    """Each file with a function that gives what became of it, as they are done.

    Args:
        jobs: the files.
        at_once: how many at a time: in processes that share the threads of the CPU, or in streams
            of a GPU.
        device: cpu or cuda[:n].
        reporter: told of every step where files come one after the other.
        quiet: keep warnings back that processes have; others are those of this one.
    """
    from inrcodec.batch import processes, streams

    if at_once < 2:
        return processes.outcomes(partial(encode_file, reporter=reporter), jobs, 1)
    if device == "cpu":
        return processes.outcomes(partial(_encode_in_process, quiet), jobs, at_once)

    def encode(job: Job, check: Callable[[], None]) -> Done:
        return encode_file(job, _Checking(check))

    return streams.outcomes(encode, jobs, at_once, device)


def _encode_in_process(quiet: bool, job: Job) -> Done:
    with console.warnings_shown(quiet):
        return encode_file(job)


class _Checking(Reporter):
    """Asks at every step whether the work is still wanted."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check

    def step(self, rate_bpp: float, mse: float) -> None:
        self._check()


def jobs_into(folder: str, sources: Sequence[str], make: Callable[[str, str], Job]) -> list[Job]:
    """The jobs of many files, whose outputs go to a folder; it is made if it is not there.

    Raises:
        BadOption: two would have the same output, one is a standard stream, or the folder is none.
    """
    targets: dict[str, str] = {}
    for source in sources:
        if source == files.STANDARD_STREAM:
            raise BadOption("standard input has no name for a file in a folder; give OUT instead")
        name = os.path.splitext(os.path.basename(os.path.normpath(source)))[0] + EXTENSION
        target = os.path.join(folder, name)
        if target in targets:
            raise BadOption(
                f"{targets[target]!r} and {source!r} would both become {target!r}; "
                "encode them into two folders"
            )
        targets[target] = source
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise BadOption(f"--into {folder!r} is no folder: {error.strerror}") from error
    return [make(source, target) for target, source in targets.items()]


def check_target(job: Job) -> None:
    """Refuses an output that cannot be written, before the work.

    Raises:
        BadOption: its name is no `.inr` file's.
        OutputError: it exists without `force`, is the input, or has no place.
    """
    target = job.target
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
    files.check_output(target, job.force, job.source)


def _check_flags(job: Job, kind: str) -> None:
    found = "sound" if kind == "audio" else kind
    for flag, value, kinds in (
        ("--segment", job.asked["segment_seconds"], ("sound", "video")),
        ("--fps", job.fps, ("video",)),
    ):
        if value is not None and found not in kinds:
            raise BadOption(
                f"{flag} is for {' and '.join(kinds)}, {shown(job.source)} is "
                f"{'an' if found == 'image' else 'a'} {found}"
            )


def _finite(db: float) -> float | None:
    """JSON knows no infinity: null is a decode without any error, or a signal of silence."""
    return db if math.isfinite(db) else None
