"""The kernels of the GPU engine compile for the GPUs it is meant for, also where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip(
    "triton", reason="there is no triton; `pip install triton`, which needs no GPU, to test it"
)

KERNELS = {
    "adam", "add_programs", "affine_kernel", "along", "collect", "layer", "layer_adjoint", "pad",
    "perturb", "rate", "soap", "synthesis", "synthesis_adjoint",
}  # fmt: skip
# Bytes of a thread of `rate`. 0 to 496 were measured, the least by Triton 3.6; with blocks of 128
# latents it was 1,080 and more.
LARGEST_STACK = 640


@pytest.mark.slow
@pytest.mark.parametrize(
    ("capability", "precision", "tier"),
    [
        pytest.param("75", "ieee", "small", marks=pytest.mark.long),
        pytest.param("80", "tf32x3", "small", marks=pytest.mark.long),
        pytest.param("90", "tf32x3", "tiny", marks=pytest.mark.long),
        ("90", "tf32x3", "medium"),
        pytest.param("90", "tf32x3", "large", marks=pytest.mark.long),
    ],
)
def test_kernels_compile_for_a_gpu_that_is_not_there(
    capability: str, precision: str, tier: str, tmp_path: Path
) -> None:
    script = Path(__file__).with_name("compile_for_gpu.py")
    root = Path(__file__).parents[2]
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    environment |= {"PYTHONPATH": str(root), "TRITON_CACHE_DIR": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, str(script), capability, precision, tier],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    (stack,) = (word for word in run.stdout.split() if word.startswith("rate="))
    without_layers = {"layer", "layer_adjoint"} if tier == "tiny" else set()
    assert set(run.stdout.split()) - {stack} == KERNELS - without_layers
    assert int(stack.removeprefix("rate=")) <= LARGEST_STACK
