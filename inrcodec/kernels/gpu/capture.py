"""Recording what a device does as a CUDA graph, while other threads use the device."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import torch

_WARMUP_RUNS = 3  # so many does torch's own recipe run before it captures
# A recording begins with waiting for the whole device, which nobody may while another records.
_LOCK = threading.Lock()
_OWN = threading.local()


@contextlib.contextmanager
def recorded(graph: torch.cuda.CUDAGraph, pool: object = None) -> Iterator[None]:
    """Records what this thread launches; one thread at a time, the others go on."""
    stream = _recording_stream(torch.cuda.current_device())
    with (
        _LOCK,
        torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"),
    ):
        yield


def _recording_stream(device: int) -> torch.cuda.Stream:
    """This thread's stream for recordings on a device.

    torch hands out the same 32 streams of a priority again and again. Of another priority than
    those that threads work on, none is ever recorded from while somebody else works on it. And a
    thread has its own, because torch's memory for matrix products is that of a stream: two graphs
    recorded on one could not be replayed at the same time. More than 32 threads share.
    """
    streams = _OWN.__dict__.setdefault("streams", {})
    if device not in streams:
        streams[device] = torch.cuda.Stream(device, priority=-1)
    return streams[device]


def warmed_up(work: Callable[[], object]) -> None:
    """Does the work a few times on a stream of its own, as libraries want it before a recording."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(_WARMUP_RUNS):
            work()
    torch.cuda.current_stream().wait_stream(aside)
