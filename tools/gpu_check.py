"""All tests and benchmarks of the GPU engine, on a machine that has a GPU.

    tools/gpu_check [--only SECTION ...] [--minutes 9] [--images IN.png ...] [--effort 4]
                    [--batch-effort 5] [--step-ms 1] [--training-seconds 12]
                    [--effort9-seconds 60] [--data DIR] [--tables NAME ...] [--commit NAME]
                    [-o results/gpu]
    tools/gpu_check --merge CHECK.json ... [-o results/gpu]

It needs torch, triton, numpy, numba, pillow, imageio and pytest, for some sections constriction,
and for tables av and soundfile; it says what is missing before it begins. Sections run in the order
below, each in a process of its own, until the minutes are over. What each found, errors included,
is written to check.json as soon as it is done, sizes also to sizes.tsv, what they printed to
log.txt. Sections that check.json has from earlier runs stay until they run again, or come from
other machines by --merge, which runs nothing.

    machine    device and versions, and whether the engine works there
    ceilings   bandwidth of a large copy, rates of large float32 and tf32 matrix products
    step       time per step at 768x512 and about 1,000 multiply-accumulates per sample, beside
               the floor: the larger of the bytes that must move and the operations that must be
               done, over the ceilings; time of each kernel
    tuning     the step under other sizes of launches
    training   wall time of 10,000 steps of the grid
    tests      kernels against the reference on the GPU, choice of engines; see tests.txt
    decodes    every conformance file decodes to its samples, and to numpy's bits on the GPU; see
               decodes.txt
    rendering  exact renders of 12 megapixels and of a wide network, on CPU and GPU
    networks   a sine network of 3 x 256 features on 512x512: time of a gradient and of a step of
               eager torch, of torch.compile and of the engines, and what fewer bits lose
    sizes      time per step and memory, 0.1 to 12 megapixels
    batch      pictures of 768x512 per minute, 1, 4, 16 and 64 at once
    effort9    an encode of the first picture at effort 9
    rd         BD-rate of engine gpu against engine cpu; every file is decoded and compared
    tables     tables of papers by tools/reproduce, where --data says where pictures are
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from importlib.util import find_spec
from pathlib import Path

from measuring import commit, table
from sections import Clock, run, write_json

ROOT = Path(__file__).resolve().parents[1]
SERVER = [sys.executable, "-u", str(ROOT / "tools" / "gpu_sections.py")]
# Seconds that each section may take at most, so that one that hangs leaves time to the others.
SECTIONS = {
    "machine": 90, "ceilings": 60, "step": 120, "tuning": 150, "training": 90, "tests": 150,
    "decodes": 120, "rendering": 90, "networks": 150, "sizes": 120, "batch": 240, "effort9": 150,
    "rd": 420, "tables": 540,
}  # fmt: skip
LEAST_SECONDS = 15  # below that no section is begun
# What a section asks for; what all of them ask for under "".
NEEDS = {
    "": ("torch", "triton", "numpy", "PIL", "imageio"),
    "tests": ("pytest",),
    "decodes": ("pytest", "constriction"),
    "batch": ("constriction",),
    "effort9": ("constriction",),
    "rd": ("constriction", "numba"),
    "tables": ("constriction", "av", "soundfile"),
}
REMEDIES = {"PIL": "pillow", "constriction": "constriction==0.5.0"}
TABLES = ("spder-images", "iga-kodak", "tuner-kodak")


def missing(section: str) -> list[str]:
    """What to install for a section, as pip calls it."""
    modules = [module for module in NEEDS.get(section, ()) if find_spec(module) is None]
    return [REMEDIES.get(module, module) for module in modules]


def install(packages: list[str]) -> str:
    names = " ".join(packages)
    return (
        f"`pip install {names}`; where nothing can be downloaded, fetch wheels elsewhere with "
        f"`pip download --only-binary=:all: --no-deps {names}`, install them with `pip install "
        "--no-index --no-deps --target DIR *.whl`, and add DIR to PYTHONPATH"
    )


def parsed(arguments: list[str] | None) -> argparse.Namespace:
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
    parser.add_argument("--effort9-seconds", type=float, default=60.0)
    parser.add_argument("--data", type=Path, help="pictures as tools/reproduce wants them")
    parser.add_argument("--tables", nargs="+", default=list(TABLES))
    parser.add_argument("--commit", help="what is checked, where that is no checkout of git")
    parser.add_argument("--merge", type=Path, nargs="+", help="reports of other runs")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "results" / "gpu")
    options = parser.parse_args(arguments)
    for path in (*options.images, *(options.merge or ()), *filter(None, [options.data])):
        if not path.exists():
            parser.error(f"there is no {path}")
    if not options.merge and (packages := missing("")):
        parser.error(f"missing: {', '.join(packages)}; {install(packages)}")
    return options


def check(options: argparse.Namespace, report: dict) -> None:
    """Runs sections and keeps the report up to date, in memory and in the file."""
    clock = Clock(60 * options.minutes)
    commit_ = options.commit or commit()
    about = {"date": datetime.date.today().isoformat(), "commit": commit_}
    sections = report["sections"]
    asked = {name: value for name, value in vars(options).items() if name not in ("only", "merge")}
    for name in SECTIONS:
        if name != "machine" and name not in options.only:
            continue
        print(f"{name}, {clock.left:.0f} s left", file=sys.stderr)
        reason = left_out(name, options, clock)
        if reason is None:
            more = {"ceilings": sections.get("ceilings", {})}
            seconds = min(SECTIONS[name], clock.left - 5)
            log = options.output / "log.txt"
            sections[name] = about | run(SERVER, name, seconds, asked | more, log)
        elif name not in sections:
            sections[name] = {"left_out": reason}
        write(options.output, report)
        show(name, sections[name])
        if name == "machine" and "error" in sections[name]:
            return


def left_out(name: str, options: argparse.Namespace, clock: Clock) -> str | None:
    """Why a section does not run, or None."""
    if packages := missing(name):
        return f"missing: {', '.join(packages)}; {install(packages)}"
    if name == "tables" and options.data is None:
        return "no --data was given"
    return "no time was left" if clock.left < LEAST_SECONDS else None


def merged(reports: list[dict]) -> dict:
    """All sections of several reports; of one that several have, the last that measured it."""
    sections: dict[str, dict] = {}
    for report in reports:
        for name, found in report["sections"].items():
            if name not in sections or "left_out" not in found:
                sections[name] = found
    order = [*SECTIONS, *sections]
    return {"sections": {name: sections[name] for name in sorted(sections, key=order.index)}}


def write(output: Path, report: dict) -> None:
    write_json(output / "check.json", report)
    rows = good_rows(report["sections"].get("sizes", {}))
    if rows:
        lines = ["\t".join(rows[0])] + ["\t".join(f"{v:.6g}" for v in r.values()) for r in rows]
        (output / "sizes.tsv").write_text("\n".join(lines) + "\n")


def good_rows(found: dict) -> list[dict]:
    return [row for row in found.get("rows", []) if "error" not in row]


def show(name: str, found: dict) -> None:
    """Prints a section: rows of the same columns as tables, the rest as JSON."""
    rows = good_rows(found)
    tables: dict[tuple[str, ...], list[dict]] = {}
    for row in rows:
        columns = tuple(k for k, v in row.items() if isinstance(v, (str, float, int)))
        tables.setdefault(columns, []).append(row)
    for columns, alike in tables.items():
        print(table(alike, columns))
    for row in found.get("rows", []):
        if row not in rows:
            print(json.dumps(row))
    rest = {key: value for key, value in found.items() if key != "rows"}
    print(f"{name}: {json.dumps(rest)}", flush=True)


def failed(found: dict) -> bool:
    """Whether a section is not what it should be: it has an error or missed its aim."""
    return (
        "error" in found
        or found.get("passed") is False
        or any("error" in row for row in found.get("rows", []))
    )


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    options.output = options.output.resolve()
    options.output.mkdir(parents=True, exist_ok=True)
    known = options.output / "check.json"
    paths = [*([known] if known.exists() else []), *(options.merge or ())]
    report = merged([json.loads(path.read_text()) for path in paths])
    write(options.output, report)
    if not options.merge:
        check(options, report)
    bad = [name for name, found in report["sections"].items() if failed(found)]
    print(f"wrote {options.output}; failed: {', '.join(bad) or 'none'}", file=sys.stderr)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
