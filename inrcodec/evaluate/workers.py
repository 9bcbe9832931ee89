"""Tasks of a comparison, one after the other or several at a time, each in its own process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from inrcodec.batch import processes
from inrcodec.evaluate import measuring
from inrcodec.evaluate.measuring import Made, Task


def outcomes(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[Task, Callable[[], Made]]]:
    """Each task with a function that gives what came of it, as they are done.

    Args:
        tasks: what to do.
        jobs: how many at a time; they share the threads of this process.
    """
    return processes.outcomes(measuring.run, tasks, jobs)
