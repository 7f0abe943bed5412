"""The report's section on subgroups of the test images."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from medqnn.report.figures import GREY, as_svg
from medqnn.report.formatting import decimal, interval, percent, whole
from medqnn.report.robustness import SHAPES, points
from medqnn.report.roc import LOOKS
from medqnn.report.run_folder import Run, Variant
from medqnn.report.scores import task_of
from medqnn.report.tables import Cell, Row, Table

LONGEST = 24  # letters of a group's name in the figure
_TITLES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "auroc": "AUROC",
    "label_accuracy": "Right answers",
}


def section(run: Run) -> dict[str, Any]:
    """What the template needs; ``attributes`` is empty where there are no subgroups."""
    measured = [variant.metrics.get("subgroups") for variant in run.variants]
    if not all(measured):
        return {"attributes": []}
    findings = task_of(run.variants[0].metrics) == "multi-label"
    score = "auroc" if findings else "accuracy"
    title = "mean AUROC" if findings else "accuracy"
    known = run.facts["data"]["patients_known"]
    return {
        "subgroup_score": title,
        "attributes": [
            {
                **run.variants[0].metrics["subgroups"][number],
                "plot": forest(run.variants, number, score, title),
                "table": subgroup_table(run.variants, number, score, known),
            }
            for number in range(len(run.variants[0].metrics["subgroups"]))
        ],
    }


def subgroup_table(variants: list[Variant], number: int, score: str, patients: bool) -> Table:
    """A row for each group of an attribute and each network.

    Args:
        variants: with the same subgroups.
        number: which attribute.
        score: whose difference from the rest is shown.
        patients: whether patients are known.
    """
    by_variant = [variant.metrics["subgroups"][number]["groups"] for variant in variants]
    rows = []
    for groups in zip(*by_variant, strict=True):
        for variant, group in zip(variants, groups, strict=True):
            first = variant is variants[0]
            counts = _counts(group, patients) if first else [Cell("")] * (1 + patients)
            cells = [Cell(variant.name), *counts, *_scores(group, score)]
            rows.append(Row(group["group"] if first else "", cells))
    titles = [_TITLES[name] for name in by_variant[0][0]["scores"]]
    heads = ["Images", "Patients"][: 1 + patients]
    return Table(["Group", "Network", *heads, *titles, f"{_TITLES[score]} − rest"], rows)


def _counts(group: dict[str, Any], patients: bool) -> list[Cell]:
    counts = [whole(group["images"]), *([whole(group["patients"])] if patients else [])]
    note = "too few to judge" if group["few"] else ""
    return [*map(Cell, counts[:-1]), Cell(counts[-1], note)]


def _scores(group: dict[str, Any], score: str) -> list[Cell]:
    cells = []
    for name, record in group["scores"].items():
        text = decimal if name == "auroc" else percent
        cells.append(Cell(text(record["estimate"]), interval(record, text)))
    gain = group["differences"][score]
    return [*cells, Cell(points(gain["estimate"]), interval(gain, points))]


@as_svg
def forest(variants: list[Variant], number: int, score: str, title: str) -> Figure:
    """Each group's score minus that of the rest, by network, with intervals.

    Args:
        variants: at most six, with the same subgroups.
        number: which attribute.
        score: whose difference is drawn.
        title: what the score is called.
    """
    groups = variants[0].metrics["subgroups"][number]["groups"]
    height = 1.2 + len(groups) * (0.3 + 0.14 * len(variants))
    figure = Figure((5.2, height), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color=GREY, linewidth=0.8)
    offsets = 0.16 * (np.arange(len(variants)) - (len(variants) - 1) / 2)
    looks = zip(variants, LOOKS, SHAPES, offsets, strict=False)
    for variant, (colour, _), shape, offset in looks:
        axes.plot([], [], shape, color=colour, ms=5, label=variant.name)
        for row, group in enumerate(variant.metrics["subgroups"][number]["groups"]):
            gain = group["differences"][score]
            if gain["estimate"] is None:
                continue
            face = "white" if group["few"] else colour
            if gain["low"] is not None:
                ends = [100 * gain["low"], 100 * gain["high"]]
                axes.plot(ends, [row + offset] * 2, color=colour, linewidth=1.6)
            axes.plot(100 * gain["estimate"], row + offset, shape, color=colour, mfc=face, ms=5)
    axes.set_yticks(range(len(groups)), [_short(group["group"]) for group in groups])
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlabel(f"Group − rest, points of {title}")
    axes.spines["left"].set_visible(False)
    axes.tick_params(left=False)
    axes.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1), fontsize=9)
    return figure


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
