"""The runs of a study as one tidy table: a row a run, failed and missing ones included."""

from __future__ import annotations

from typing import Any

import pandas as pd

from medqnn.evaluation.operating_points import mean_sensitivities
from medqnn.study.folder import SHARED, TUNED, Cell, StudyFolder

CSV, PARQUET = "table.csv", "table.parquet"


def write_table(study: StudyFolder) -> pd.DataFrame:
    """Gather the table and write it as CSV and as Parquet.

    Returns:
        One row a cell of the plan; columns run, system, data, leak, recipe, variant, fold, seed,
        status ("complete" or "missing"), parameters, head_parameters, epochs, best_epoch, seconds
        (of training, measured), every score of the test part, and sensitivity@0.80 and so on: at
        the threshold that reaches such a specificity on validation images, of the second of two
        classes, else the mean over classes. Scores of a missing run are missing.
    """
    facts, plan = study.facts(), study.plan()
    cells = [cell for kind in (SHARED, TUNED)[: 1 + bool(plan.tune)] for cell in plan.cells(kind)]
    table = pd.DataFrame([_row(study, facts, cell) for cell in cells])
    study.write(CSV, lambda file: table.to_csv(file, index=False))
    study.write(PARQUET, lambda file: table.to_parquet(file, index=False))
    return table


def _row(study: StudyFolder, facts: dict[str, Any], cell: Cell) -> dict[str, Any]:
    row = {
        "run": cell.name,
        "system": facts["system"],
        "data": facts["data"]["name"],
        "leak": facts["folds"][cell.fold - 1]["leak"] is not None,
        **cell._asdict(),
        "status": "complete" if study.complete(cell) else "missing",
    }
    if row["status"] == "missing":
        return row
    folder = study.run(cell)
    metrics = folder.read_json(f"{cell.variant}/metrics.json")
    history = pd.read_csv(folder.path / cell.variant / "history.csv")
    counts = ("parameters", "head_parameters", "epochs", "best_epoch")
    located = metrics.get("localisation", {})
    return {
        **row,
        **{key: metrics[key] for key in counts},
        "seconds": round(float(history["seconds"].sum()), 3),
        **{name: score["estimate"] for name, score in metrics["scores"].items()},
        **{name: score["estimate"] for name, score in located.items()},
        **mean_sensitivities(metrics.get("operating_points", [])),  # older runs lack them
    }
