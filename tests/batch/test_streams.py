"""Work on a GPU at a time: nothing is lost, and what does not fit waits. Streams are made up."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

import pytest

from inrcodec.batch import streams
from inrcodec.errors import BadInput, OutOfDeviceMemory


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "own_stream", lambda device: contextlib.nullcontext())


def test_every_item_is_done_on_its_own_thread_and_failures_are_its_own() -> None:
    together = threading.Barrier(3)

    def work(item: int, check: Callable[[], None]) -> int:
        together.wait(timeout=30)  # passes only where three are under way
        if item == 1:
            raise BadInput("one is broken")
        return 10 * item

    found = {}
    for item, outcome in streams.outcomes(work, [0, 1, 2], 3, "cuda"):
        try:
            found[item] = outcome()
        except BadInput as error:
            found[item] = str(error)
    assert found == {0: 0, 1: "one is broken", 2: 20}


def test_what_does_not_fit_beside_others_is_done_again_with_fewer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lock, under_way, most = threading.Lock(), 0, []
    together = threading.Barrier(4)

    def work(item: int, check: Callable[[], None]) -> int:
        nonlocal under_way
        with lock:
            under_way += 1
        try:
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(timeout=0.5)
            with lock:
                most.append(under_way)
                if under_way > 1:
                    raise OutOfDeviceMemory("no memory")
            return item
        finally:
            with lock:
                under_way -= 1

    with caplog.at_level(logging.WARNING, "inrcodec"):
        found = [outcome() for _, outcome in streams.outcomes(work, range(4), 4, "cuda")]
    assert sorted(found) == [0, 1, 2, 3]
    assert max(most) > 1
    assert "memory of cuda is short: 2 at a time from here on" in caplog.text


def test_what_does_not_fit_alone_fails() -> None:
    def work(item: int, check: Callable[[], None]) -> int:
        raise OutOfDeviceMemory("no memory")

    tried = 0
    for _, outcome in streams.outcomes(work, [1, 2, 3], 4, "cuda"):
        tried += 1
        with pytest.raises(OutOfDeviceMemory):
            outcome()
    assert tried == 3


def test_work_that_nobody_waits_for_ends() -> None:
    begun, ended = threading.Event(), threading.Event()

    def work(item: int, check: Callable[[], None]) -> int:
        if item == 0:
            begun.wait(timeout=30)
            return 0
        begun.set()
        try:
            while True:
                check()
                threading.Event().wait(0.01)
        finally:
            ended.set()

    found = streams.outcomes(work, [0, 1], 2, "cuda")
    assert next(found)[0] == 0
    found.close()
    assert ended.wait(timeout=30)
