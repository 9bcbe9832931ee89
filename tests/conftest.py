"""What tests of several rooms share."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from inrcodec import registry
from inrcodec.fit import presets
from inrcodec.runtime import may_have_gpu


def _has_gpu() -> bool:
    if not may_have_gpu():
        return False
    import torch

    return torch.cuda.is_available()


# One of several processes that test side by side has a core of its own, and no more.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")

# Where there is no GPU, Triton's interpreter runs the kernels. Triton reads this when it is first
# imported, which torch may do in any test before ours; not when torch itself is imported.
if not _has_gpu():
    os.environ["TRITON_INTERPRET"] = "1"


pytest.register_assert_rewrite("grid_problems")


@pytest.fixture
def cosine_field(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The field `cosine` of tests/cosine_field.py, registered as long as a test runs."""
    path = Path(__file__).with_name("cosine_field.py")
    spec = importlib.util.spec_from_file_location("cosine_field", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "cosine_field", module)
    spec.loader.exec_module(module)
    registry.entries("fields")
    entry = registry.Entry(module.NAME, module.FIELD_ID, module.CosineField)
    registry._entries["fields"].append(entry)
    yield module
    registry._entries["fields"].remove(entry)


@pytest.fixture
def short_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Effort 1 is over after a few steps: for tests of what is around a fit."""
    monkeypatch.setitem(presets.EFFORTS, 1, presets.Preset(20, 8, step_passes=1))


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Commands with -v or --quiet change what the package logs; not for the next test."""
    logger = logging.getLogger("inrcodec")
    level, handlers = logger.level, list(logger.handlers)
    yield
    logger.setLevel(level)
    logger.handlers[:] = handlers
