"""The report of a run as one HTML file that loads nothing from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from medqnn.report import (
    cases,
    data,
    diagnostics,
    embedding,
    explained,
    figures,
    noise,
    on_devices,
    opening,
    operating_points,
    panels,
    roc,
    subgroups,
    tables,
)
from medqnn.report.page import page
from medqnn.report.robustness import robustness
from medqnn.report.run_folder import Run, read_run
from medqnn.training.folder import RunFolder

MANY = 6  # classes whose confusion matrix is still legible at half the page's width


def write_report(run: Path) -> Path:
    """Write RUN/report.html, whole or not at all.

    Args:
        run: folder of a complete run.

    Returns:
        Path of the report.

    Raises:
        RunError: if the run is not complete, lacks a file, or cannot be written to.
    """
    return RunFolder(Path(run)).write_text("report.html", render(read_run(Path(run))))


def render(run: Run) -> str:
    """The page as text."""
    parts = (
        opening,
        data,
        operating_points,
        panels,
        embedding,
        explained,
        subgroups,
        cases,
        noise,
        on_devices,
        diagnostics,
    )
    sections = [results, _training, _robustness, *(part.section for part in parts)]
    context = {key: part for section in sections for key, part in section(run).items()}
    return page("report.html.j2", **context)


def results(run: Run) -> dict[str, Any]:
    """Scores and comparisons as tables, without pictures."""
    return {
        "comparisons": run.comparisons,
        "main_scores": tables.score_table(run.variants, main=True),
        "all_scores": tables.score_table(run.variants),
        "class_scores": tables.class_table(run.variants),
        "costs": tables.cost_table(run.variants),
        "mcnemar": [tables.mcnemar_table(c) for c in run.comparisons if "mcnemar" in c],
        "differences": [tables.difference_table(comparison) for comparison in run.comparisons],
        "localisation": tables.localisation_table(
            run.variants, run.comparisons, run.facts["data"]["patients_known"]
        ),
    }


def _training(run: Run) -> dict[str, Any]:
    limit = figures.loss_limit(run.variants)
    return {
        "recipe": run.recipe,
        "curves": [(v.name, figures.learning_curves(v, limit)) for v in run.variants],
        "confusions": [
            (v.name, figures.confusion(np.array(v.metrics["confusion"]), run.classes))
            for v in run.variants
            if "confusion" in v.metrics
        ],
        "many_classes": len(run.classes) > MANY,
        "roc_plots": list(roc.roc_plots(run)),
        "reliabilities": [
            (v.name, figures.reliability(v.metrics["reliability"]))
            for v in run.variants
            if "reliability" in v.metrics
        ],
    }


def _robustness(run: Run) -> dict[str, Any]:
    return {"robustness": robustness(run)}
