"""What a study says: its runs compared, for the recipe that all share and for the tuned ones."""

from __future__ import annotations

from typing import Any

from medqnn.evaluation.predictions import AnyPredictions, read_predictions
from medqnn.evaluation.repeated.comparison import Run, compare_runs
from medqnn.layers.twins import HYBRID
from medqnn.study.folder import SHARED, TUNED, StudyFolder

FILE = "results.json"


def write_results(study: StudyFolder) -> dict[str, Any]:
    """Compare the hybrid with every twin, over all runs that are complete, and write it down.

    Returns:
        By recipe, "shared" and, if the study has searches, "tuned": what
        ``evaluation.repeated.comparison.compare_runs`` gives.
    """
    recipes = (SHARED, TUNED)[: 1 + bool(study.plan().tune)]
    results = {recipe: _compare(study, recipe) for recipe in recipes}
    study.write_json(FILE, results)
    return results


def _compare(study: StudyFolder, recipe: str) -> dict[str, Any]:
    plan, facts = study.plan(), study.facts()
    runs = _predictions(study, recipe)
    # A split file's groups of copies stand in the place of patients that nobody named.
    grouped = any(table.patients_known for table in runs.values())
    return compare_runs(
        runs,
        {fold: parts["train"] for fold, parts in enumerate(facts["folds"], start=1)},
        hybrid=HYBRID,
        margin=plan.margin,
        seed=plan.seeds[0],
        units="groups of copies" if grouped and not facts["data"]["patients_known"] else None,
    )


def _predictions(study: StudyFolder, recipe: str) -> dict[Run, AnyPredictions]:
    return {
        Run(cell.variant, cell.fold, cell.seed): read_predictions(
            study.run(cell).path / cell.variant / "predictions.csv"
        )
        for cell in study.plan().cells(recipe)
        if study.complete(cell)
    }
