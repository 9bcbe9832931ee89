"""Pieces of work one after the other, or several at a time, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from typing import TypeVar

from inrcodec.runtime import threads

Item, Result = TypeVar("Item"), TypeVar("Result")


def outcomes(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int
) -> Iterator[tuple[Item, Callable[[], Result]]]:
    """Each item with a function that gives what came of it, as they are done.

    Args:
        work: what to do with an item; named, like its arguments and results, so that processes
            can pass it on.
        items: what to do it with.
        jobs: how many at a time; they share the threads of this process.
    """
    if min(jobs, len(items)) < 2:
        for item in items:
            yield item, lambda item=item: work(item)
        return
    # Fresh processes: forks of one that has started threads can hang.
    pool = ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), _start_worker, (max(1, threads() // jobs),)
    )
    try:
        futures: dict[Future[Result], Item] = {pool.submit(work, item): item for item in items}
        for future in as_completed(futures):
            yield futures[future], future.result
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker(share: int) -> None:
    """Takes a share of the threads, and ends when the process that started it says so or ends."""
    # Ctrl-C reaches all of them; the one that started them ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = str(share)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
