"""When the GPU engine is taken, and what is said where it is not."""

from __future__ import annotations

import importlib.util
import logging

import pytest
import torch

from inrcodec.errors import BadOption
from inrcodec.kernels import engine
from inrcodec.kernels.gpu import usable
from inrcodec.runtime import resolve_device


def no_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "triton" else find(name, *a)
    )


def test_without_triton_the_engine_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    no_triton(monkeypatch)
    with pytest.raises(BadOption, match="engine gpu was asked for, but .*pip install triton"):
        engine.make_engine(None, "cpu", "gpu")


def test_on_the_cpu_the_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton", reason="there is no triton; `pip install triton` to test this")
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(BadOption, match="engine gpu was asked for, but the device is the CPU"):
        engine.make_engine(None, "cpu", "gpu")


def test_old_gpus_and_other_vendors_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """What torch says of CUDA is made up, so that this runs on every machine."""
    pytest.importorskip("triton", reason="there is no triton; `pip install triton` to test this")
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "GTX 1080")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (6, 1))
    assert usable.unusable("cuda") == "GTX 1080 has capability 6.1, expected 7.0"
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    assert usable.unusable("cuda") is None
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "ROCm" in usable.unusable("cuda")


def test_where_triton_is_missing_the_reference_fits_on_the_gpu_and_says_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The engine that would need CUDA is replaced by its arguments."""
    from inrcodec.kernels.gpu import graphed

    no_triton(monkeypatch)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(graphed, "GraphedReferenceEngine", lambda *arguments: arguments)
    with caplog.at_level(logging.WARNING, "inrcodec"):
        assert engine._make(None, "cuda", "auto") == (None, "cuda")
    assert [record.getMessage() for record in caplog.records] == [
        "engine reference does the work of engine gpu, slowly: there is no triton; install it with "
        "`pip install triton`"
    ]


def test_apple_gpus_are_refused_with_a_reason() -> None:
    with pytest.raises(BadOption, match="device mps lacks the float64"):
        resolve_device("mps")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_gpu_is_taken_where_there_is_one() -> None:
    import numpy as np

    from inrcodec.fields.grid import GridConfig
    from inrcodec.fit.grid import make_problem
    from inrcodec.signal import image_signal

    problem = make_problem(image_signal(np.zeros((16, 16), np.uint8)), GridConfig())
    assert engine.make_engine(problem).name == "gpu"
    assert engine.make_engine(problem, "cpu").name == "cpu"
