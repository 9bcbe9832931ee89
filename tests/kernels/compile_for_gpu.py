"""Compiles every kernel of the GPU engine for a GPU that need not be there.

    python compile_for_gpu.py CAPABILITY PRECISION TIER

The interpreter accepts what the compiler does not. Prints the name of each kernel.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
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


def main() -> None:
    driver.set_active(AbsentGpu(int(sys.argv[1])))
    launch = jit.JITFunction.run
    compiled = set()

    def compile_only(
        self: jit.JITFunction, *args: object, grid: object, **options: object
    ) -> object:
        compiled.add(self.fn.__name__)
        return launch(self, *args, grid=grid, **(options | {"warmup": True}))

    jit.JITFunction.run = compile_only
    problem = problem_of(TIERS[sys.argv[3]])
    engine = GpuEngine(problem, "cpu", Tuning(programs=64, precision=sys.argv[2]))
    settings = Optimisation(1e-3, 0.5, 0.1, problem.layout)
    training = engine.training(np.zeros(problem.parameter_count), settings)
    list(training.run([Step(0.5, 0.3, 1, 0.1, 0.1)]))
    engine.evaluate(*map(engine.vector, map(np.zeros, (problem.latent_count, len(training.theta)))))
    unfused = exact_affine()
    if "fma" in unfused or "mul.rn.f64" not in unfused or "add.rn.f64" not in unfused:
        raise SystemExit("the exact affine layer is not what it was written to be:\n" + unfused)
    sys.stdout.write("\n".join(sorted(compiled)) + "\n")


if __name__ == "__main__":
    main()
