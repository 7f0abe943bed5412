"""A run or a study as one JSON file: every number of its report, from the same sources."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from medqnn import __version__
from medqnn.diagnostics.diagnose import FILE as DIAGNOSTICS
from medqnn.explain.embedding_map import NUMBERS as EMBEDDING
from medqnn.explain.scores import SUMMARY as EXPLAINED
from medqnn.hardware.found import read_found
from medqnn.report.run_folder import Run, read_run
from medqnn.report.study import Study, read_study
from medqnn.report.tables import PARTS
from medqnn.robustness.results import SUMMARY as ROBUSTNESS
from medqnn.robustness.results import read_results
from medqnn.training.folder import Folder, RunFolder
from medqnn.under_noise.results import SUMMARY as NOISE
from medqnn.under_noise.results import read_results as read_noise

NAME = "report.json"
SCHEMA = 1  # raised whenever a key changes its meaning or goes


def write_json(run: Path) -> Path:
    """Write RUN/report.json, whole or not at all.

    Returns:
        Path of the file.

    Raises:
        RunError: If the run is not complete, lacks a file, or cannot be written to.
    """
    RunFolder(run).write_json(NAME, as_json(read_run(run)))
    return run / NAME


def write_study_json(folder: Path) -> Path:
    """Write STUDY/report.json, whole or not at all.

    Returns:
        Path of the file.

    Raises:
        RunError: If the study has no results yet, or the file cannot be written.
    """
    Folder(folder).write_json(NAME, study_as_json(read_study(folder)))
    return folder / NAME


def as_json(run: Run) -> dict[str, Any]:
    """All numbers of a run's report; docs/report.md tells each key.

    Raises:
        RunError: If a file of the run is broken.
    """
    folder = RunFolder(run.folder)
    return {
        **_head("run"),
        "run": run.facts,
        "recipe": yaml.safe_load(run.recipe),
        "split": _split(run),
        "networks": {
            variant.name: {"metrics": variant.metrics, "epochs": records(variant.history)}
            for variant in run.variants
        },
        "comparisons": run.comparisons,
        "explained": _if_there(folder, EXPLAINED),
        "embedding": _if_there(folder, EMBEDDING),
        "robustness": _with_table(folder, ROBUSTNESS, read_results),
        "noise": _with_table(folder, NOISE, read_noise),
        "devices": read_found(run.folder),
        "diagnostics": _if_there(folder, DIAGNOSTICS),
    }


def study_as_json(study: Study) -> dict[str, Any]:
    """All numbers of a study's report; docs/report.md tells each key."""
    return {
        **_head("study"),
        "study": study.facts,
        "results": study.results,
        "runs": records(study.runs),
        "failures": records(study.failures),
    }


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table; what is missing or infinite is None."""
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=15))
    return rows


def _head(kind: str) -> dict[str, Any]:
    return {"schema": SCHEMA, "kind": kind, "medqnn": __version__}


def _split(run: Run) -> dict[str, Any]:
    """Images, patients and images of each class, by part; patients are None if unknown."""
    known, classes = run.facts["data"]["patients_known"], run.by_class()
    counts = {}
    for part in PARTS:
        rows = run.split[run.split["part"] == part]
        counts[part] = {
            "images": len(rows),
            "patients": int(rows["patient"].nunique()) if known else None,
            "classes": {name: int((own["part"] == part).sum()) for name, own in classes.items()},
        }
    return counts


def _with_table(
    folder: RunFolder, name: str, read: Callable[[RunFolder], tuple[pd.DataFrame, dict[str, Any]]]
) -> dict[str, Any] | None:
    if not (folder.path / name).is_file():
        return None
    table, summary = read(folder)
    return {"summary": summary, "table": records(table)}


def _if_there(folder: RunFolder, name: str) -> Any:
    return folder.read_json(name) if (folder.path / name).is_file() else None
