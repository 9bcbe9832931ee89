"""What `tools/gpu_check` measures of coordinate networks, exact renders and encodes at once."""

from __future__ import annotations

import argparse
import importlib
import math
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from sections import Clock, rows_of

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
LEFT_OUT = {"left_out": "no time was left"}


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


def networks(options: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    """Times of a gradient by all samples and of a step with it, and what a fit comes to."""
    start, layout, problem, theta = siren()

    def of_torch(compiled: bool) -> dict:
        loss = loss_of(problem)
        function = torch.compile(loss) if compiled else loss
        parameters = torch.tensor(theta, dtype=torch.float32, device=DEVICE, requires_grad=True)
        adam = torch.optim.Adam([parameters], 1e-5)

        def gradient() -> None:
            adam.zero_grad()
            function(parameters).backward()

        def step() -> None:
            gradient()
            adam.step()

        return {"gradient_ms": mean_ms(gradient), "step_ms": mean_ms(step)}

    def of_engine(name: str) -> dict:
        engine = (
            ReferenceNetworkEngine(problem, DEVICE)
            if name == "reference"
            else GpuNetworkEngine(problem, DEVICE, TUNINGS[name])
        )
        gradient_ms = mean_ms(lambda: engine.loss(theta))
        # Plain Adam by steps of all samples, as torch does above, on the host.
        schedule = Schedule(batch=problem.pixels, precondition=False)
        fitted = EncodeOptions(field="siren", device=DEVICE)
        fit = NetworkFit(problem, engine, start, layout, fitted, schedule)
        begun = time.perf_counter()
        fit.run(FIT_STEPS, Reporter())
        taken = time.perf_counter() - begun
        psnr_db = -10 * math.log10(start.error_scale * engine.error(fit.theta))
        return {
            "gradient_ms": gradient_ms,
            "step_ms": 1e3 * taken / FIT_STEPS,
            "psnr_db": psnr_db,
        }

    def measured(action: Callable[[], dict]) -> dict:
        torch.cuda.reset_peak_memory_stats()
        return action() | {"peak_megabytes": torch.cuda.max_memory_allocated() / 1e6}

    makers = {
        "eager, Adam": partial(of_torch, False),
        "torch.compile, Adam": partial(of_torch, True),
        **{f"engine {name}": partial(of_engine, name) for name in ("reference", *TUNINGS)},
    }
    actions = (({"by": name}, partial(measured, maker)) for name, maker in makers.items())
    for found in rows_of(actions, clock, 25):
        yield {"network": SIREN, "samples": problem.pixels} | found


def loss_of(problem: NetworkProblem) -> Callable[[torch.Tensor], torch.Tensor]:
    """The mean squared error of all samples by flat parameters, as torch computes it."""
    reference = ReferenceNetworkEngine(problem, DEVICE)
    (part,) = problem.samples
    coords, target = (torch.from_numpy(a).to(DEVICE) for a in (part.coords, part.target))

    def loss(parameters: torch.Tensor) -> torch.Tensor:
        values = problem.function(TORCH, reference._named(parameters), coords)
        return (values - target).square().mean()

    return loss


def mean_ms(action: Callable[[], object], count: int = 30) -> float:
    for _ in range(3):
        action()
    torch.cuda.synchronize()
    begun = time.perf_counter()
    for _ in range(count):
        action()
    torch.cuda.synchronize()
    return 1e3 * (time.perf_counter() - begun) / count


def rendering(options: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    """Exact renders on the CPU and on the GPU, and whether they are the same."""
    _, layout, _, theta = siren()

    def row(field: GridField | NetworkField, grid: Grid) -> dict:
        values, found = {}, {}
        for device in ("cpu", DEVICE) * 2:  # the second times count
            field.device = device
            begun = time.perf_counter()
            values[device] = field.render(grid)
            found[f"{device}_seconds"] = time.perf_counter() - begun
        if not np.array_equal(values["cpu"], values[DEVICE]):
            raise ArithmeticError("the GPU renders other values than the CPU")
        return found

    actions = (
        ({"render": name}, partial(row, field, grid))
        for name, field, grid in (
            ("siren 3x256, 512x512", rounded(layout, theta), Grid.of(*SIZE)),
            ("grid, 12 megapixels", random_grid(*LARGE), Grid.of(*LARGE)),
        )
    )
    yield from rows_of(actions, clock, 15)


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


def batch(options: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    """Pictures per minute, one to many at a time, kernels compiled before."""
    from inrcodec import codec
    from inrcodec.batch import streams

    pictures = [
        image_signal(np.roll(picture(512, 768), 37 * i, axis=1)) for i in range(max(BATCHES))
    ]

    def encode(index: int, check: Callable[[], None]) -> bytes:
        check()
        asked = EncodeOptions(effort=options.batch_effort, device=DEVICE)
        return codec.encode(pictures[index], asked).data

    def row(at_once: int) -> dict:
        begun = time.perf_counter()
        outcomes = list(streams.outcomes(encode, range(at_once), at_once, DEVICE))
        taken = time.perf_counter() - begun
        files = {index: outcome() for index, outcome in outcomes}
        if files[0] != alone:
            raise ArithmeticError(f"beside {at_once - 1} others a picture gives another file")
        best.append(60 * at_once / taken)
        return {
            "seconds": taken,
            "per_minute": best[-1],
            "mean_bytes": float(np.mean([len(data) for data in files.values()])),
        }

    def actions() -> Iterator[tuple[dict, Callable[[], dict]]]:
        for at_once in BATCHES:
            # At worst so many take as long as one after the other at the best rate so far.
            enough = not best or clock.left > 60 * at_once / max(best)
            yield {"at_once": at_once}, partial(row, at_once) if enough else lambda: LEFT_OUT

    best: list[float] = []
    alone = encode(0, lambda: None)
    for found in rows_of(actions(), clock, 15):
        yield {"effort": options.batch_effort} | found
