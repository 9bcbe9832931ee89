"""The codecs of a comparison, by name: one file per library.

| file | codecs |
|---|---|
| `pillow` | jpeg, jpeg2000, webp, avif; jxl with a plugin |
| `libjxl` | jxl by cjxl and djxl |
| `ffmpeg_audio` | aac, mp3, opus |
| `libsndfile` | vorbis, flac |
| `ffmpeg_video` | x264, x265, svtav1, vp9 |
| `inr` | our own |

Adding a codec means adding it to the `CODECS` of its library's file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inrcodec.errors import BadOption
from inrcodec.evaluate.codecs import ffmpeg_audio, ffmpeg_video, libsndfile, pillow
from inrcodec.evaluate.codecs.codec import Codec, Probe, Setting
from inrcodec.evaluate.codecs.inr import InrCodec
from inrcodec.evaluate.codecs.libjxl import LibjxlTools

__all__ = ["ANCHORS", "OURS", "Codec", "InrCodec", "Probe", "Setting", "choose", "known"]

OURS = "inr"
# What others are compared with unless somebody chooses: the first of them that takes the signals.
ANCHORS = {
    "image": ("jpeg", "webp", "avif", "jpeg2000", "jxl"),
    "audio": ("aac", "mp3", "opus", "vorbis"),
    "video": ("x264", "x265", "vp9", "svtav1"),
}
# There, but not run unless asked for: to compare with other people's curves, or slow.
_ON_REQUEST = ("jpeg-standard-tables", "avif-psnr")


def _all() -> list[Codec]:
    jpeg_xl = pillow.JPEG_XL if pillow.JPEG_XL.probe().missing is None else LibjxlTools()
    return [
        *pillow.CODECS,
        jpeg_xl,
        *ffmpeg_audio.CODECS,
        *libsndfile.CODECS,
        *ffmpeg_video.CODECS,
    ]


def known(kind: str) -> tuple[str, ...]:
    """The names of the codecs for a kind of signal, our own last."""
    return (*(codec.name for codec in _all() if kind in codec.kinds), OURS)


def defaults(kind: str) -> tuple[str, ...]:
    """The names of the codecs that run unless somebody chooses."""
    return tuple(name for name in known(kind) if name not in _ON_REQUEST)


def choose(
    names: Sequence[str], kind: str, ours: Sequence[InrCodec]
) -> tuple[list[Codec], dict[str, str]]:
    """The codecs of some names that can run here, and why others cannot.

    Args:
        names: as given by the user, `inr` for all of `ours`.
        kind: of the signals.
        ours: configurations of our own codec, of whatever kind; they are taken for this one.

    Returns:
        The codecs in the order of the names, and by name what is missing and how to get it.

    Raises:
        BadOption: an unknown name, one of another kind of signals, one given twice, or a field of
            ours that does not represent them.
    """
    by_name = {codec.name: codec for codec in _all()}
    chosen: list[Codec] = []
    skipped = {}
    for name in names:
        if name not in by_name and name != OURS:
            raise BadOption(f"there is no codec {name!r}; for {kind} there are: {_listed(kind)}")
        if name == OURS:
            found: list[Codec] = [replace(codec, kind=kind) for codec in ours]
            for codec in found:
                codec.check()
        else:
            found = [by_name[name]]
        for codec in found:
            if kind not in codec.kinds:
                raise BadOption(
                    f"codec {name!r} is for {' and '.join(codec.kinds)}, the inputs are {kind}; "
                    f"for {kind} there are: {_listed(kind)}"
                )
            missing = codec.probe().missing
            if missing is None:
                chosen.append(codec)
            else:
                skipped[codec.name] = missing
    twice = {codec.name for codec in chosen if [c.name for c in chosen].count(codec.name) > 1}
    if twice:
        raise BadOption(f"codec {min(twice)!r} is chosen twice; name it once")
    return chosen, skipped


def _listed(kind: str) -> str:
    return ", ".join(known(kind))
