"""The sections of `tools/gpu_check`, which runs this file once for each of them."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.metadata
import importlib.util
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from gpu_networks import batch, networks, picture, rendering
from measuring import machine as computer
from sections import Clock, attempted, rows_of, said, serve

from inrcodec.evaluate.bd import bd_rate_percent
from inrcodec.fields.grid import GridConfig, macs_per_sample
from inrcodec.fit import EncodeOptions
from inrcodec.fit.grid import Schedule, make_problem, target_of
from inrcodec.fit.presets import DEFAULT_LMBDA, choose_config
from inrcodec.fit.start import random_theta
from inrcodec.kernels import GridProblem, Optimisation, Step
from inrcodec.signal import image_signal

ROOT = Path(__file__).resolve().parents[1]
CONFIG = GridConfig()
SIZES = ((256, 384), (512, 768), (816, 1224), (1416, 2120), (2832, 4240))
LMBDAS = (2e-2, 4e-3, 1e-3, 2e-4)
PHOTO = ROOT / "tools" / "demo_photo" / "coffee.png"
CROP = (256, 384)
KODAK = (512, 768)
EFFORT = 9
GPU_TESTS = (
    "test_gpu_engine.py", "test_gpu_choice.py", "test_engine_choice.py", "test_gpu_network.py",
)  # fmt: skip
WORKERS = 8  # of tests: most of their time is compiling
# Latents, both moments and their gradient's input: read and written once; the target, read once.
LATENT_BYTES, TARGET_BYTES = 6 * 4, 3 * 4
# What a program's results depend on, or what it cannot do without.
PACKAGES = (
    "torch", "triton", "numpy", "numba", "llvmlite", "constriction", "pillow", "imageio", "pytest",
    "pytest-xdist",
)  # fmt: skip


def machine(options: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    """The device, versions, and whether the engine works here at all."""
    found = {
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "computer": computer(),
        "cuda": torch.version.cuda,
    }
    yield found
    if not torch.cuda.is_available():
        raise RuntimeError("torch finds no CUDA device")
    device = torch.cuda.get_device_properties(0)
    found |= {
        "device": device.name,
        "processors": device.multi_processor_count,
        "gigabytes": device.total_memory / 1e9,
        "capability": f"{device.major}.{device.minor}",
        "compiled_for": torch.cuda.get_arch_list(),
    }
    yield found
    from inrcodec.kernels.gpu.usable import unusable

    reason = unusable("cuda")
    if reason is not None:
        raise RuntimeError(reason)
    try:
        importlib.import_module("numba")
    except ImportError as error:
        found["numba"] = said(error)
    torch.zeros(1, device="cuda").add_(1).item()
    yield found


def version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def problem_of(height: int, width: int) -> GridProblem:
    return make_problem(image_signal(picture(height, width)), CONFIG)


def steps_of(count: int) -> list[Step]:
    schedule = Schedule()
    planned = (schedule.at(i / count) for i in range(count))
    return [
        Step(t, sigma, i, schedule.latent_rate * share, schedule.network_rate * share)
        for i, (share, t, sigma) in enumerate(planned)
    ]


def seconds_of(problem: GridProblem, count: int, **tuning: object) -> float:
    """Wall time of a training of so many steps, kernels compiled before."""
    from inrcodec.kernels.gpu.engine import GpuEngine
    from inrcodec.kernels.gpu.launches import Tuning

    device = torch.device("cuda")
    engine = GpuEngine(problem, "cuda", replace(Tuning.of(device), **tuning))
    theta = random_theta(CONFIG, problem.target.mean(axis=(1, 2)), 0)
    training = engine.training(theta, Optimisation(1e-3, 0.5, 0.1, problem.layout))
    list(training.run(steps_of(2)))
    torch.cuda.synchronize()
    begun = time.perf_counter()
    losses = list(training.run(steps_of(count)))
    torch.cuda.synchronize()
    if not np.isfinite(losses[-1].bits):
        raise ArithmeticError(f"the loss after {count} steps is not finite")
    return time.perf_counter() - begun


def step_ms(problem: GridProblem, count: int = 300, **tuning: object) -> float:
    """Milliseconds per step: what more steps cost."""
    few = seconds_of(problem, 10, **tuning)
    return 1e3 * (seconds_of(problem, 10 + count, **tuning) - few) / count


def best_ms(action: Callable[[], object], repeats: int = 10) -> float:
    times = []
    for _ in range(repeats):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        action()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return min(times)


def tests(options: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    files = [ROOT / "tests" / "kernels" / name for name in GPU_TESTS]
    yield tested(files, Path(options.output, "tests.txt"), clock)


def decodes(options: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    names = ("conformance/test_corpus.py", "kernels/test_gpu_decode.py")
    files = [ROOT / "tests" / name for name in names]
    yield tested(files, Path(options.output, "decodes.txt"), clock)


def tested(files: list[Path], log: Path, clock: Clock) -> dict:
    """What pytest says of files; a line for each test is in the log, also of those cut short."""
    command = [sys.executable, "-m", "pytest", "-v", "--tb=short", "-p", "no:cacheprovider"]
    if importlib.util.find_spec("xdist") is not None:
        command += ["-n", str(WORKERS)]
    with log.open("w") as out:
        running = subprocess.Popen(
            [*command, *map(str, files)], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            running.wait(max(1.0, clock.left - 10))
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGINT)  # it still prints what failed until then
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(5)
            running.kill()
            running.wait()
    lines = log.read_text(errors="replace").splitlines()
    return {
        "passed": running.returncode == 0,
        "summary": [line.strip("= ") for line in lines if line.strip()][-1:],
        "failed": [line for line in lines if line.startswith(("FAILED ", "ERROR "))][:40],
    }


def ceilings(options: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    source = torch.rand(1 << 28, device="cuda")
    target = torch.empty_like(source)
    copy_ms = best_ms(lambda: target.copy_(source))
    found = {"copy_gb_per_second": 2e-6 * source.numel() * 4 / copy_ms}
    yield found
    a, b = torch.rand(2, 8192, 8192, device="cuda")
    for name, allowed in (("float32", False), ("tf32", True)):
        torch.backends.cuda.matmul.allow_tf32 = allowed
        torch.mm(a, b)
        found[f"{name}_tflops"] = 2e-9 * 8192**3 / best_ms(lambda: torch.mm(a, b))
        yield found


def floor_of(problem: GridProblem, ceiling: dict) -> dict:
    """The times that no step can beat, by operations and by bytes; less without ceilings."""
    flop = 6 * macs_per_sample(CONFIG, 3) * problem.pixels
    moved = LATENT_BYTES * problem.latent_count + TARGET_BYTES * problem.pixels
    found = {"gflop": flop / 1e9}
    if "float32_tflops" in ceiling:
        found["floor_float32_ms"] = flop / ceiling["float32_tflops"] / 1e9
    if "copy_gb_per_second" in ceiling:
        found["floor_bytes_ms"] = moved / ceiling["copy_gb_per_second"] / 1e6
    return found


def floor_ms(floor: dict) -> float:
    """The larger of those times; nan where there are none."""
    return max((ms for name, ms in floor.items() if name.endswith("_ms")), default=float("nan"))


def step(options: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    problem = problem_of(*KODAK)
    floor = floor_of(problem, options.ceilings)
    found = {"macs_per_sample": macs_per_sample(CONFIG, 3), **floor}
    yield found
    measured = step_ms(problem, 1000)
    found |= {
        "step_ms": measured,
        "share_of_floor_percent": 100 * floor_ms(floor) / measured,
        "passed": measured <= options.step_ms,
    }
    yield found
    yield found | attempted({}, lambda: {"kernels_us": kernel_times(problem)})


def kernel_times(problem: GridProblem) -> dict[str, float]:
    """Mean microseconds per step in each kernel, by torch's profiler."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        seconds_of(problem, 100)
    # Two more steps compile the kernels; two and one of them run outside of graphs.
    times = {event.key: event.device_time_total / 102 for event in profiled.key_averages()}
    ours = {name: us for name, us in times.items() if us >= 0.1}
    return dict(sorted(ours.items(), key=lambda item: -item[1])[:24])


