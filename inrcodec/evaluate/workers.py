"""Tasks of a comparison, one after the other or several at a time, each in its own process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed

from inrcodec.evaluate import measuring
from inrcodec.evaluate.measuring import Made, Task
from inrcodec.runtime import threads


def outcomes(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[Task, Callable[[], Made]]]:
    """Each task with a function that gives what came of it, as they are done.

    Args:
        tasks: what to do.
        jobs: how many at a time; they share the threads of this process.
    """
    if min(jobs, len(tasks)) < 2:
        for task in tasks:
            yield task, lambda task=task: measuring.run(task)
        return
    # Fresh processes: forks of one that has started threads can hang.
    pool = ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), _start_worker, (max(1, threads() // jobs),)
    )
    try:
        futures: dict[Future[Made], Task] = {
            pool.submit(measuring.run, task): task for task in tasks
        }
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
