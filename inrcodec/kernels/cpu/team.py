"""Threads that share the tasks of one call after the other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

Task = TypeVar("Task")


class Team:
    """The calling thread and threads - 1 others, which take tasks as they come to them.

    A step has some hundred tasks of a tenth of a millisecond. Each thread is woken once per call
    and then helps itself; woken for every task, as by `Executor.map`, they take longer
    (results/engine/README.md).

    Args:
        threads: how many, with the caller.
    """

    def __init__(self, threads: int) -> None:
        self._others = threads - 1
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def map(self, run: Callable[[Task], Any], tasks: Sequence[Task]) -> list:
        """Results of run(task), in the order of the tasks."""
        others = min(self._others, len(tasks) - 1)
        if self._pool is None or others < 1:
            return [run(task) for task in tasks]
        results: list = [None] * len(tasks)
        numbers = itertools.count()

        def work() -> None:
            while (number := next(numbers)) < len(tasks):
                results[number] = run(tasks[number])

        helpers = [self._pool.submit(work) for _ in range(others)]
        try:
            work()
        finally:
            wait(helpers)  # they write what the caller may use again
        for helper in helpers:
            helper.result()
        return results
