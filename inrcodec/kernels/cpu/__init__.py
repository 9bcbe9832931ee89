"""The CPU engine: fused, tiled, compiled by numba. `engine` is the way in."""

from inrcodec.kernels.cpu.engine import CpuEngine, prepare

__all__ = ["CpuEngine", "prepare"]
