"""What was measured as JSON knows it."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from inrcodec.evaluate.spectra.study import Study

# Maps, which belong into figures.
_LEFT_OUT = {"gradient"}


def as_json(study: Study) -> dict[str, Any]:
    """A study: facts of the signal itself on top, the rest by its part.

    Of a reconstruction that is looked at they are its own, and the original's lie below.
    """
    pair, fitted = study.comparison is not None, study.training is not None
    looked_at = study.reconstruction if pair and not fitted else study.original
    own, other = study.original_facts, study.reconstruction_facts
    found = {"kind": looked_at.signal.kind, "taken": looked_at.taken}
    if not pair:
        return found | _plain(own)
    quality = looked_at.quality_name
    found |= _plain(own if fitted else other)
    found["reconstruction" if fitted else "original"] = _plain(other if fitted else own)
    found["comparison"] = _plain(study.comparison, quality)
    if fitted:
        found["file_bytes"] = study.file_bytes
        found["climb"] = _plain(study.training.moments, quality)
        found["inspections"] = _plain(study.training.inspections)
    return found


def _plain(value: Any, quality: str = "") -> Any:
    """Dataclasses as objects, arrays as lists; what is not finite as None.

    Args:
        value: what is to be told.
        quality: what `quality_db` is called.
    """
    if is_dataclass(value):
        told = [f.name for f in fields(value) if f.name not in _LEFT_OUT]
        return {
            quality if name == "quality_db" else name: _plain(getattr(value, name), quality)
            for name in told
        }
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list):
        return [_plain(each, quality) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
