"""What the benchmarks share: the fastest of several runs, their circumstances, a table."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]


def fastest_ms(action: Callable[[], object], steps: int) -> float:
    times = []
    for _ in range(steps):
        begun = time.perf_counter()
        action()
        times.append(time.perf_counter() - begun)
    return 1e3 * min(times)


def machine() -> dict:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":")[1].strip() if lines else model
    return {"cpu": model, "cores": os.cpu_count(), "system": platform.system()}


def commit(checkout: Path = ROOT) -> str:
    """The git commit of a checkout, with a plus sign if files differ from it."""
    git = ["git", "-C", str(checkout)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
    except FileNotFoundError:  # there is no git
        return "none"
    if head.returncode != 0:
        return "none"
    changes = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True)
    return head.stdout.strip() + ("+" if changes.stdout.strip() else "")


def table(rows: list[dict], columns: tuple[str, ...]) -> str:
    def cell(value: object) -> str:
        return value if isinstance(value, str) else f"{value:.4g}"

    cells = [list(columns)] + [[cell(row[column]) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join(
        "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True))
        for line in cells
    )


def circumstances(threads: int, rounds: int) -> dict:
    """What a result depends on: day, commit, machine, versions."""
    packages = ("numpy", "numba", "llvmlite", "constriction", "torch")
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "machine": machine(),
        "versions": {"python": platform.python_version()}
        | {package: importlib.metadata.version(package) for package in packages},
        "threads": threads,
        "rounds": rounds,
    }
