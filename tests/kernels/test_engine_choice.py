"""Which engine runs, and what it does to torch."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from inrcodec.entropy import context
from inrcodec.errors import BadOption
from inrcodec.fields.grid import SPATIAL_CONTEXT, GridConfig
from inrcodec.fit.grid import make_problem
from inrcodec.kernels import engine, reference
from inrcodec.signal import image_signal


@pytest.fixture
def _tf32_allowed() -> Iterator[None]:
    places = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [place.allow_tf32 for place in places]
    for place in places:
        place.allow_tf32 = True
    yield
    for place, allowed in zip(places, before, strict=True):
        place.allow_tf32 = allowed


def test_the_cpu_engine_is_refused_on_a_cuda_device_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CUDA is made up, so that the choice can be seen on every machine."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for device in ("cuda", "cuda:0"):
        with pytest.raises(BadOption, match=f"engine cpu was asked for on device {device}"):
            engine.make_engine(None, device, "cpu")


def test_where_numba_must_not_compile_the_reference_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    numba = pytest.importorskip("numba")
    problem = make_problem(image_signal(np.zeros((8, 8), np.uint8)), GridConfig())
    assert engine.make_engine(problem, "cpu").name == "cpu"
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert engine.make_engine(problem, "cpu").name == "reference"


@pytest.mark.usefixtures("_tf32_allowed")
def test_float32_on_cuda_keeps_all_its_bits() -> None:
    assert torch.backends.cuda.matmul.allow_tf32
    reference._forbid_tf32()
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.usefixtures("_tf32_allowed")
def test_the_reference_on_cuda_forbids_tf32() -> None:
    signal = image_signal(np.zeros((8, 8), np.uint8))
    engine.make_engine(make_problem(signal, GridConfig()), "cuda", "reference")
    assert not torch.backends.cudnn.allow_tf32


def test_all_pad_by_the_reach_of_the_spatial_context() -> None:
    """The compiled engine names it again: its cache is keyed by the sources of its own folder."""
    rate = pytest.importorskip("inrcodec.kernels.cpu.rate")
    assert max(max(-dy, abs(dx)) for dy, dx in SPATIAL_CONTEXT) == context.PAD == rate.PAD
