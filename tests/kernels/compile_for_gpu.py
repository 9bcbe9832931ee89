"""Compiles every kernel of the GPU engine for a GPU that need not be there.

    python compile_for_gpu.py CAPABILITY PRECISION TIER

The interpreter accepts what the compiler does not. Prints the name of each kernel, and how many
bytes of memory a thread of `rate` with gradients has for want of registers, as rate=BYTES.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.runtime import driver, jit

from inrcodec.fields.grid import FEATURE_GAIN, GridConfig, parameter_layout
from inrcodec.fit.presets import TIERS
from inrcodec.kernels import GridProblem, Optimisation, Step
from inrcodec.kernels.gpu import affine
from inrcodec.kernels.gpu.engine import GpuEngine
from inrcodec.kernels.gpu.exact import BOUND
from inrcodec.kernels.gpu.launches import Tuning


class AbsentGpu:
    """What the compiler asks a driver."""

    def __init__(self, capability: int) -> None:
        self._target = GPUTarget("cuda", capability, 32)

    def get_current_target(self) -> GPUTarget:
        return self._target

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: int | None = None) -> int:
        return 0


def problem_of(config: GridConfig) -> GridProblem:
    shapes = tuple((-(-64 >> i), -(-96 >> i)) for i in range(config.levels))
    layout = {name: shape for name, (_, shape) in parameter_layout(config, 3).items()}
    context = config.context
    return GridProblem(
        np.zeros((3, 64, 96), np.float32), 0, shapes, context.spatial, context.coarse, layout,
        config.taps, FEATURE_GAIN,
    )  # fmt: skip


def exact_affine() -> str:
    """The assembly of the exact affine layer."""
    found = affine.affine_kernel.warmup(
        *(torch.float64,) * 4, 64, 32, 1000, BOUND=BOUND, OUTPUTS=32, SAMPLES=64, num_warps=4,
        enable_fp_fusion=False, grid=(1, 1),
    )  # fmt: skip
    return found.asm["ptx"]


def stack_bytes(binary: bytes) -> int:
    """What a thread holds in memory for want of registers, as NVIDIA's tool reads it."""
    tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "kernel.cubin"
        source.write_bytes(binary)
        run = subprocess.run(
            [tool, "-res-usage", source], capture_output=True, text=True, check=True
        )
    return int(re.search(r"STACK:(\d+)", run.stdout)[1])


def main() -> None:
    driver.set_active(AbsentGpu(int(sys.argv[1])))
    launch = jit.JITFunction.run
    compiled, rates = set(), []

    def compile_only(
        self: jit.JITFunction, *args: object, grid: object, **options: object
    ) -> object:
        found = launch(self, *args, grid=grid, **(options | {"warmup": True}))
        compiled.add(self.fn.__name__)
        if options.get("GRADIENTS") and not options["ATOMIC"]:
            rates.append(found.asm["cubin"])
        return found

    jit.JITFunction.run = compile_only
    problem = problem_of(TIERS[sys.argv[3]])
    engine = GpuEngine(problem, "cpu", Tuning(processors=16, precision=sys.argv[2]))
    settings = Optimisation(1e-3, 0.5, 0.1, problem.layout)
    training = engine.training(np.zeros(problem.parameter_count), settings)
    list(training.run([Step(0.5, 0.3, 1, 0.1, 0.1)]))
    sizes = problem.latent_count, problem.parameter_count
    zeros = [engine.vector(np.zeros(size)) for size in sizes]
    engine.evaluate(*zeros)
    compiled.add(f"rate={stack_bytes(rates[0])}")
    engine.launches.give_up_rows()
    engine.loss(*zeros, 1e-3)
    unfused = exact_affine()
    if "fma" in unfused or "mul.rn.f64" not in unfused or "add.rn.f64" not in unfused:
        raise SystemExit("the exact affine layer is not what it was written to be:\n" + unfused)
    sys.stdout.write("\n".join(sorted(compiled)) + "\n")


if __name__ == "__main__":
    main()
