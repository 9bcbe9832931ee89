"""All tests and benchmarks of the GPU engine, on a machine that has a GPU.

    tools/gpu_check [--only SECTION ...] [--minutes 9] [--images IN.png ...] [--effort 4]
                    [--batch-effort 5] [--step-ms 1] [--training-seconds 12] [-o results/gpu]

It needs torch, numpy, numba, triton, pillow, imageio, constriction and pytest. Sections run in the
order below until the minutes are over; each writes what it found to check.json as soon as it is
done, sizes also to sizes.tsv, and what was left out says why.

    tests      kernels against the reference on the GPU, choice of engines
    ceilings   bandwidth of a large copy, rates of large float32 and tf32 matrix products
    step       time per step at 768x512 and about 1,000 multiply-accumulates per sample, beside
               the floor: the larger of the bytes that must move and the operations that must be
               done, over the ceilings; time of each kernel
    decodes    every conformance file decodes to its samples, and to numpy's bits on the GPU
    rendering  exact renders of 12 megapixels and of a wide network, on CPU and GPU
    networks   a sine network of 3 x 256 features on 512x512: time per step of eager torch, of
               torch.compile and of the engines, and what fits in fewer bits lose
    training   wall time of 10,000 steps of the grid
    sizes      time per step and memory, 0.1 to 12 megapixels
    batch      pictures of 768x512 per minute, 1, 4, 16 and 64 at once
    tuning     the step under other sizes of launches
    rd         BD-rate of engine gpu against engine cpu; every file is decoded and compared
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from gpu_networks import batch, networks, picture, rendering
from measuring import circumstances, table

from inrcodec import codec
from inrcodec.evaluate.bd import bd_rate_percent
from inrcodec.fields.grid import GridConfig, macs_per_sample
from inrcodec.fit import EncodeOptions
from inrcodec.fit.grid import Schedule, make_problem
from inrcodec.fit.start import random_theta
from inrcodec.kernels import GridProblem, Optimisation, Step
from inrcodec.kernels.gpu.usable import unusable
from inrcodec.runtime import threads
from inrcodec.signal import image_signal

ROOT = Path(__file__).parents[1]
CONFIG = GridConfig()
SIZES = ((256, 384), (512, 768), (816, 1224), (1416, 2120), (2832, 4240))
LMBDAS = (2e-2, 4e-3, 1e-3, 2e-4)
PHOTO = ROOT / "tools" / "demo_photo" / "coffee.png"
CROP = (256, 384)
GPU_TESTS = (
    "test_gpu_engine.py", "test_gpu_choice.py", "test_engine_choice.py", "test_gpu_network.py",
)  # fmt: skip
# Latents, both moments and their gradient's input: read and written once; the target, read once.
LATENT_BYTES, TARGET_BYTES = 6 * 4, 3 * 4


class Clock:
    """Time that is left."""

    def __init__(self, minutes: float) -> None:
        self._end = time.monotonic() + 60 * minutes

    @property
    def left(self) -> float:
        """Seconds, 0 at least."""
        return max(0.0, self._end - time.monotonic())


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


def tests(options: argparse.Namespace, clock: Clock) -> dict:
    files = [str(ROOT / "tests" / "kernels" / name) for name in GPU_TESTS]
    return pytest_run(files, clock)


def decodes(options: argparse.Namespace, clock: Clock) -> dict:
    files = ("conformance/test_corpus.py", "kernels/test_gpu_decode.py")
    return pytest_run([str(ROOT / "tests" / name) for name in files], clock)


def pytest_run(files: list[str], clock: Clock) -> dict:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    begun = time.perf_counter()
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=clock.left)
    print(run.stdout[-3000:], run.stderr[-1000:], file=sys.stderr)
    summary = [line for line in run.stdout.splitlines() if line.strip()][-1:]
    return {
        "passed": run.returncode == 0,
        "summary": summary,
        "seconds": time.perf_counter() - begun,
    }


def ceilings(options: argparse.Namespace, clock: Clock) -> dict:
    source = torch.rand(1 << 28, device="cuda")
    target = torch.empty_like(source)
    copy_ms = best_ms(lambda: target.copy_(source))
    a, b = torch.rand(2, 8192, 8192, device="cuda")
    rates = {}
    for name, allowed in (("float32", False), ("tf32", True)):
        torch.backends.cuda.matmul.allow_tf32 = allowed
        torch.mm(a, b)
        rates[f"{name}_tflops"] = 2e-9 * 8192**3 / best_ms(lambda: torch.mm(a, b))
    torch.backends.cuda.matmul.allow_tf32 = False
    return {"copy_gb_per_second": 2e-6 * source.numel() * 4 / copy_ms, **rates}


def floor_ms(problem: GridProblem, ceiling: dict) -> dict:
    """The times that no step can beat: by operations and by bytes."""
    flop = 6 * macs_per_sample(CONFIG, 3) * problem.pixels
    moved = LATENT_BYTES * problem.latent_count + TARGET_BYTES * problem.pixels
    return {
        "gflop": flop / 1e9,
        "floor_float32_ms": flop / ceiling["float32_tflops"] / 1e9,
        "floor_bytes_ms": moved / ceiling["copy_gb_per_second"] / 1e6,
    }


def step(options: argparse.Namespace, clock: Clock) -> dict:
    problem = problem_of(512, 768)
    floor = floor_ms(problem, options.found.get("ceilings") or ceilings(options, clock))
    measured = step_ms(problem, 1000)
    bound = max(floor["floor_float32_ms"], floor["floor_bytes_ms"])
    return {
        "macs_per_sample": macs_per_sample(CONFIG, 3),
        "step_ms": measured,
        **floor,
        "share_of_floor_percent": 100 * bound / measured,
        "passed": measured <= options.step_ms,
        "kernels_us": kernel_times(problem),
    }


def kernel_times(problem: GridProblem) -> dict[str, float] | str:
    """Mean microseconds per step in each kernel, by torch's profiler."""
    from torch.profiler import ProfilerActivity, profile

    try:
        with profile(activities=[ProfilerActivity.CUDA]) as profiled:
            seconds_of(problem, 100)
        events = profiled.key_averages()
    except RuntimeError as error:
        return f"the profiler does not work here: {error}"
    # Two more steps compile the kernels; two and one of them run outside of graphs.
    times = {event.key: event.device_time_total / 102 for event in events}
    ours = {name: us for name, us in times.items() if us >= 0.1}
    return dict(sorted(ours.items(), key=lambda item: -item[1])[:24])


