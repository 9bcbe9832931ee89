"""Seconds of each stage of a decode, by numpy and by compiled code; `tools/bench_engine --decode`.

Every decode runs in a process of its own. `start` is what the engine needs before it can begin:
loading the compiled functions from the cache, where numpy needs nothing. `shell` is all of
`inrcodec decode`, with that engine, from the shell.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
STAGES = ("start", "parse", "entropy", "render", "write", "shell")
ENGINES = ("numpy", "compiled")


def tiled(data: bytes, megapixels: float) -> bytes:
    """A file of about so many megapixels, whose latents are those of another, side by side.

    Raises:
        ValueError: the picture is no multiple of its coarsest latents, so that it has no tiles.
    """
    import numpy as np

    from inrcodec import codec
    from inrcodec.bitstream import container
    from inrcodec.bitstream.container import Section, write_container
    from inrcodec.bitstream.header import pack_header

    parsed = codec.InrFile.parse(data, codec.Limits())
    field = parsed.field(codec.Limits())
    height, width, channels = field.size
    times = max(1, round((megapixels * 1e6 / (height * width)) ** 0.5))
    coarsest = 1 << (field.config.first_level + field.config.levels - 1)
    if height % coarsest or width % coarsest:
        raise ValueError(f"{width}x{height} is no multiple of {coarsest}; choose another file")
    latents = [np.tile(level, (times, times)) for level in field.latents]
    size = (times * height, times * width, channels)
    large = type(field)(field.config, size, field.steps, field.theta_hat, latents)
    header = replace(parsed.header, height=size[0], width=size[1])
    return write_container(
        [Section(container.HEADER, pack_header(header)), Section(container.PAYLOAD, large.pack())]
    )


def stages(path: Path, engine: str, threads: int) -> dict[str, float]:
    """Seconds of each stage of one decode, in this process."""
    from inrcodec import codec
    from inrcodec.fields import grid as grid_field
    from inrcodec.kernels import decoding
    from inrcodec.media.image import save_image

    os.environ["OMP_NUM_THREADS"] = str(threads)
    data, seconds = path.read_bytes(), {}

    def timed(stage: str, action: Callable[[], object]) -> object:
        begun = time.perf_counter()
        result = action()
        seconds[stage] = time.perf_counter() - begun
        return result

    chosen = timed("start", decoding.compiled if engine == "compiled" else lambda: decoding.NUMPY)
    if chosen is None:
        raise SystemExit("compiled code does not run here")
    grid_field.decode_engine = lambda *_: chosen
    parsed = timed("parse", lambda: codec.InrFile.parse(data, codec.Limits()))
    field = timed("entropy", lambda: parsed.field(codec.Limits()))
    where = codec.Grid.of(parsed.header.height, parsed.header.width)
    signal = timed("render", lambda: codec.render(field, where, parsed))
    timed("write", lambda: save_image(signal, ".png"))
    return seconds


def in_processes(path: Path, engine: str, threads: int) -> dict[str, float]:
    """Seconds of each stage: of one decode in a process, and of one from the shell."""
    count = str(threads)
    environment = os.environ | {"OMP_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), environment.get("PYTHONPATH", "")])
    command = [sys.executable, __file__, str(path), engine, count]
    run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    environment["NUMBA_DISABLE_JIT"] = str(int(engine == "numpy"))
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "inrcodec", "decode", str(path), f"{folder}/out.png"]
        begun = time.perf_counter()
        subprocess.run([*command, "--quiet"], env=environment, check=True)
        return json.loads(run.stdout) | {"shell": time.perf_counter() - begun}


def decode_rows(paths: list[Path], rounds: int, threads: int) -> list[dict]:
    """One row per file and engine: the fastest of all rounds, stage by stage."""
    import inrcodec

    in_processes(paths[0], "compiled", threads)  # compiles, where this machine never did
    rows = []
    for path in paths:
        info = inrcodec.info(path)
        found: dict[str, dict[str, float]] = {engine: {} for engine in ENGINES}
        for number in range(rounds):
            for engine, best in found.items():
                print(f"round {number + 1}: {engine} {path.name}", file=sys.stderr)
                for stage, value in in_processes(path, engine, threads).items():
                    best[stage] = min(value, best.get(stage, value))
        for engine, best in found.items():
            work = info["width"] * info["height"] * info["macs_per_sample"]
            rows.append(
                {"file": path.name, "width": info["width"], "height": info["height"]}
                | {"bytes": info["file_bytes"], "macs": work, "engine": engine}
                | best
                | {"ratio": _core(found["numpy"]) / _core(best)}
            )
    return rows


def _core(seconds: dict[str, float]) -> float:
    return seconds["entropy"] + seconds["render"]


if __name__ == "__main__":
    print(json.dumps(stages(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
