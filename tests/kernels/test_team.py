"""Threads that share tasks: each task once, results in order, failures after all are done."""

import threading

import pytest

from inrcodec.kernels.cpu.team import Team


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 300])
def test_each_task_runs_once_and_results_keep_their_order(threads: int, count: int) -> None:
    ran: list[int] = []

    def run(task: int) -> int:
        ran.append(task)
        return task * task

    team = Team(threads)
    for _ in range(3):
        ran.clear()
        assert team.map(run, range(count)) == [task * task for task in range(count)]
        assert sorted(ran) == list(range(count))


def test_threads_work_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=20)
    assert len(set(Team(3).map(lambda _: together.wait(), range(3)))) == 3


@pytest.mark.parametrize("of_caller", [True, False])
def test_a_failure_is_the_caller_s_once_nobody_works_any_more(of_caller: bool) -> None:
    caller, begun, busy = threading.get_ident(), threading.Barrier(2, timeout=20), [0]
    ended = threading.Event()

    def run(_: int) -> None:
        begun.wait()
        if (threading.get_ident() == caller) == of_caller:
            ended.set()
            raise ValueError("broken")
        busy[0] += 1
        ended.wait(20)
        busy[0] -= 1

    with pytest.raises(ValueError, match="broken"):
        Team(2).map(run, range(2))
    assert busy == [0]
