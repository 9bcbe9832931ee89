"""Published curves of all pictures, and codecs on some of them."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "beside_published"
loader = SourceFileLoader("beside_published", str(TOOL))
tool = module_from_spec(spec_from_loader(loader.name, loader))
loader.exec_module(tool)

WHOLE = {"q10": (0.2, 26.0), "q30": (0.5, 30.0), "q50": (0.8, 32.0), "q90": (2.0, 38.0)}
CURVE = [(0.1, 24.0), (0.15, 27.0), (0.3, 29.0), (0.5, 31.0), (0.9, 33.0)]


def test_curves_stay_on_the_same_pictures() -> None:
    kept = CURVE[1:]  # JPEG does not reach the first one's PSNR
    assert tool.moved(CURVE, WHOLE, WHOLE) == [pytest.approx(point) for point in kept]


def test_curves_move_as_jpeg_s_settings_do() -> None:
    easier = {setting: (0.8 * rate, psnr + 1) for setting, (rate, psnr) in WHOLE.items()}
    moved = tool.moved(CURVE, WHOLE, easier)
    assert moved == [pytest.approx((0.8 * rate, psnr + 1)) for rate, psnr in CURVE[1:]]
    half = [(0.4 * rate, psnr + 1) for rate, psnr in CURVE[1:]]
    assert tool.beside(moved, half) == "-50.0 (28.0 to 34.0 dB)"


def test_there_is_no_number_without_a_common_quality_or_of_three_points() -> None:
    far = [(rate, psnr + 20) for rate, psnr in CURVE]
    assert tool.beside(CURVE, far) == tool.beside(CURVE[:3], CURVE) == "none"
