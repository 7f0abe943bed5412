"""The report's section on noisy devices and finite shots, if they were measured."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from medqnn.report.figures import BLUE, GREEN, GREY, ORANGE, as_svg
from medqnn.report.formatting import UNDEFINED, decimal, interval, percent, whole
from medqnn.report.robustness import axis_limits, points
from medqnn.report.run_folder import Run
from medqnn.report.tables import Cell, Row, Table
from medqnn.training.assess import finite
from medqnn.training.folder import RunFolder
from medqnn.under_noise.results import (
    ACCURACY,
    CURVE,
    DIFFERENCE,
    SUMMARY,
    WORDS,
    Results,
    no_better,
    read_results,
    shot_curves,
    without_device,
)
from medqnn.under_noise.settings import EXACT

LOOKS: dict[str, dict[str, Any]] = {
    "no noise": {"color": BLUE, "linestyle": "-", "marker": "o"},
    "noisy": {"color": ORANGE, "linestyle": "--", "marker": "s"},
    "mitigated": {"color": GREEN, "linestyle": "-.", "marker": "D"},
}
FLAT = ("-", (0, (5, 2)), (0, (1, 1)))
"""Line styles of networks without circuits."""


def section(run: Run) -> dict[str, Any]:
    """What the template shows under "noise": None if the run was not measured.

    Returns:
        summary; no_better (networks); plots (name and data URI of each); devices and shots
        (tables).

    Raises:
        RunError: If the measurement's files are broken.
    """
    if not (run.folder / SUMMARY).is_file():
        return {"noise": None}
    results = read_results(RunFolder(run.folder))
    return {
        "noise": {
            "summary": results.summary,
            "no_better": no_better(results),
            "plots": _plots(results),
            "devices": device_table(results),
            "shots": shot_table(results),
        }
    }


def device_table(results: Results) -> Table:
    """Accuracy without shot noise, against the exact one, and how far the values are off."""
    found = results.table[results.table["shots"].isna()]
    rows = []
    for row in found.to_dict("records"):
        off = UNDEFINED if row["device"] == EXACT else f"{row['deviation']:.4f}"
        cells = [_cell(row, ACCURACY, percent), _cell(row, DIFFERENCE, points)]
        cells += [Cell(decimal(finite(row["auroc"]))), Cell(off)]
        rows.append(Row(f"{row['variant']}, {_where(row, results.summary)}", cells))
    heads = ["Network and device", "Accuracy", "Minus exact", "AUROC", "Values off by"]
    return Table(heads, rows)


def shot_table(results: Results) -> Table:
    """Accuracy by shots, mean and standard deviation of the draws."""
    rows = []
    curves = shot_curves(results.table).groupby(["variant", *CURVE], sort=False)
    for _, own in curves:
        records = own.to_dict("records")
        cells = [
            Cell(percent(one["accuracy"]), "" if pd.isna(one["sd"]) else f"± {100 * one['sd']:.1f}")
            for one in records
        ]
        rows.append(Row(f"{records[0]['variant']}, {_where(records[0], results.summary)}", cells))
    shots = map(whole, results.summary["options"]["shots"])
    return Table(["Network and device", *shots, "∞"], rows)


def _where(row: dict[Hashable, Any], summary: dict[str, Any]) -> str:
    if row["device"] != EXACT:
        done = "" if row["mitigation"] == "none" else f", {WORDS[row['mitigation']]}"
        return f"{row['device']}{done}"
    return "no circuits" if summary["circuits"][row["variant"]] is None else "no noise"


def _cell(
    row: dict[Hashable, Any], columns: list[str], text: Callable[[float | None], str]
) -> Cell:
    values = [finite(row[column]) for column in columns]
    record = dict(zip(("estimate", "low", "high"), values, strict=True))
    return Cell(text(record["estimate"]), interval(record, text))


def _plots(results: Results) -> list[tuple[str, str]]:
    """For each network with circuits and each device, its name and its plot."""
    found, about = results
    curves = shot_curves(found)
    exact = without_device(found)
    bare = [name for name, circuits in about["circuits"].items() if circuits is None]
    flat = {str(name): exact.set_index("variant").loc[name, "accuracy"] for name in bare}
    mean, bar = curves["accuracy"], curves["sd"].fillna(0.0)
    limits = axis_limits(
        pd.concat([mean - bar, mean + bar, pd.Series([*flat.values()], dtype=float)])
    )
    plots = []
    for name in dict.fromkeys(curves["variant"]):
        own = curves[curves["variant"] == name]
        for device in about["devices"]:
            shown = {
                "no noise": own[own["device"] == EXACT],
                "noisy": own[(own["device"] == device) & (own["mitigation"] == "none")],
                "mitigated": own[(own["device"] == device) & (own["mitigation"] == "both")],
            }
            title = f"{name} on {device}"
            plots.append((title, shot_plot(shown, flat, limits, about["baseline"])))
    return plots


@as_svg
def shot_plot(
    curves: dict[str, pd.DataFrame],
    flat: dict[str, float],
    limits: tuple[float, float],
    baseline: float,
) -> Figure:
    """Accuracy by shots, each number's spread as a bar, and at the right without shot noise.

    Args:
        curves: Rows of `shot_curves`, by what they are: keys of `LOOKS`.
        flat: Accuracy of the networks without circuits.
        limits: Ends of the axis, the same for all plots.
        baseline: Accuracy without looking at the image.
    """
    figure = Figure((2.9, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.axhline(baseline, color=GREY, linewidth=0.8, linestyle=":")
    for (name, accuracy), style in zip(flat.items(), FLAT, strict=False):
        axes.axhline(accuracy, color="black", linewidth=1, linestyle=style, label=name)
    places: list[int] = []
    for number, (name, rows) in enumerate(curves.items()):
        drawn, limit = rows[rows["shots"].notna()], rows[rows["shots"].isna()]
        places = list(range(len(drawn)))
        shift = 0.12 * (number - 1)  # bars side by side
        at = [place + shift for place in places]
        look = LOOKS[name] | {"ms": 4.5, "mfc": "white", "capsize": 2, "elinewidth": 0.8}
        axes.errorbar(at, drawn["accuracy"], drawn["sd"], label=name, **look)
        axes.plot(
            [len(drawn) + shift], limit["accuracy"], **LOOKS[name] | {"ms": 5, "linestyle": ""}
        )
    counts = [f"{count:,.0f}" for count in next(iter(curves.values()))["shots"].dropna()]
    axes.set_xticks([*places, len(places)], labels=[*counts, "∞"], fontsize=8.5)
    axes.set(xlabel="shots of each circuit", ylabel="Accuracy")
    axes.set_ylim(*limits)
    axes.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1), fontsize=8.5)
    return figure
