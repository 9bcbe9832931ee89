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
    stream = _own_stream("recording", torch.cuda.current_device())
    with (
        _LOCK,
        torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"),
    ):
        yield


@contextlib.contextmanager
def forked(device: torch.device) -> Iterator[Callable[[], object]]:
    """In a recording, lets what is launched inside run beside what is launched after it.

    Elsewhere everything runs in its order. Yields what lets all that follows wait again.
    """
    if device.type == "cpu" or not torch.cuda.is_current_stream_capturing():
        yield lambda: None
        return
    stream = torch.cuda.current_stream()
    side = _own_stream("side", torch.cuda.current_device())
    side.wait_stream(stream)
    with torch.cuda.stream(side):
        yield lambda: stream.wait_stream(side)


def _own_stream(purpose: str, device: int) -> torch.cuda.Stream:
    """This thread's stream for recordings on a device, or for what they do beside.

    torch hands out the same 32 streams of a priority again and again. Of another priority than
    those that threads work on, none is ever recorded from while somebody else works on it. And a
    thread has its own, because torch's memory for matrix products is that of a stream: two graphs
    recorded on one could not be replayed at the same time. More than 32 threads share.
    """
    streams = _OWN.__dict__.setdefault("streams", {})
    if (purpose, device) not in streams:
        streams[purpose, device] = torch.cuda.Stream(device, priority=-1)
    return streams[purpose, device]


def warmed_up(work: Callable[[], object]) -> None:
    """Does the work a few times on a stream of its own, as libraries want it before a recording."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(_WARMUP_RUNS):
            work()
    torch.cuda.current_stream().wait_stream(aside)