def training(options: argparse.Namespace, clock: Clock) -> dict:
    taken = seconds_of(problem_of(512, 768), 10_000)
    return {"steps": 10_000, "seconds": taken, "passed": taken <= options.training_seconds}


def sizes(options: argparse.Namespace, clock: Clock) -> dict:
    ceiling = options.found.get("ceilings") or ceilings(options, clock)
    rows = []
    for height, width in SIZES:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        problem = problem_of(height, width)
        floor = floor_ms(problem, ceiling)
        measured = step_ms(problem, 200 if height < 1500 else 50)
        rows.append(
            {
                "megapixels": height * width / 1e6,
                "width": width,
                "height": height,
                "step_ms": measured,
                "gflops": floor["gflop"] / measured * 1e3,
                "floor_ms": max(floor["floor_float32_ms"], floor["floor_bytes_ms"]),
                "peak_megabytes": torch.cuda.max_memory_allocated() / 1e6,
            }
        )
    return {"rows": rows}


def tuning(options: argparse.Namespace, clock: Clock) -> dict:
    problem = problem_of(512, 768)
    processors = torch.cuda.get_device_properties(0).multi_processor_count
    rows = []
    for changes in variants(processors):
        if clock.left < 30:
            break
        name = " ".join(f"{key}={value}" for key, value in changes.items()) or "default"
        try:
            rows.append({"tuning": name, "step_ms": step_ms(problem, **changes)})
        except Exception as error:  # a size that a GPU refuses says so in many ways
            rows.append({"tuning": name, "error": str(error)[:200]})
    return {"rows": rows}


def variants(processors: int) -> Iterator[dict]:
    yield {}
    for programs in (2, 6, 8):
        yield {"programs": programs * processors}
    for block, warps in ((64, 2), (64, 4), (128, 8), (32, 1), (256, 8)):
        yield {"rate_block": block, "rate_warps": warps}
        yield {"pixel_block": block, "pixel_warps": warps}
    for precision in ("ieee", "tf32"):
        yield {"precision": precision}
    yield {"vector_block": 2048}