def training(options: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    taken = seconds_of(problem_of(*KODAK), 10_000)
    yield {
        "steps": 10_000,
        "seconds_of_steps": taken,
        "passed": taken <= options.training_seconds,
    }


def sizes(options: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    def row(height: int, width: int) -> dict:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        problem = problem_of(height, width)
        floor = floor_of(problem, options.ceilings)
        measured = step_ms(problem, 200 if height < 1500 else 50)
        return {
            "step_ms": measured,
            "gflops": floor["gflop"] / measured * 1e3,
            "floor_ms": floor_ms(floor),
            "peak_megabytes": torch.cuda.max_memory_allocated() / 1e6,
        }

    actions = (
        (
            {"megapixels": height * width / 1e6, "width": width, "height": height},
            partial(row, height, width),
        )
        for height, width in SIZES
    )
    yield from rows_of(actions, clock, 15)


def tuning(options: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    problem = problem_of(*KODAK)
    actions = (
        (
            {"tuning": " ".join(f"{key}={value}" for key, value in changes.items()) or "default"},
            lambda changes=changes: {"step_ms": step_ms(problem, **changes)},
        )
        for changes in variants()
    )
    yield from rows_of(actions, clock, 15)


def variants() -> Iterator[dict]:
    """Changes of the default tuning, those that promise most first."""
    yield {}
    yield {"rate_warps": 8}
    for heavy in (16, 24):
        yield {"heavy_warps": heavy}
    for light in (8, 24, 32):
        yield {"light_warps": light}
    for block, warps in ((128, 4), (128, 8), (64, 8), (64, 2), (32, 1)):
        yield {"pixel_block": block, "pixel_warps": warps}
        yield {"rate_block": block, "rate_warps": warps}
    for precision in ("ieee", "tf32"):
        yield {"precision": precision}
    yield {"vector_block": 2048}


def effort9(options: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    """Encodes a picture as small as it gets, kernels compiled before."""
    from inrcodec import codec
    from inrcodec.kernels.gpu.engine import GpuEngine

    name, samples = next(whole_pictures(options.images))
    signal_ = image_signal(samples)
    target = target_of(signal_)
    config = choose_config(target, DEFAULT_LMBDA["image"], EFFORT)
    problem = make_problem(signal_, config)
    engine = GpuEngine(problem)
    settings = Optimisation(1e-3, 0.5, 0.1, problem.layout)
    warm = engine.training(random_theta(config, target.mean(axis=(1, 2)), 0), settings)
    list(warm.run(steps_of(2)))
    engine.maps(warm.latents, engine.vector(warm.theta))
    yield {"picture": name}
    begun = time.perf_counter()
    result = codec.encode(signal_, EncodeOptions(effort=EFFORT, device="cuda"))
    taken = time.perf_counter() - begun
    yield {
        "picture": name,
        "height": samples.shape[0],
        "width": samples.shape[1],
        "seconds_of_encode": taken,
        "rate_bpp": result.rate_bpp,
        "psnr_db": result.psnr_db,
        "passed": taken <= options.effort9_seconds,
    }


def rd(options: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    def row(samples: np.ndarray) -> dict:
        begun = time.perf_counter()
        curves = {
            engine: [point(samples, lmbda, engine, options.effort) for lmbda in LMBDAS]
            for engine in ("gpu", "cpu")
        }
        percent, _ = bd_rate_percent(curves["cpu"], curves["gpu"])
        seconds.append(time.perf_counter() - begun)
        return {"bd_rate_percent": percent, "seconds": seconds[-1]} | curves

    seconds: list[float] = []
    found: dict = {"effort": options.effort}
    rows: list[dict] = []
    for name, samples in pictures(options.images):
        if clock.left < 1.3 * max(seconds, default=0.0):
            found["incomplete"] = "no time was left"
            break
        rows.append(attempted({"picture": name}, partial(row, samples)))
        yield found | {"rows": rows}
    percents = [row["bd_rate_percent"] for row in rows if "error" not in row]
    if not percents:
        raise RuntimeError("no picture has a curve of both engines")
    mean = float(np.mean(percents))
    passed = mean <= 0.5 and len(percents) == len(rows)
    yield found | {"rows": rows, "mean_percent": mean, "passed": passed}


def tables(options: argparse.Namespace, clock: Clock) -> Iterator[dict]:
    """Tables of papers by tools/reproduce, which goes on with what a folder has of them."""

    def row(name: str) -> dict:
        command = [sys.executable, str(ROOT / "tools" / "reproduce"), name, "--device", "cuda"]
        command += ["--data", str(options.data), "-o", str(options.output)]
        try:
            run = subprocess.run(command, timeout=max(1.0, clock.left - 5))
        except subprocess.TimeoutExpired:
            return {"finished": "no"}
        if run.returncode != 0:
            raise RuntimeError(f"tools/reproduce ended with exit code {run.returncode}")
        return {"finished": "yes"}

    actions = (({"table": name}, partial(row, name)) for name in options.tables)
    yield from rows_of(actions, clock, 20)


def whole_pictures(paths: list[str]) -> Iterator[tuple[str, np.ndarray]]:
    """(name, [height, width, 3] uint8) of each file, or of waves as large as Kodak's."""
    from PIL import Image

    for path in map(Path, paths):
        yield path.name, np.asarray(Image.open(path).convert("RGB"))
    if not paths:
        yield "waves", picture(*KODAK)


def pictures(paths: list[str]) -> Iterator[tuple[str, np.ndarray]]:
    """(name, [height, width, 3] uint8) of the middle of each file, or of five parts of a photo."""
    from PIL import Image

    if paths:
        for name, samples in whole_pictures(paths):
            yield name, crop(samples, 0.5, 0.5)
        return
    photo = np.asarray(Image.open(PHOTO).convert("RGB"))
    for y, x in ((0, 0), (0, 1), (0.5, 0.5), (1, 0), (1, 1)):
        yield f"{PHOTO.name} at {y:g}, {x:g}", crop(photo, y, x)


def crop(samples: np.ndarray, y: float, x: float) -> np.ndarray:
    height, width = (min(n, most) for n, most in zip(samples.shape, CROP, strict=False))
    top, left = (
        round(s * (n - m))
        for s, n, m in ((y, samples.shape[0], height), (x, samples.shape[1], width))
    )
    return samples[top : top + height, left : left + width]


def point(samples: np.ndarray, lmbda: float, engine: str, effort: int) -> tuple[float, float]:
    """(rate_bpp, psnr_db) of an encode whose file decodes to what the encoder measured."""
    from inrcodec import codec

    device = "cpu" if engine == "cpu" else "cuda"
    options = EncodeOptions(lmbda=lmbda, effort=effort, device=device, engine=engine)
    result = codec.encode(image_signal(samples), options)
    decoded = codec.verify(result.data).samples
    mse = np.mean((decoded.astype(float) - samples) ** 2) / 255**2
    if not np.isclose(mse, result.mse):
        raise ArithmeticError(f"engine {engine} decodes to {mse:g}, measured {result.mse:g}")
    return result.rate_bpp, result.psnr_db


SECTIONS = {
    section.__name__: section
    for section in (
        machine, ceilings, step, tuning, training, tests, decodes, rendering, networks, sizes,
        batch, effort9, rd, tables,
    )
}  # fmt: skip

if __name__ == "__main__":
    serve(SECTIONS, sys.argv[1])
