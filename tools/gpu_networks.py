"""What `tools/gpu_check` measures of coordinate networks, exact renders and encodes at once."""

from __future__ import annotations

import argparse
import importlib
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from inrcodec import codec
from inrcodec.batch import streams
from inrcodec.fields import family_of
from inrcodec.fields.grid import GROUPS, GridConfig, GridField, level_shapes, parameter_layout
from inrcodec.fields.network import NetworkField, flat
from inrcodec.fit import EncodeOptions
from inrcodec.fit.descent import NetworkFit, Schedule
from inrcodec.fit.network import make_problem
from inrcodec.grid import Grid
from inrcodec.kernels.gpu.network import TUNINGS, GpuNetworkEngine
from inrcodec.kernels.network import NetworkProblem
from inrcodec.kernels.reference_network import TORCH, ReferenceNetworkEngine
from inrcodec.progress import Reporter
from inrcodec.remedies import NetworkStart
from inrcodec.signal import image_signal

DEVICE = "cuda"
SIREN = {"hidden_features": 256, "hidden_layers": 3}
SIZE = (512, 512)
FIT_STEPS = 300
BATCHES = (1, 4, 16, 64)
LARGE = (2832, 4240)


def picture(height: int, width: int) -> np.ndarray:
    """[height, width, 3] uint8: waves and a little noise."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 90 * np.sin(x / 23 + k) * np.cos(y / 17 - k) for k in range(3)]
    noise = np.random.default_rng(0).normal(0, 4, (height, width, 3))
    return np.clip(np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)


def siren() -> tuple[NetworkStart, dict, NetworkProblem, np.ndarray]:
    """(start, layout, problem, parameters) of a sine network on a picture."""
    signal = image_signal(picture(*SIZE))
    module = importlib.import_module(family_of("siren").part.fit_module)
    start = module.start_of(signal, EncodeOptions(field="siren", network=SIREN))
    layout, problem = make_problem(signal, start)
    return start, layout, problem, flat(layout, start.theta)


def networks(options: argparse.Namespace, clock: Any) -> dict:
    """Times of a step of all samples, and what a fit comes to in each precision."""
    start, layout, problem, theta = siren()
    found: dict[str, Any] = {"network": SIREN, "samples": problem.pixels}
    rows = []
    for name, action in steps_of(problem, theta):
        if clock.left < 60:
            found["incomplete"] = "no time was left"
            break
        torch.cuda.reset_peak_memory_stats()
        try:
            row = {"step": name, "ms": mean_ms(action)}
        except Exception as error:  # a compiler that is missing says so in many ways
            row = {"step": name, "error": str(error)[:200]}
        rows.append(row | {"peak_megabytes": torch.cuda.max_memory_allocated() / 1e6})
    fits = []
    for name in ("gpu", "gpu-tf32", "gpu-bf16"):
        if clock.left < 30:
            found["incomplete"] = "no time was left"
            break
        engine = GpuNetworkEngine(problem, DEVICE, TUNINGS[name])
        fitted = EncodeOptions(field="siren", device=DEVICE)
        fit = NetworkFit(problem, engine, start, layout, fitted, Schedule())
        begun = time.perf_counter()
        fit.run(FIT_STEPS, Reporter())
        taken = time.perf_counter() - begun
        psnr_db = -10 * math.log10(start.error_scale * engine.error(fit.theta))
        fits.append({"engine": name, "fit_step_ms": 1e3 * taken / FIT_STEPS, "psnr_db": psnr_db})
    return found | {"rows": rows, "fits": fits}


def steps_of(
    problem: NetworkProblem, theta: np.ndarray
) -> Iterator[tuple[str, Callable[[], object]]]:
    """(name, what does a step): loss and gradient of all samples, and Adam where torch does it."""
    reference = ReferenceNetworkEngine(problem, DEVICE)
    (part,) = problem.samples
    coords, target = (torch.from_numpy(a).to(DEVICE) for a in (part.coords, part.target))

    def loss(parameters: torch.Tensor) -> torch.Tensor:
        values = problem.function(TORCH, reference._named(parameters), coords)
        return (values - target).square().mean()

    for name, function in (("eager", loss), ("torch.compile", torch.compile(loss))):
        parameters = torch.tensor(theta, dtype=torch.float32, device=DEVICE, requires_grad=True)
        adam = torch.optim.Adam([parameters], 1e-5)

        def step(
            function: Callable = function,
            adam: torch.optim.Adam = adam,
            parameters: torch.Tensor = parameters,
        ) -> None:
            adam.zero_grad()
            function(parameters).backward()
            adam.step()

        yield f"{name}, Adam", step
    yield "engine reference", lambda: reference.loss(theta)
    for name, tuning in TUNINGS.items():
        engine = GpuNetworkEngine(problem, DEVICE, tuning)
        yield f"engine {name}", lambda engine=engine: engine.loss(theta)


def mean_ms(action: Callable[[], object], count: int = 30) -> float:
    for _ in range(3):
        action()
    torch.cuda.synchronize()
    begun = time.perf_counter()
    for _ in range(count):
        action()
    torch.cuda.synchronize()
    return 1e3 * (time.perf_counter() - begun) / count


def rendering(options: argparse.Namespace, clock: Any) -> dict:
    """Exact renders on the CPU and on the GPU, and whether they are the same."""
    _, layout, _, theta = siren()
    rows = []
    for name, field, grid in (
        ("grid, 12 megapixels", random_grid(*LARGE), Grid.of(*LARGE)),
        ("siren 3x256, 512x512", rounded(layout, theta), Grid.of(*SIZE)),
    ):
        values, row = {}, {"render": name}
        for device in ("cpu", DEVICE) * 2:  # the second times count
            field.device = device
            begun = time.perf_counter()
            values[device] = field.render(grid)
            row[f"{device}_seconds"] = time.perf_counter() - begun
        rows.append(row | {"same": bool(np.array_equal(values["cpu"], values[DEVICE]))})
    return {"rows": rows, "passed": all(row["same"] for row in rows)}


def random_grid(height: int, width: int) -> GridField:
    config, rng = GridConfig(), np.random.default_rng(0)
    theta = {
        name: np.rint(rng.normal(size=shape) * 200 / np.sqrt(shape[-1])).astype(np.int64)
        for name, (_, shape) in parameter_layout(config, 3).items()
    }
    latents = [
        np.rint(rng.laplace(size=s) * 2).astype(np.int32)
        for s in level_shapes(config, height, width)
    ]
    return GridField(config, (height, width, 3), dict.fromkeys(GROUPS, 8), theta, latents)


def rounded(layout: dict, theta: np.ndarray) -> NetworkField:
    """The network with weights in multiples of 2**-12."""
    start, *_ = siren()
    ends = np.cumsum([math.prod(shape) for _, shape in layout.values()])
    parts = np.split(np.rint(theta * 4096).astype(np.int64), ends[:-1])
    theta_hat = {
        name: part.reshape(shape)
        for (name, (_, shape)), part in zip(layout.items(), parts, strict=True)
    }
    steps = {group: 12 for group, _ in layout.values()}
    return start.family(start.config, (2, 3), "image", steps, theta_hat)


def batch(options: argparse.Namespace, clock: Any) -> dict:
    """Pictures per minute, one to many at a time."""
    rows: list[dict[str, float]] = []
    pictures = [
        image_signal(np.roll(picture(512, 768), 37 * i, axis=1)) for i in range(max(BATCHES))
    ]

    def encode(index: int, check: Callable[[], None]) -> int:
        asked = EncodeOptions(effort=options.batch_effort, device=DEVICE)
        check()
        return len(codec.encode(pictures[index], asked).data)

    for at_once in BATCHES:
        # At worst so many take as long as one after the other at the best rate so far.
        if rows and clock.left < 60 * at_once / max(row["per_minute"] for row in rows):
            return {"effort": options.batch_effort, "rows": rows, "incomplete": "no time was left"}
        begun = time.perf_counter()
        sizes = [
            outcome() for _, outcome in streams.outcomes(encode, range(at_once), at_once, DEVICE)
        ]
        taken = time.perf_counter() - begun
        rows.append(
            {
                "at_once": at_once,
                "seconds": taken,
                "per_minute": 60 * at_once / taken,
                "mean_bytes": float(np.mean(sizes)),
            }
        )
    return {"effort": options.batch_effort, "rows": rows}
