"""The report's section on corrupted and attacked images, if they were measured."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from medqnn.report.figures import GREY, as_svg
from medqnn.report.formatting import UNDEFINED, interval, percent
from medqnn.report.roc import LOOKS
from medqnn.report.run_folder import Run
from medqnn.report.tables import Cell, Row, Table, region_name
from medqnn.robustness.results import SUMMARY, Results, overlap_column, read_results
from medqnn.robustness.summary import no_better
from medqnn.training.folder import RunFolder

SHAPES = "osD^vP"  # of networks, in the order of LOOKS
ATTACKED = "largest change, of 255 levels"


def robustness(run: Run) -> dict[str, Any] | None:
    """What the template shows; None if the run was not measured.

    Returns:
        summary; no_better (networks); plots and overlap_plots (name and data URI of each); overlap
        (which part of the map they take, None without attention); table.

    Raises:
        RunError: If the measurement's files are broken.
    """
    if not (run.folder / SUMMARY).is_file():
        return None
    results = read_results(RunFolder(run.folder))
    overlap = overlap_column(results.table)
    return {
        "summary": results.summary,
        "no_better": no_better(results.summary),
        "plots": _plots(results, "accuracy"),
        "overlap": overlap and region_name(overlap),
        "overlap_plots": _plots(results, overlap) if overlap else [],
        "table": mean_table(results.summary),
    }


def mean_table(summary: dict[str, Any]) -> Table:
    """Mean accuracy over each corruption's severities, by network, and the paired differences."""
    variants, differences = summary["variants"], summary["differences"]
    heads = {"clean": "No corruption", "mean corrupted": "All corruptions"}
    rows = []
    for name in next(iter(variants.values())):
        cells = [
            Cell(percent(v[name]["estimate"]), interval(v[name], percent))
            for v in variants.values()
        ]
        cells += [
            Cell(points(d[name]["estimate"]), interval(d[name], points))
            for d in differences.values()
        ]
        rows.append(Row(heads.get(name, name), cells))
    pairs = [f"{summary['reference']} − {name}" for name in differences]
    return Table(["Images", *variants, *pairs], rows)


def points(value: float | None) -> str:
    """A difference of fractions in percentage points, signed, one decimal."""
    return UNDEFINED if value is None else f"{100 * value:+.1f}"


def _plots(results: Results, column: str) -> list[tuple[str, str]]:
    """For each corruption and, of accuracy, each attack, its name and its plot."""
    options, found = results.summary["options"], results.table
    measures = {name: one["measure"] for name, one in options["corruptions"].items()}
    baseline, drawn = None, found[column]
    if column == "accuracy":
        measures |= dict.fromkeys(options["attacks"], ATTACKED)
        baseline = results.summary["baseline"]
        drawn = pd.concat([drawn, pd.Series([baseline])])
    limits = axis_limits(drawn)
    clean = found[found["kind"] == "clean"]
    plots = []
    for name, measure in measures.items():
        rows = pd.concat([clean, found[found["corruption"] == name]])
        plots.append((name, severity_plot(rows, column, measure, limits, baseline)))
    return plots


def axis_limits(values: pd.Series) -> tuple[float, float]:
    """Ends of one axis for all values: tenths, or hundredths where the values lie close."""
    step = 0.1 if values.max() - values.min() > 0.1 else 0.01
    low, high = step * math.floor(values.min() / step), step * math.ceil(values.max() / step)
    return low - 0.2 * step, high + 0.2 * step


@as_svg
def severity_plot(
    rows: pd.DataFrame,
    column: str,
    measure: str,
    limits: tuple[float, float],
    baseline: float | None,
) -> Figure:
    """One curve a network, from the clean images through the severities of one corruption.

    Args:
        rows: of `robustness.csv`, the clean ones and one corruption's.
        column: what is drawn: "accuracy", or a Jaccard index.
        measure: what the corruption's values are.
        limits: ends of the axis, the same for all corruptions.
        baseline: accuracy without looking at the image; None draws none.
    """
    figure = Figure((2.9, 2.9), layout="constrained")
    axes = figure.subplots()
    if baseline is not None:
        axes.axhline(baseline, color=GREY, linewidth=0.8, linestyle=":")
    by_variant = rows.groupby("variant", sort=False)
    for (name, own), (colour, style), shape in zip(by_variant, LOOKS, SHAPES, strict=False):
        look: dict[str, Any] = {"color": colour, "marker": shape, "ms": 4.5}
        axes.plot(own["severity"], own[column], linestyle=style, mfc="white", label=name, **look)
        if column == "accuracy":
            apart = own[(own["difference_low"] > 0) | (own["difference_high"] < 0)]
            axes.plot(apart["severity"], apart[column], linestyle="", **look)
    one = rows[rows["variant"] == rows["variant"].iloc[0]]
    scale = 255 if (one["kind"] == "attack").any() else 1
    texts = [f"{scale * value:g}" for value in one["value"][1:]]
    axes.set_xticks(one["severity"], labels=["clean", *texts], fontsize=8.5)
    axes.set(xlabel=measure, ylabel="Accuracy" if column == "accuracy" else "Jaccard index")
    axes.set_ylim(*limits)
    axes.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1), fontsize=9)
    return figure
