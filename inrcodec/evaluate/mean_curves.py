"""Mean curves of a comparison in files that CompressAI's tools read."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from inrcodec import files
from inrcodec.evaluate.folders import make_folder
from inrcodec.evaluate.points import Point

CURVES_NAME, CURVES_FOLDER = "points.json", "curves"
# CompressAI's names; those that it does not have are ours.
_SCHEMA = {
    "psnr_db": "psnr-rgb",
    "ms_ssim": "ms-ssim-rgb",
    "psnr_y_db": "psnr-y",
    "psnr_u_db": "psnr-u",
    "psnr_v_db": "psnr-v",
    "psnr_yuv_db": "psnr-yuv",
}


def mean_curves(points: Sequence[Point]) -> list[dict[str, Any]]:
    """The curve of each codec averaged over signals, in the schema of CompressAI's results.

    Only settings that all signals have; infinite qualities are None.
    """
    found = []
    for codec, resolution in dict.fromkeys((p.codec, p.resolution) for p in points):
        here = [p for p in points if (p.codec, p.resolution) == (codec, resolution)]
        signals = dict.fromkeys(p.signal for p in here)
        by_setting = {p.setting: [q for q in here if q.setting == p.setting] for p in here}
        shared = [group for group in by_setting.values() if len(group) == len(signals)]
        shared.sort(key=lambda group: fmean(p.rate for p in group))
        if not shared:
            continue
        unit = "bpp" if here[0].rate_unit == "bpp" else "bitrate"
        results: dict[str, list[Any]] = {
            unit: [fmean(p.rate for p in group) for group in shared],
            "encoding_time": [fmean(p.encode_seconds for p in group) for group in shared],
            "decoding_time": [fmean(p.decode_seconds for p in group) for group in shared],
            "setting": [group[0].setting for group in shared],
        }
        for metric in dict.fromkeys(name for p in here for name in p.metrics):
            means = [_mean_of(group, metric) for group in shared]
            results[_SCHEMA.get(metric, metric.replace("_", "-"))] = means
        versions = dict.fromkeys(p.codec_version for p in here if p.codec_version)
        mark = "" if resolution == 1 else f" x{resolution:g}"
        found.append(
            {
                "name": codec + mark,
                "description": "; ".join([*versions, ""])
                + f"means over {len(signals)} signals of the metrics of each",
                "results": results,
            }
        )
    return found


def _mean_of(points: Sequence[Point], metric: str) -> float | None:
    values = [p.metrics.get(metric, math.nan) for p in points]
    return fmean(values) if all(map(math.isfinite, values)) else None


def write_curves(folder: str | os.PathLike[str], curves: Sequence[dict[str, Any]]) -> None:
    """Writes the mean curves: all in one file, and each in its own, as CompressAI's plots read.

    Raises:
        OutputError: they cannot be written.
    """
    _write_json(os.path.join(folder, CURVES_NAME), curves)
    make_folder(os.path.join(folder, CURVES_FOLDER))
    for curve in curves:
        name = curve["name"].replace(" ", "_") + ".json"
        _write_json(os.path.join(folder, CURVES_FOLDER, name), curve)


def _write_json(path: str, content: Any) -> None:
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    files.write_atomic(path, text.encode(), force=True)
