"""The report of a study as one HTML file that loads nothing from outside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from medqnn.errors import RunError
from medqnn.report import study_tables
from medqnn.report.formatting import percent
from medqnn.report.page import page
from medqnn.report.run_folder import without_paths
from medqnn.report.study_figures import forest
from medqnn.training.folder import Folder

RECIPES = {"shared": "The recipe that all share", "tuned": "Each variant tuned by itself"}


@dataclass(frozen=True)
class Study:
    """What a study's folder says.

    Attributes:
        facts: ``study.json``.
        results: ``results.json``: comparisons by recipe.
        runs: ``table.csv``.
        failures: ``failures.csv``; empty if nothing failed.
    """

    facts: dict[str, Any]
    results: dict[str, dict[str, Any]]
    runs: pd.DataFrame
    failures: pd.DataFrame


def read_study(folder: Path) -> Study:
    """Read a study that has results.

    Raises:
        RunError: If a file is missing or broken.
    """
    try:
        facts, results = (
            json.loads((folder / name).read_text(encoding="utf-8"))
            for name in ("study.json", "results.json")
        )
        runs = pd.read_csv(folder / "table.csv")
    except (OSError, ValueError) as error:
        raise RunError(
            f"{folder} has no results yet: finish the study with `medqnn study {folder}`"
        ) from error
    failed = folder / "failures.csv"
    failures = pd.read_csv(failed) if failed.is_file() else pd.DataFrame()
    return Study(without_paths(facts), results, runs, failures)


def write_study_report(folder: Path) -> Path:
    """Write STUDY/report.html, whole or not at all.

    Returns:
        Path of the report.

    Raises:
        RunError: If the study has no results yet, or the file cannot be written.
    """
    return Folder(folder).write_text("report.html", render(read_study(folder)))


def render(study: Study) -> str:
    """The page as text."""
    return page("study.html.j2", **content(study))


def content(study: Study) -> dict[str, Any]:
    """What the page's template, and the Markdown's, need."""
    facts = study.facts
    return {
        "facts": facts,
        "data": facts["data"],
        "plan": facts["plan"],
        "leaks": sorted({fold["leak"] for fold in facts["folds"] if fold["leak"]}),
        "points": f"{100 * facts['plan']['margin']:g}",
        "parts": [_part(study, recipe, result) for recipe, result in study.results.items()],
        "folds": study_tables.fold_table(facts["folds"]),
        "runs": study_tables.run_table(study.runs),
        "failures": study_tables.failure_table(study.failures),
    }


def _part(study: Study, recipe: str, result: dict[str, Any]) -> dict[str, Any]:
    runs = study.runs[study.runs["recipe"] == recipe]
    shown = study_tables.paired(result)
    return {
        "key": recipe,
        "title": RECIPES[recipe],
        "verdict": result["verdict"]["sentence"],
        "sentences": {name: one["verdict"]["sentence"] for name, one in result["twins"].items()},
        "scores": study_tables.variant_table(shown, runs),
        **(_tests(shown) if shown["twins"] else {"forest": None}),
        "units": result["units"],
        "floor": percent(result["floor"]),
        "no_better": result["no_better"],
    }


def _tests(shown: dict[str, Any]) -> dict[str, Any]:
    """What there is to say of twins that share a run with the hybrid."""
    return {
        "forest": forest(shown),
        "tests": study_tables.comparison_table(shown),
        "others": study_tables.difference_table(shown),
        "images": study_tables.image_table(shown),
    }
