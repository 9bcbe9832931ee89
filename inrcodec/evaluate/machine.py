"""Where and with what something was measured."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from inrcodec.runtime import threads

_LIBRARIES = ("numpy", "torch", "numba", "constriction", "pillow", "av", "soundfile")


def machine() -> dict[str, Any]:
    """The processor, its cores, the threads in use, and memory."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "threads": threads(),
        "memory_bytes": _memory_bytes(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Of Python and the libraries that may decide a byte."""
    found = {"python": platform.python_version()}
    for library in _LIBRARIES:
        found[library] = importlib.metadata.version(library)
    return found


def commit() -> str:
    """The commit of inrcodec, with -dirty where the package differs; "" outside its repository."""
    root = Path(__file__).parents[2]
    # Installed packages may lie in the repository of somebody else's project.
    if not _git(root, "ls-files", "inrcodec/__init__.py"):
        return ""
    changed = _git(root, "status", "--porcelain", "--", "inrcodec")
    return _git(root, "rev-parse", "--short", "HEAD") + ("-dirty" if changed else "")


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
