"""Runs an experiment: what its table does not have yet, one training after the other."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from inrcodec.errors import BadInput
from inrcodec.evaluate.folders import claimed, make_folder
from inrcodec.runtime import resolve_device
from reproduced.choosing import with_choices
from reproduced.data import located
from reproduced.description import Cell, Experiment
from reproduced.summary import summary
from reproduced.table import (
    Row,
    number_text,
    read_json,
    read_rows,
    run_number,
    this_run,
    write_json,
    write_rows,
)
from reproduced.training import Trained, train

COLUMNS = (
    "cell", "task", "signal", "seed", "setting", "file_sha256", "run", "step", "metric", "value",
    "seconds", "cpu_seconds", "parameters", "diverged",
)  # fmt: skip
KEY = COLUMNS[:6]


def run(
    experiment: Experiment,
    data: Path,
    output: Path,
    seeds: int,
    device: str = "auto",
    files: int | None = None,
    cells: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The lines of an experiment's summary, after running what its table does not have.

    Every training is written as soon as it is done. The summary is of all rows of the table, of
    this and earlier runs; those of other settings stay and are not counted.

    Args:
        experiment: as described, or as `reduced`.
        data: folder of the files.
        output: path of the table; beside it goes a .json of the same name.
        seeds: how many, from 0 on.
        device: auto, cpu or cuda[:n].
        files, cells: the part to run; see `Experiment.part`.

    Raises:
        BadInput: a file of the data is not there, or the table is of another kind.
        BadOption: there is no network of a name.
        OutputError: another run is at work on the table.
    """
    part = experiment.part(files, cells)
    check_data(part, data)
    make_folder(output.parent)
    lock = output.with_name(f".{output.stem}.lock")
    lock.touch()
    with claimed(str(lock)):  # as every row is written with all others
        return _run(experiment, part, data, output, seeds, device)


def _run(
    experiment: Experiment, part: Experiment, data: Path, output: Path, seeds: int, device: str
) -> list[dict[str, Any]]:
    """See `run`; the part is what is trained."""
    rows, about = read_rows(output, COLUMNS), read_json(output.with_suffix(".json"))
    runs = about.get("runs", [])
    number = run_number(runs, this_run(resolve_device(device)))
    done = {tuple(row[name] for name in KEY) for row in rows}
    wanted = list(trainings(part, data, seeds))
    for place, (cell, task, path, seed, key) in enumerate(wanted, 1):
        if tuple(key.values()) in done:
            continue
        signal = experiment.preparation.load(path)
        trained = train(experiment, cell, task, signal, seed, device)
        rows += rows_of(key, trained, number, experiment.steps)
        write_rows(output, COLUMNS, rows)
        told(f"{place}/{len(wanted)}", key, trained)
        write_json(output.with_suffix(".json"), content(experiment, rows, runs))
    about = content(experiment, rows, runs)
    write_json(output.with_suffix(".json"), about)
    if len(about["sources"]) > 1:
        print(f"{output}: has rows of several states of the code, see sources", file=sys.stderr)
    return about["lines"]


def trainings(
    experiment: Experiment, data: Path, seeds: int
) -> Iterator[tuple[Cell, str, Path, int, Row]]:
    """(cell, task, file, seed, key) of every training; all cells of a signal before the next."""
    digests = {name: _digest(located(data, name)) for name in experiment.data}
    for seed in range(seeds):
        for name in experiment.data:
            for task in experiment.tasks:
                for cell in experiment.cells:
                    setting = experiment.setting(cell, task)
                    values = (cell.name, task, Path(name).stem, str(seed), setting, digests[name])
                    yield cell, task, located(data, name), seed, dict(zip(KEY, values, strict=True))


def rows_of(key: Row, trained: Trained, number: int, steps: int) -> list[Row]:
    """The rows of one training.

    One that diverged has its last numbers at the end too, as papers keep the best of a run.
    """
    looks = list(trained.looks)
    found = []
    for look in looks:
        last = look is looks[-1]
        step = steps if last and trained.diverged else look.step
        for metric, value in look.numbers.items():
            found.append(
                key
                | {
                    "run": str(number), "step": str(step), "metric": metric,
                    "value": number_text(value), "seconds": f"{look.seconds:.2f}",
                    "cpu_seconds": f"{look.cpu_seconds:.2f}",
                    "parameters": str(trained.parameters), "diverged": trained.diverged,
                }
            )  # fmt: skip
    return found


def counted(experiment: Experiment, rows: list[Row]) -> list[Row]:
    """The rows of its settings; of a file that has changed those of the last one."""
    settings = {
        (cell.name, task, experiment.setting(cell, task))
        for cell in experiment.cells
        for task in experiment.tasks
    }
    mine = [row for row in rows if (row["cell"], row["task"], row["setting"]) in settings]
    last = {row["signal"]: row["file_sha256"] for row in mine}
    return [row for row in mine if row["file_sha256"] == last[row["signal"]]]


def content(experiment: Experiment, rows: list[Row], runs: list[dict[str, Any]]) -> dict[str, Any]:
    """What the .json says; `sources` are digests of the code that the rows counted are of."""
    mine = counted(experiment, rows)
    return {
        "name": experiment.name,
        "title": experiment.title,
        "paper": experiment.paper,
        "source": experiment.source,
        "claim": experiment.claim,
        "steps": experiment.steps,
        "data": list(experiment.data),
        "differences": list(experiment.differences),
        "sources": sorted({runs[int(row["run"])]["source"] for row in mine}),
        "lines": summary(*with_choices(experiment, mine)),
        "runs": runs,
    }


def check_data(experiment: Experiment, data: Path) -> None:
    """Refuses to begin where files are missing.

    Raises:
        BadInput: it names them.
    """
    missing = [name for name in experiment.data if not located(data, name).is_file()]
    if missing:
        raise BadInput(
            f"{data}: has no {', '.join(missing[:3])}{' and others' if len(missing) > 3 else ''}, "
            f"which {experiment.name} is run on; name the folder with --data"
        )


def told(progress: str, key: Row, trained: Trained) -> None:
    """Says on stderr what came of a training."""
    names = " ".join(key[name] for name in ("cell", "task", "signal") if key[name])
    last = trained.looks[-1]
    numbers = " ".join(f"{name} {value:.4g}" for name, value in last.numbers.items())
    end = f"; {trained.diverged}" if trained.diverged else ""
    print(
        f"{progress} {names} seed {key['seed']}: {numbers}, {last.seconds:.0f} s{end}",
        file=sys.stderr,
        flush=True,
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
