"""Mean curves in the schema of CompressAI's results."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from inrcodec.errors import OutputError
from inrcodec.evaluate.mean_curves import mean_curves, write_curves
from inrcodec.evaluate.points import Point

RATES = (0.25, 0.5, 1.0, 2.0, 4.0)


def points(signal: str, factor: float, library: str) -> list[Point]:
    """A curve of JPEG that gains 6 dB when the rate doubles, at `factor` times the rates."""
    return [
        Point(
            signal, "image", "jpeg", f"q{i}", None, "f", "d", 1, 1, factor * rate, "bpp", 100,
            1.0, 0.5, 1.0, {"psnr_db": 30 + 6 * math.log2(rate), "ms_ssim": 0.9},
            codec_version=library,
        )
        for i, rate in enumerate(RATES)
    ]  # fmt: skip


def test_mean_curves_have_the_schema_of_compressai(tmp_path: Path):
    table = points("a", 1, "Pillow 1") + points("b", 3, "Pillow 2")[1:]
    (curve,) = mean_curves(table)
    assert set(curve) == {"name", "description", "results"}
    assert curve["description"].startswith("Pillow 1; Pillow 2; means over 2 signals")
    assert curve["results"]["bpp"] == pytest.approx([1.0, 2.0, 4.0, 8.0])
    assert curve["results"]["psnr-rgb"] == pytest.approx([24, 30, 36, 42])
    assert curve["results"]["ms-ssim-rgb"] == pytest.approx([0.9] * 4)
    assert curve["results"]["encoding_time"] == [1.0] * 4
    write_curves(tmp_path, [curve])
    assert json.loads((tmp_path / "points.json").read_text()) == [curve]
    assert json.loads((tmp_path / "curves" / "jpeg.json").read_text()) == curve


def test_curves_that_cannot_be_written_say_so(tmp_path: Path):
    (tmp_path / "curves").write_text("in the way")
    with pytest.raises(OutputError, match="curves' cannot be made"):
        write_curves(tmp_path, mean_curves(points("a", 1, "Pillow 1")))
