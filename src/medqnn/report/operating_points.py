"""The report's section on sensitivity at a stated specificity."""

from __future__ import annotations

from typing import Any

from medqnn.report.formatting import interval, percent
from medqnn.report.run_folder import Run, Variant
from medqnn.report.tables import Cell, Row, Table

MANY = 6  # classes of which each specificity still makes a table that can be read
ALONE = 0.9  # the specificity shown where there are more


def section(run: Run) -> dict[str, Any]:
    """What the template needs; ``operating`` is None where an older run lacks the figures."""
    points = [point for v in run.variants for point in v.metrics.get("operating_points", [])]
    if not all(variant.metrics.get("operating_points") for variant in run.variants):
        return {"operating": None}
    negatives = [point["validation_negatives"] for point in points]
    return {
        "operating": operating_table(run.variants),
        "operating_alone": ALONE if len(run.classes) > MANY else None,
        "operating_negatives": (min(negatives), max(negatives)),
    }


def operating_table(variants: list[Variant]) -> Table:
    """Sensitivity and specificity on test images at each threshold, two columns a variant."""
    by_variant = [variant.metrics["operating_points"] for variant in variants]
    many = len(variants[0].predictions.classes) > MANY
    several = len({point["class"] for point in by_variant[0]}) > 1
    rows = []
    for points in zip(*by_variant, strict=True):
        wanted = points[0]["wanted"]
        if many and wanted != ALONE:
            continue
        head = f"{wanted:.0%}" if not several else f"{points[0]['class']}, {wanted:.0%}"
        cells = [
            Cell(percent(point[measure]["estimate"]), interval(point[measure], percent))
            for point in points
            for measure in ("sensitivity", "specificity")
        ]
        rows.append(Row(head, cells))
    groups = [("", 1), *((variant.name, 2) for variant in variants)]
    columns = ["Wanted specificity", *(["Sensitivity", "Specificity reached"] * len(variants))]
    return Table(columns, rows, groups)
