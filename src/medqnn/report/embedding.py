"""The report's section on how far the features of each network keep the classes apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from medqnn.explain.embedding_map import (
    BY_NEIGHBOURS,
    ON_MAP,
    SILHOUETTE,
    read_embedding,
)
from medqnn.report.figures import GREY, as_svg, wrapped
from medqnn.report.formatting import decimal, interval, percent, signed
from medqnn.report.robustness import SHAPES, points
from medqnn.report.roc import LOOKS
from medqnn.report.run_folder import Run
from medqnn.report.tables import Cell, Row, Table
from medqnn.training.folder import RunFolder

COLOURS = [*(colour for colour, _ in LOOKS), GREY]  # 7 and 6 shapes: 42 classes look different


def section(run: Run) -> dict[str, Any]:
    """What the template shows; ``embedding`` is None if `medqnn explain` made no map.

    Returns:
        numbers (embedding.json), verdicts (of each twin, in words), plots (name and data URI of
        each network's), table.

    Raises:
        RunError: if the map's files are broken.
    """
    found = read_embedding(RunFolder(run.folder))
    if found is None:
        return {"embedding": None}
    return {
        "embedding": {
            "numbers": found.numbers,
            "verdicts": [_verdict(found.numbers, twin) for twin in found.numbers["differences"]],
            "plots": [
                (name, embedding_plot(places, found.labels, run.classes))
                for name, places in found.maps.items()
            ],
            "table": separation_table(found.numbers),
        }
    }


def separation_table(numbers: dict[str, Any]) -> Table:
    """Silhouettes and neighbours of each network, and how far the reference is ahead.

    Args:
        numbers: embedding.json.
    """
    variants, differences = numbers["variants"], numbers["differences"]
    rows = []
    for name in next(iter(variants.values())):
        shares = name == BY_NEIGHBOURS
        text, gap = (percent, points) if shares else (decimal, signed)
        cells = [
            Cell(text(v[name]["estimate"]), interval(v[name], text)) for v in variants.values()
        ]
        cells += [
            Cell(gap(d[name]["estimate"]), interval(d[name], gap)) for d in differences.values()
        ]
        rows.append(Row(_title(name, numbers["neighbours"]), cells))
    pairs = [f"{numbers['reference']} − {name}" for name in differences]
    return Table(["Measure", *variants, *pairs], rows)


def _title(measure: str, neighbours: int) -> str:
    heads = {
        SILHOUETTE: "Silhouette of the features",
        ON_MAP: "Silhouette of the map",
        BY_NEIGHBOURS: f"Right by {neighbours} nearest neighbours",
    }
    return heads.get(measure) or f"Silhouette of {measure.removeprefix(SILHOUETTE)[1:-1]}"


def _verdict(numbers: dict[str, Any], twin: str) -> str:
    """Whether silhouettes and neighbours tell the reference from a twin, in two sentences."""
    found = numbers["differences"][twin]
    by_silhouette = _told(numbers, twin, found[SILHOUETTE], signed)
    by_neighbours = _told(numbers, twin, found[BY_NEIGHBOURS], points, " points")
    return (
        f"By the silhouette of the features {by_silhouette}. By nearest neighbours {by_neighbours}."
    )


def _told(
    numbers: dict[str, Any],
    twin: str,
    record: dict[str, float | None],
    text: Callable[[float | None], str],
    unit: str = "",
) -> str:
    """Which of two networks keeps the classes further apart, with the difference."""
    reference, estimate, low = numbers["reference"], record["estimate"] or 0.0, record["low"]
    gap = f"{reference} − {twin}: {text(estimate)}{unit}"
    if low is None:
        return f"one patient does not tell them apart ({gap}, without an interval)"
    gap += f", {numbers['interval']['level']:.0%} interval {interval(record, text)}"
    if low <= 0 <= (record["high"] or 0.0):
        return f"these images do not tell {reference} and {twin} apart ({gap})"
    better, worse = (reference, twin) if estimate > 0 else (twin, reference)
    return f"{better} keeps the classes further apart than {worse} ({gap})"


@as_svg
def embedding_plot(places: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> Figure:
    """Images in the plane, their class told by colour and by marker.

    Args:
        places: (n, 2) float.
        labels: (n,) int, index of the class.
        classes: their names.
    """
    figure = Figure((4.6, 4.8), layout="constrained")
    axes = figure.subplots()
    for number, name in enumerate(classes):
        own = places[labels == number]
        axes.scatter(
            own[:, 0],
            own[:, 1],
            s=16,
            color=COLOURS[number % len(COLOURS)],
            marker=SHAPES[number % len(SHAPES)],
            alpha=0.75,
            linewidths=0,
            label=wrapped(name),
        )
    axes.set(xticks=[], yticks=[])
    axes.set_aspect("equal", adjustable="datalim")
    axes.spines[:].set_visible(True)
    figure.legend(loc="outside lower center", ncols=min(3, len(classes)), markerscale=1.4)
    return figure
