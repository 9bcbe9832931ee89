"""What an experiment is: data, networks and how they are trained, and what the paper says of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from inrcodec.activations import Activation
from inrcodec.errors import BadOption
from reproduced.data import Preparation
from reproduced.grids import Grid
from reproduced.tasks import AllSamples, Task

SIGNED, UNIT, STANDARD = "-1..1", "0..1", "z-score"  # what networks are fitted to


@dataclass(frozen=True)
class Course:
    """How the learning rate falls over a training.

    Args:
        final: share that an exponential fall ends at.
        drop_at: progress 0..1 from which on the rate is multiplied by `drop`.
        drop: see there.
    """

    final: float = 1.0
    drop_at: float = 1.0
    drop: float = 1.0

    def share(self, progress: float) -> float:
        """The share of the learning rate at progress 0..1."""
        return self.final**progress * (self.drop if progress >= self.drop_at else 1.0)


@dataclass(frozen=True)
class Published:
    """One number of a paper.

    Args:
        metric: which of ours it is, by name; `best_` in front is the best so far.
        value: the number.
        step: after so many steps; None at the end.
        task: the key of the experiment's task.
        signal: stem of the file that it is of; "" is the mean over the paper's signals.
    """

    metric: str
    value: float
    step: int | None = None
    task: str = ""
    signal: str = ""


@dataclass(frozen=True)
class Cell:
    """One network and the way it is trained.

    Args:
        name: as the paper calls it.
        field: ours.
        rate: learning rate of weights before their boost is folded into them.
        width, hidden_layers: of the network; -1 hidden layers leave it at the field's own.
        options: of the network, and of remedies by their dotted names; a function is one of the
            network's width.
        remedies: names, without the optimiser.
        optimizer: a remedy too.
        activation: instead of the field's, of its start: one that is none of ours.
        values: what it is fitted to: SIGNED, UNIT or STANDARD.
        first_boost: factor of the first layer's omega_0 beyond that of the others, which its bias
            and learning rates have too.
        batch: random samples of a step; None for the experiment's.
        published: what the paper says.
    """

    name: str
    field: str
    rate: float
    width: int = 256
    hidden_layers: int = 3
    options: Mapping[str, Any] = field(default_factory=dict)
    remedies: tuple[str, ...] = ()
    optimizer: str = "adam"
    activation: Activation | None = None
    values: str = SIGNED
    first_boost: float = 1.0
    batch: int | None = None
    published: tuple[Published, ...] = ()

    def network(self) -> dict[str, Any]:
        """Its options as `fit.EncodeOptions` takes them."""
        sizes = {"hidden_features": self.width}
        if self.hidden_layers >= 0:
            sizes["hidden_layers"] = self.hidden_layers
        options = self.options.items()
        return sizes | {
            name: value(self.width) if callable(value) else value for name, value in options
        }


@dataclass(frozen=True)
class Quick:
    """A smaller run of an experiment: same networks, less of everything.

    Where `width` is 1/`shrink`, pictures and networks keep their weights per pixel.

    Args:
        files: how many of the first files.
        shrink: pictures have 1/shrink of their sides, sounds and films of their length.
        width: factor of widths.
        steps: instead of the experiment's.
        scaled: whether published numbers are compared at the same share of the steps; else at the
            same steps, as far as they go.
        looks: instead of the experiment's.
        seeds: instead of the experiment's.
        batch: random samples of a step, also where the experiment takes all; None for the
            experiment's share of the samples.
        cells: names of those that are run; () for all.
        options: of networks and remedies, where a cell has such a remedy or option.
    """

    files: int = 1
    shrink: int = 1
    width: float = 1.0
    steps: int = 100
    scaled: bool = True
    looks: int = 10
    seeds: int = 1
    batch: int | None = None
    cells: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> str:
        """What it leaves away, for people."""
        parts = [f"{self.files} file(s)", f"{self.steps} steps", f"{self.looks} looks"]
        if self.shrink > 1:
            parts.append(f"1/{self.shrink} of the sides of pictures and of the length of sounds")
        if self.width != 1:
            parts.append(f"networks {self.width:.3g} times as wide")
        if self.batch:
            parts.append(f"{self.batch} random samples per step")
        parts += [f"{name}={value}" for name, value in self.options.items()]
        if self.cells:
            parts.append("without the other networks of the table")
        return "Made smaller: " + ", ".join(parts)


@dataclass(frozen=True)
class Experiment:
    """One table of one paper.

    Args:
        name: of the command line.
        title: in one line.
        paper: whose, and which table or figure.
        source: where its numbers and settings were read.
        claim: what has to come out, in a sentence.
        data: paths below the data folder.
        preparation: what is made of the files.
        cells: the networks.
        steps: of a training.
        metrics: what is measured, by name; see `measures`.
        tasks: key -> what is fitted and what is measured; keys are those of `Published`.
        grid: coordinates of the samples.
        batch: random samples of a step; None for all.
        course: of the learning rate.
        looks: how often it is measured on the way, beside the steps of published numbers. Numbers
            called best are the best of these looks, and where every step is of all samples and
            tells them, of the steps.
        seeds: how many, unless the command line says.
        candidates: names of cells among which SEC-Conf chooses, by the first of the metrics; see
            `choosing`.
        differences: where we differ from the paper, a sentence each.
        quick: the small version.
    """

    name: str
    title: str
    paper: str
    source: str
    claim: str
    data: tuple[str, ...]
    preparation: Preparation
    cells: tuple[Cell, ...]
    steps: int
    metrics: tuple[str, ...]
    differences: tuple[str, ...]
    quick: Quick
    tasks: Mapping[str, Task] = field(default_factory=lambda: {"": AllSamples()})
    grid: Grid = Grid()
    batch: int | None = None
    course: Course = Course()
    looks: int = 50
    seeds: int = 3
    candidates: tuple[str, ...] = ()

    def smaller(self, scale: int, steps: int | None) -> Quick:
        """All of it, with networks 1/scale as wide.

        Args:
            scale: 1 or more; pictures and sounds keep their weights per sample.
            steps: instead of the experiment's.
        """
        return Quick(
            files=len(self.data), shrink=scale**2 if self.preparation.axes == 1 else scale,
            width=1 / scale, steps=steps or self.steps, scaled=self.quick.scaled,
            looks=self.looks, seeds=self.seeds,
        )  # fmt: skip

    def reduced(self, quick: Quick) -> Experiment:
        """The experiment as a smaller run has it."""
        chosen = [c for c in self.cells if not quick.cells or c.name in quick.cells]
        fewer = quick.shrink**self.preparation.axes
        batch = quick.batch or _share(self.batch, fewer)
        cells = [replace(c, batch=quick.batch or _share(c.batch, fewer)) for c in chosen]
        sound = self.preparation.axes == 1
        return replace(
            self,
            data=self.data[: quick.files],
            preparation=self.preparation.shrunk(quick.shrink),
            grid=self.grid.beginning(quick.shrink) if sound else self.grid,
            cells=tuple(_reduced(cell, quick, self.steps) for cell in cells),
            steps=quick.steps,
            looks=quick.looks,
            batch=batch,
            seeds=quick.seeds,
            differences=(*self.differences, quick.told()),
        )

    def part(self, files: int | None, cells: Sequence[str]) -> Experiment:
        """The experiment with the first files and some networks only.

        Args:
            files: how many; None for all.
            cells: their names; () for all.

        Raises:
            BadOption: it has no network of a name.
        """
        names = [cell.name for cell in self.cells]
        unknown = [name for name in cells if name not in names]
        if unknown:
            raise BadOption(f"{self.name} has no {', '.join(unknown)}; it has {'; '.join(names)}")
        chosen = tuple(cell for cell in self.cells if not cells or cell.name in cells)
        return replace(self, data=self.data[:files], cells=chosen)

    def asked_steps(self) -> set[int]:
        """Steps at which the paper has a number."""
        return {p.step for cell in self.cells for p in cell.published if p.step is not None}

    def setting(self, cell: Cell, task: str) -> str:
        """Eight digits that change with whatever decides the numbers of a cell."""
        names = ("preparation", "steps", "metrics", "grid", "batch", "course", "looks")
        told = {f.name: getattr(cell, f.name) for f in fields(cell) if f.name != "published"}
        told["options"] = sorted(cell.network().items())
        text = repr([[getattr(self, name) for name in names], told, self.tasks[task]])
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def _share(batch: int | None, fewer: int) -> int | None:
    """A batch of samples that have become so many times fewer."""
    return None if batch is None else max(1, batch // fewer)


def _reduced(cell: Cell, quick: Quick, steps: int) -> Cell:
    """A cell of a smaller run, with the published numbers that it reaches.

    Args:
        cell, quick: see there.
        steps: of the whole run.
    """
    share = quick.steps / steps if quick.scaled else 1.0
    parts = {*cell.options, *cell.remedies}
    mine = {
        name: value
        for name, value in quick.options.items()
        if name in parts or name.split(".")[0] in cell.remedies
    }
    published = tuple(
        replace(p, step=None if p.step is None else max(1, round(p.step * share)))
        for p in cell.published
        if quick.scaled or (p.step or steps) <= quick.steps
    )
    return replace(
        cell,
        width=max(4, round(cell.width * quick.width)),
        options={**cell.options, **mine},
        published=published,
    )
