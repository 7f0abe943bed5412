"""What a study says: its runs compared, for the recipe that all share and for the tuned ones."""

from __future__ import annotations

from typing import Any

from medqnn.errors import RunError
from medqnn.evaluation.predictions import AnyPredictions, read_predictions
from medqnn.evaluation.repeated.comparison import Run, compare_runs
from medqnn.layers.twins import HYBRID
from medqnn.study.folder import SHARED, TUNED, StudyFolder

FILE = "results.json"


def write_results(study: StudyFolder) -> dict[str, Any]:
    """Compare the hybrid with every twin, over all runs that are complete, and write it down.

    Returns:
        By recipe, "shared" and, if the study has searches, "tuned": what
        ``evaluation.repeated.comparison.compare_runs`` gives; without a recipe of which the hybrid
        or every twin has no run.

    Raises:
        RunError: If no runs can be compared.
    """
    recipes = (SHARED, TUNED)[: 1 + bool(study.plan().tune)]
    results = {recipe: _compare(study, recipe) for recipe in recipes if _comparable(study, recipe)}
    if not results:
        raise RunError(
            f"{study.path} has no runs that could be compared: see failures.csv there, mend the "
            f"cause and go on with `medqnn study {study.path}`"
        )
    study.write_json(FILE, results)
    return results


def _comparable(study: StudyFolder, recipe: str) -> bool:
    """Whether the hybrid and a twin have a run each."""
    there = {cell.variant for cell in study.plan().cells(recipe) if study.complete(cell)}
    return HYBRID in there and len(there) > 1


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
        planned=[Run(c.variant, c.fold, c.seed) for c in plan.cells(recipe)],
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
