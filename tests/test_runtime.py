"""Devices and threads: names are checked here, before a library meets them."""

import logging
import os

import pytest
import torch

from inrcodec import runtime
from inrcodec.errors import BadOption
from inrcodec.runtime import resolve_device, threads


def test_threads_are_those_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads() == 3


@pytest.mark.parametrize("asked", ["", "0", "-1", "many", "²", "4,2"])
def test_other_words_than_a_number_mean_all_cores(
    asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert 1 <= threads() <= (os.cpu_count() or 1)


def test_threads_are_counted_where_the_system_tells_of_no_affinity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert threads() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert threads() == 1


@pytest.mark.parametrize("found", [0, 2])
@pytest.mark.parametrize("device", ["cuda:x", "cuda:", "cuda:-1", "cuda:99", "cuda:2", "gpu", ""])
def test_a_device_that_is_not_there_is_refused(
    device: str, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What torch says of CUDA is made up, so that this runs on machines of both kinds."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: found > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: found)
    with pytest.raises(BadOption, match="device"):
        resolve_device(device)


def test_a_device_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(runtime, "_computes", lambda device: True)
    for asked, got in (("auto", "cuda"), ("cuda", "cuda"), ("cuda:1", "cuda:1"), ("cpu", "cpu")):
        assert resolve_device(asked) == got
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == "cpu"


def test_a_device_that_does_not_compute_leaves_the_work_to_the_cpu(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What a GPU says that torch has no kernels for is made up."""

    def no_kernels(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: no kernel image is available\nCompile with ...")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch, "ones", no_kernels)
    runtime._computes.cache_clear()
    with caplog.at_level(logging.WARNING, "inrcodec"):
        assert resolve_device("auto") == "cpu"
        assert resolve_device("auto") == "cpu"
    runtime._computes.cache_clear()
    assert [record.getMessage() for record in caplog.records] == [
        "the CPU does the work, cuda does not compute: CUDA error: no kernel image is available"
    ]
    assert resolve_device("cuda") == "cuda"