def rd(options: argparse.Namespace, clock: Clock) -> dict:
    rows = []
    for name, samples in pictures(options.images):
        if rows and clock.left < 1.5 * rows[-1]["seconds"]:
            break
        begun = time.perf_counter()
        curves = {
            engine: [point(samples, lmbda, engine, options.effort) for lmbda in LMBDAS]
            for engine in ("cpu", "gpu")
        }
        percent, _ = bd_rate_percent(curves["cpu"], curves["gpu"])
        taken = time.perf_counter() - begun
        rows.append({"picture": name, "bd_rate_percent": percent, "seconds": taken} | curves)
    mean = float(np.mean([row["bd_rate_percent"] for row in rows]))
    return {"effort": options.effort, "rows": rows, "mean_percent": mean, "passed": mean <= 0.5}


def pictures(paths: list[Path]) -> Iterator[tuple[str, np.ndarray]]:
    """(name, [height, width, 3] uint8) of the middle of each file, or of five parts of a photo."""
    from PIL import Image

    for path in paths:
        yield path.name, crop(np.asarray(Image.open(path).convert("RGB")), 0.5, 0.5)
    if not paths:
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
    device = "cpu" if engine == "cpu" else "cuda"
    options = EncodeOptions(lmbda=lmbda, effort=effort, device=device, engine=engine)
    result = codec.encode(image_signal(samples), options)
    decoded = codec.verify(result.data).samples
    mse = np.mean((decoded.astype(float) - samples) ** 2) / 255**2
    if not np.isclose(mse, result.mse):
        raise ArithmeticError(f"engine {engine} decodes to {mse:g}, measured {result.mse:g}")
    return result.rate_bpp, result.psnr_db


SECTIONS = {
    f.__name__: f
    for f in (
        tests, ceilings, step, decodes, rendering, networks, training, sizes, batch, tuning, rd,
    )
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--minutes", type=float, default=9)
    parser.add_argument("--images", type=Path, nargs="+", default=[])
    parser.add_argument("--effort", type=int, default=4)
    parser.add_argument("--batch-effort", type=int, default=5)
    parser.add_argument("--step-ms", type=float, default=1.0)
    parser.add_argument("--training-seconds", type=float, default=12.0)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "results" / "gpu")
    options = parser.parse_args()
    reason = unusable("cuda") if torch.cuda.is_available() else "torch finds no CUDA device"
    if reason is not None:
        parser.error(f"nothing to check here: {reason}")
    clock = Clock(options.minutes)
    options.output.mkdir(parents=True, exist_ok=True)
    options.found = {}
    report = {"device": torch.cuda.get_device_name(), **surroundings(), "sections": options.found}
    for name in options.only:
        print(f"{name}, {clock.left:.0f} s left", file=sys.stderr)
        options.found[name] = run(SECTIONS[name], options, clock)
        (options.output / "check.json").write_text(json.dumps(report, indent=1) + "\n")
        show(name, options.found[name])
    if "rows" in options.found.get("sizes", {}):
        rows = options.found["sizes"]["rows"]
        lines = ["\t".join(rows[0])] + ["\t".join(f"{v:.6g}" for v in r.values()) for r in rows]
        (options.output / "sizes.tsv").write_text("\n".join(lines) + "\n")
    failed = [n for n, f in options.found.items() if "error" in f or f.get("passed") is False]
    print(f"wrote {options.output}; failed: {', '.join(failed) or 'none'}", file=sys.stderr)
    sys.exit(bool(failed))


def surroundings() -> dict:
    """Versions and machine; less where the machine lacks git or a package was not installed."""
    import triton

    versions = {
        "triton": triton.__version__,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
    }
    try:
        return versions | circumstances(threads(), 1)
    except (OSError, ImportError) as error:
        return versions | {"incomplete": str(error)}


def run(section: Callable[[argparse.Namespace, Clock], dict], *arguments: object) -> dict:
    """What a section found; what it failed with, so that the others still run."""
    if arguments[1].left < 5:
        return {"left_out": "no time was left"}
    try:
        return section(*arguments)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:2000]}


def show(name: str, found: dict) -> None:
    rows = [row for row in found.get("rows", []) if "error" not in row]
    if rows:
        print(table(rows, tuple(k for k, v in rows[0].items() if isinstance(v, (str, float, int)))))
    rest = {key: value for key, value in found.items() if key != "rows"}
    print(f"{name}: {json.dumps(rest)}" if rest else "", flush=True)


if __name__ == "__main__":
    main()
