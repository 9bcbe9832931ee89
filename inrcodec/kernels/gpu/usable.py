"""Whether the Triton kernels run on a device; asked before anything of Triton is imported."""

from __future__ import annotations

import importlib.util
import os

LEAST_CAPABILITY = (7, 0)  # the first that Triton's compiler knows
# Tuples and constants as globals of kernels; torch brings a newer one since 2.6.
LEAST_TRITON = (3, 2)


def interpreted() -> bool:
    """Whether Triton interprets kernels on the CPU in this process."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def unusable(device: str) -> str | None:
    """Why the kernels do not run on a device, or None if they do.

    Args:
        device: what `runtime.resolve_device` returns.
    """
    if importlib.util.find_spec("triton") is None:
        return "there is no triton; install it with `pip install triton`"
    import triton

    version = tuple(int(part) for part in triton.__version__.split(".")[:2])
    if version < LEAST_TRITON:
        least = ".".join(map(str, LEAST_TRITON))
        return f"triton is {triton.__version__}, expected {least} or newer"
    if interpreted():
        return None
    if device == "cpu":
        return "the device is the CPU; set TRITON_INTERPRET=1 to run its kernels there, slowly"
    import torch

    if torch.version.cuda is None:
        return "torch is not built for CUDA (its kernels are not tested on ROCm)"
    capability = torch.cuda.get_device_capability(device)
    if capability < LEAST_CAPABILITY:
        found, least = (".".join(map(str, c)) for c in (capability, LEAST_CAPABILITY))
        return f"{torch.cuda.get_device_name(device)} has capability {found}, expected {least}"
    return None
