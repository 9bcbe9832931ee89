"""Recording what a device does as a CUDA graph, while other threads use the device."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import torch

_WARMUP_RUNS = 3  # so many does torch's own recipe run before it captures
# A recording begins with waiting for the whole device, which nobody may while another records.
_LOCK = threading.Lock()


@contextlib.contextmanager
def recorded(graph: torch.cuda.CUDAGraph, pool: object = None) -> Iterator[None]:
    """Records what this thread launches; one thread at a time, the others go on."""
    with _LOCK, torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
        yield


def warmed_up(work: Callable[[], object]) -> None:
    """Does the work a few times on a stream of its own, as libraries want it before a recording."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(_WARMUP_RUNS):
            work()
    torch.cuda.current_stream().wait_stream(aside)
