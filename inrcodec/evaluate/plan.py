"""What a comparison has to do: which codecs take which signals, at which settings, judged how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from inrcodec.errors import BadOption
from inrcodec.evaluate import measuring, resolutions
from inrcodec.evaluate.codecs import ANCHORS, Codec, Setting
from inrcodec.evaluate.measuring import Task, View
from inrcodec.evaluate.originals import Original
from inrcodec.evaluate.points import Run

Key = tuple[str, str, str, float]


@dataclass(frozen=True)
class Plan:
    """Which codecs take which signals.

    Args:
        codecs: those that take one at least.
        settings: of a codec for a signal that it takes, by the names of both.
        left_out: why a codec does not take a signal, by codec and signal.
    """

    codecs: list[Codec]
    settings: dict[tuple[str, str], tuple[Setting, ...]] = field(default_factory=dict)
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)

    def texts(self, codec: Codec) -> dict[str, str]:
        """The exact options of each setting of a codec."""
        return {
            setting.name: setting.text
            for (name, _), settings in self.settings.items()
            if name == codec.name
            for setting in settings
        }


def plan_of(originals: Sequence[Original], codecs: Sequence[Codec]) -> Plan:
    """Asks every codec what it makes of every signal.

    Raises:
        BadInput: an original cannot be read.
        BadOption: no codec takes any of them.
    """
    settings: dict[tuple[str, str], tuple[Setting, ...]] = {}
    left_out: dict[str, dict[str, str]] = {}
    for original in originals:
        signal = measuring.signal_of(original)
        for codec in codecs:
            reason = codec.refusal(signal)
            if reason is None:
                settings[codec.name, original.name] = codec.settings(signal)
            else:
                left_out.setdefault(codec.name, {})[original.name] = reason
    useful = {name for name, _ in settings}
    if not useful:
        reasons = dict.fromkeys(r for of_codec in left_out.values() for r in of_codec.values())
        raise BadOption("none of the codecs takes any of the inputs: " + "; ".join(reasons))
    return Plan([codec for codec in codecs if codec.name in useful], settings, left_out)


def anchor_of(
    kind: str,
    plan: Plan,
    wanted: str,
    skipped: Mapping[str, str],
    say: Callable[[str], None],
) -> str:
    """The codec that others are compared with.

    Args:
        kind: of the signals.
        plan: what codecs take.
        wanted: the one that somebody chose, "" for the usual one.
        skipped: why codecs cannot run here, by name.
        say: told if the usual one was to run, and another one takes its place.

    Raises:
        BadOption: the one that was chosen cannot be used.
    """
    names = [codec.name for codec in plan.codecs]
    if wanted in names:
        return wanted
    if wanted:
        refused = next(iter(plan.left_out.get(wanted, {}).values()), None)
        reason = refused or skipped.get(wanted, "it is not among the codecs that run")
        raise BadOption(
            f"the anchor {wanted!r} cannot be used: {reason}; choose one of {', '.join(names)} as "
            "the anchor, or none"
        )
    usual, *_ = ANCHORS[kind]
    likely = [name for name in ANCHORS[kind] if name in names] or names
    # The one that takes most signals; of those, the most usual.
    chosen = min(likely, key=lambda name: len(plan.left_out.get(name, ())))
    if chosen != usual and usual in (*skipped, *plan.left_out):
        say(f"BD-rates are against {chosen}, as {usual} was skipped")
    return chosen


def tasks_of(
    plan: Plan,
    originals: Sequence[Original],
    run: Run,
    folder: str,
    factors: Sequence[Fraction],
) -> list[Task]:
    """All that is to be done: quick codecs on all signals, then slow ones.

    Args:
        plan: what codecs take.
        originals: the signals.
        run: its record, with the digests of the originals.
        folder: of the run.
        factors: resolutions other than 1.
    """
    return [
        Task(
            original,
            codec,
            setting,
            reduction,
            tuple(views),
            folder,
            tuple(run.metrics),
            short_digest(run.digests[original.name]),
            _version(codec),
            run.commit,
        )
        for slow in (False, True)
        for original in originals
        for codec in plan.codecs
        if codec.slow == slow
        for setting in plan.settings.get((codec.name, original.name), ())
        for reduction, views in _views(run.kind, codec, factors).items()
    ]


def _views(kind: str, codec: Codec, factors: Sequence[Fraction]) -> dict[int, list[View]]:
    """By how many times the original is reduced, the views of what is coded then."""
    found: dict[int, list[View]] = {1: [View()]}
    for factor in factors:
        names = [""] if codec.renders else resolutions.methods(kind, factor)
        views = found.setdefault(factor.numerator, [])
        views.extend(View(factor, name) for name in names)
    return found


def keys_of(task: Task) -> list[Key]:
    """Those of its points, one for each view."""
    return [
        (task.original.name, task.codec_name(view), task.setting.name, float(view.factor))
        for view in task.views
    ]


def short_digest(digest: str) -> str:
    """The part of a digest that points keep: 64 bits tell any two originals apart."""
    return digest[:16]


def _version(codec: Codec) -> str:
    probe = codec.probe()
    return f"{probe.library}, {probe.version}"
