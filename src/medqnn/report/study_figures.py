"""Figures of a study's report."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from medqnn.report.figures import BLUE, GREY, WIDTH, as_svg

POINTS = 100  # of accuracy, or of AUROC, to a whole


@as_svg
def forest(result: dict[str, Any]) -> Figure:
    """Gain of the hybrid over each twin: every run, the mean, its interval, the margin.

    Args:
        result: Of ``evaluation.repeated.comparison.compare_runs``.
    """
    main, twins = result["main_score"], result["twins"]
    figure = Figure((WIDTH * 1.35, 1.1 + 0.55 * len(twins)), layout="constrained")
    axes = figure.subplots()
    margin = POINTS * result["margin"]
    axes.axvspan(-margin, margin, color="#DDDDDD", linewidth=0)
    axes.axvline(0, color=GREY, linewidth=0.8)
    for row, twin in enumerate(twins.values()):
        _runs(axes, row, twin["scores"][main]["differences"])
        gain = twin["differences"][main]
        if gain["low"] is not None:
            ends = [POINTS * gain["low"], POINTS * gain["high"]]
            axes.plot(ends, [row, row], color=BLUE, linewidth=2.5, solid_capstyle="butt")
        if gain["estimate"] is not None:
            axes.plot(POINTS * gain["estimate"], row, "D", color=BLUE, markersize=7)
    axes.set_yticks(range(len(twins)), list(twins))
    axes.set_ylim(len(twins) - 0.4, -0.6)
    axes.set_xlabel(f"{result['hybrid']} − twin, points of {_name(main)}; right: hybrid better")
    axes.spines["left"].set_visible(False)
    axes.tick_params(left=False)
    return figure


def _runs(axes: Any, row: int, differences: list[list[float | None]]) -> None:
    """One open circle a run, folds beside each other."""
    seen = np.array(differences, dtype=np.float64) * POINTS
    height = row - 0.18 - 0.18 * np.linspace(0, 1, len(seen))  # above the bar
    for values, place in zip(seen, height, strict=True):
        axes.plot(
            values, np.full(len(values), place), "o", color=GREY, fillstyle="none", markersize=4
        )


def _name(score: str) -> str:
    return "AUROC" if score == "auroc" else score
