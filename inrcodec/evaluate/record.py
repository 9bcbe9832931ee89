"""The record of a comparison: when, where, by what and how its points were measured."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from inrcodec.evaluate import machine
from inrcodec.evaluate.originals import Original
from inrcodec.evaluate.plan import Plan
from inrcodec.evaluate.points import Run


def new_run(plan: Plan, originals: Sequence[Original], folder: str, **given: object) -> Run:
    """The record of a run before it starts.

    Args:
        plan: what codecs take.
        originals: the signals.
        folder: of the run.
        given: what else `Run` has.
    """
    return Run(
        date=now(),
        commit=machine.commit(),
        machine=machine.machine(),
        versions=machine.versions(),
        kind=originals[0].kind,
        codecs={
            codec.name: {
                "library": codec.probe().library,
                "version": codec.probe().version,
                "settings": plan.texts(codec),
            }
            for codec in plan.codecs
        },
        left_out=plan.left_out,
        originals={original.name: _path(original, folder) for original in originals},
        digests={original.name: original.digest() for original in originals},
        **given,
    )


def now() -> str:
    """The time in ISO 8601 with its zone."""
    return datetime.now(UTC).astimezone().isoformat(timespec="seconds")


def _path(original: Original, folder: str) -> str:
    """Relative to the folder if the original lies in it, with forward slashes."""
    whole = os.path.abspath(folder)
    inside = os.path.commonpath([original.path, whole]) == whole
    path = os.path.relpath(original.path, folder) if inside else original.path
    return path.replace(os.sep, "/")


def merged(earlier: Run, run: Run) -> Run:
    """The record of a resumed run: what earlier ones added to the folder stays in it."""
    codecs = {**earlier.codecs, **run.codecs}
    for name, codec in run.codecs.items():
        before = earlier.codecs.get(name, {}).get("settings", {})
        codecs[name] = {**codec, "settings": {**before, **codec["settings"]}}
    skipped = {k: v for k, v in {**earlier.skipped, **run.skipped}.items() if k not in codecs}
    asked = {*run.codecs, *run.left_out}
    left_out = {codec: dict(reasons) for codec, reasons in run.left_out.items()}
    for codec, reasons in earlier.left_out.items():
        for signal, reason in reasons.items():
            if codec not in asked or signal not in run.originals:
                left_out.setdefault(codec, {})[signal] = reason
    return replace(
        run,
        codecs=codecs,
        skipped=skipped,
        left_out=left_out,
        originals={**earlier.originals, **run.originals},
        digests={**earlier.digests, **run.digests},
        published=earlier.published or run.published,
    )
