"""From the folder of a run to its page and plots."""

from __future__ import annotations

import os
from pathlib import Path

from inrcodec.errors import BadOption
from inrcodec.evaluate.folders import make_folder
from inrcodec.evaluate.points import POINTS_NAME, RUN_NAME, read_points, read_run
from inrcodec.evaluate.report.drawing import Drawing, padded
from inrcodec.evaluate.report.page import page
from inrcodec.evaluate.report.plots import Plot
from inrcodec.evaluate.report.raster import png_file
from inrcodec.evaluate.report.svg import svg_file
from inrcodec.evaluate.results import results_by_kind
from inrcodec.files import write_atomic

REPORT_NAME, PLOTS_NAME = "report.html", "plots"
_MARGIN = 12.0  # px, around plots that are files


def write_report(outdir: str | os.PathLike[str]) -> Path:
    """The path of `report.html`, one page that needs no other file; `plots/` holds its charts.

    Args:
        outdir: the folder of a run, with `points.tsv`, `run.json` and the files that they name.
            What is missing there is missing on the page, with the reason.

    Raises:
        BadOption: `outdir` is no path.
        BadInput: `points.tsv` or `run.json` is not what `inrcodec compare` writes.
        OutputError: the page or the plots cannot be written.
    """
    if not isinstance(outdir, str | os.PathLike):
        raise BadOption(f"the folder of the run is {outdir!r}, expected a path")
    folder = Path(outdir)
    points, run = read_points(folder / POINTS_NAME), read_run(folder / RUN_NAME)
    html, plots = page(folder, run, results_by_kind(points, run.anchor))
    _write_plots(folder / PLOTS_NAME, plots)
    path = folder / REPORT_NAME
    write_atomic(path, html.encode(), force=True)
    return path


def _write_plots(folder: Path, plots: list[Plot]) -> None:
    make_folder(folder)
    for plot in plots:
        write_figure(folder, plot.name, plot.wide(), force=True)


def write_figure(folder: str | os.PathLike[str], name: str, drawing: Drawing, force: bool) -> None:
    """Writes a drawing as NAME.svg and NAME.png.

    Args:
        folder: that is there.
        name: of the files, without extension.
        drawing: what they show.
        force: whether files that are there may be replaced.

    Raises:
        OutputError: they cannot be written.
    """
    drawing = padded(drawing, _MARGIN)
    write_atomic(Path(folder) / f"{name}.svg", svg_file(drawing).encode(), force)
    write_atomic(Path(folder) / f"{name}.png", png_file(drawing), force)
