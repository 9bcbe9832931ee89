"""Pieces of work on one GPU at a time: a thread and a stream of the device for each."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TypeVar

from inrcodec.errors import OutOfDeviceMemory
from inrcodec.runtime import own_stream

Item, Result = TypeVar("Item"), TypeVar("Result")

_log = logging.getLogger(__name__)


class Stopped(Exception):
    """Somebody wants the work to end."""


def outcomes(
    work: Callable[[Item, Callable[[], None]], Result],
    items: Sequence[Item],
    jobs: int,
    device: str,
) -> Iterator[tuple[Item, Callable[[], Result]]]:
    """Each item with a function that gives what came of it, as they are done.

    What does not fit into the device's memory beside the others waits for them to end, and is done
    again, half as many at a time, down to one.

    Args:
        work: of (item, check); it calls `check` now and then, which raises Stopped where the work
            is not wanted any more.
        items: what to do it with.
        jobs: how many at a time.
        device: cuda[:n].
    """
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise Stopped

    def one(item: Item) -> Result:
        check()
        with own_stream(device):
            return work(item, check)

    waiting = list(items)
    while waiting:
        again: list[Item] = []
        pool = ThreadPoolExecutor(jobs)
        try:
            futures: dict[Future[Result], Item] = {pool.submit(one, item): item for item in waiting}
            for future in as_completed(futures):
                if jobs > 1 and isinstance(future.exception(), OutOfDeviceMemory):
                    again.append(futures[future])
                else:
                    yield futures[future], future.result
        finally:
            stop.set()  # only where this is left early is anything still under way
            pool.shutdown(cancel_futures=True)
            stop.clear()
        waiting, jobs = again, max(1, min(jobs, len(waiting)) // 2)
        if waiting:
            _log.warning("memory of %s is short: %d at a time from here on", device, jobs)
