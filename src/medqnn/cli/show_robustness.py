"""How robustness looks in a terminal, within 100 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from rich.table import Table

from medqnn.cli.show import console, interval
from medqnn.report.tables import region_name
from medqnn.robustness.results import Results, mean_corrupted, mean_over_runs, overlap_column
from medqnn.robustness.summary import no_better

MEAN = "mean corrupted"


def show_robustness(results: Sequence[Results]) -> None:
    """Tables of accuracy, and of attention if there is any, and the mean over all corruptions.

    Args:
        results: Of one run, or of several whose means are shown.
    """
    first = results[0].summary
    found = mean_over_runs(results)
    of = f"{first['images']} test images"
    if len(results) > 1:
        of = f"mean over {len(results)} runs, {of} each"
    titles = {"corruption": f"Accuracy by severity, {of}", "attack": "Accuracy under attack, ε"}
    for kind, title in titles.items():
        console.print(_by_severity(found, kind, "accuracy", title))
    if overlap := overlap_column(found):
        part = region_name(overlap)
        title = f"Jaccard index of attention ({part} of each map) and tumour mask"
        console.print(_by_severity(found, "corruption", overlap, title))
    console.print(_one_run(first) if len(results) == 1 else _several_runs(results))
    console.print(
        f"Always giving the commonest answer would be right on {first['baseline']:.1%}. The CSV "
        "table has each number's interval and the differences; docs/robustness.md tells more."
    )
    for warning in _warnings(results):
        console.print(warning, style="bold")


def _warnings(results: Sequence[Results]) -> list[str]:
    """One line for each network whose robustness says nothing."""
    names = [name for one in results for name in no_better(one.summary)]
    several = len(results) > 1
    return [
        f"{name}{f' ({names.count(name)} runs)' if several else ''} is not surely better on "
        "clean images than the commonest answer, so what it keeps under corruption says nothing."
        for name in dict.fromkeys(names)
    ]


def _by_severity(found: pd.DataFrame, kind: str, column: str, title: str) -> Table:
    """A row a corruption and network, a column a severity."""
    rows = found[found["kind"] == kind]
    clean = found[found["kind"] == "clean"].set_index("variant")[column]
    table = Table(title=title)
    table.add_column("")
    table.add_column("network")
    heads = map(str, sorted(rows["severity"].unique())) if kind == "corruption" else _epsilons(rows)
    for head in ("clean", *heads, "mean"):
        table.add_column(head, justify="right")
    for name, own in rows.groupby("corruption", sort=False):
        values = list(dict.fromkeys(own["value"]))
        range_ = f", {values[0]:g} to {values[-1]:g}" if kind == "corruption" else ""
        for place, (variant, cells) in enumerate(own.groupby("variant", sort=False)):
            mean = cells[column].mean()
            texts = [f"{number:.3f}" for number in (clean[variant], *cells[column], mean)]
            table.add_row("" if place else f"{name}{range_}", str(variant), *texts)
        table.add_section()
    return table


def _epsilons(rows: pd.DataFrame) -> list[str]:
    return [f"{255 * value:.0f}/255" for value in sorted(rows["value"].unique())]


def _one_run(summary: dict[str, Any]) -> Table:
    """Clean and mean corrupted accuracy with intervals, and the paired differences."""
    unit = "patients" if summary["patients_known"] else "images"
    table = Table(title=f"Mean over all corruptions and severities; 95% interval by {unit}")
    reference = summary["reference"]
    for head in ("network", "clean", "corrupted", "of clean", f"{reference} − it, corrupted"):
        table.add_column(head, justify="left" if head == "network" else "right")
    for name, means in summary["variants"].items():
        ahead = summary["differences"].get(name)
        share = means[MEAN]["relative"]
        table.add_row(
            name,
            interval(means["clean"]),
            interval(means[MEAN]),
            "–" if share is None else f"{share:.0%}",
            interval(ahead[MEAN], "+.3f") if ahead else "",
        )
    return table


def _several_runs(results: Sequence[Results]) -> Table:
    """Means and, between runs, standard deviations."""
    table = Table(title="Mean over all corruptions, ± SD of runs")
    for head in ("network", "runs", "clean", "corrupted", "of clean"):
        table.add_column(head, justify="left" if head == "network" else "right")
    for name, row in mean_corrupted(results).iterrows():
        spread = "" if pd.isna(row["sd"]) else f" ± {row['sd']:.3f}"
        share = f"{row[MEAN] / row['clean']:.0%}" if row["clean"] else "–"
        cells = f"{row['runs']:.0f}", f"{row['clean']:.3f}", f"{row[MEAN]:.3f}{spread}", share
        table.add_row(str(name), *cells)
    return table
