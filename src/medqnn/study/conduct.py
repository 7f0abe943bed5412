"""A whole study, from its plan to its results: what is left of it."""

from __future__ import annotations

from typing import Any

from medqnn.errors import RunError
from medqnn.study.folder import SHARED, TUNED, StudyFolder
from medqnn.study.jobs import Search, TrainCell, fold_data
from medqnn.study.launch import Crew, Failures, Watch, alone, launch
from medqnn.study.results import write_results
from medqnn.study.table import write_table


def conduct(
    study: StudyFolder, crew: Crew, watch: Watch = lambda _: None
) -> tuple[dict[str, Any], Failures]:
    """Do what a study lacks, then gather its table and results.

    Searches come first, among the runs of the shared recipe; the tuned runs need what they find.

    Returns:
        The results, see ``results.write_results``; and why jobs failed that were given up.

    Raises:
        RunError: If another process works on the study, or a file cannot be written.
    """
    plan = study.plan()
    searches = [
        Search(variant, fold)
        for fold in range(1, plan.folds + 1)
        for variant in plan.variants
        if plan.tune
    ]
    shared = [TrainCell(cell) for cell in plan.cells(SHARED)]
    with alone(study):
        if not all(job.done(study) for job in shared):
            fold_data(study.path, 1)  # what is wrong with the data is said once, before all runs
        failures = launch(study, [*searches, *shared], crew, watch)
        found = {(one.variant, one.fold) for one in searches if one.done(study)}
        tuned = [
            TrainCell(cell) for cell in plan.cells(TUNED) if (cell.variant, cell.fold) in found
        ]
        failures |= launch(study, tuned, crew, watch)
        write_table(study)
        try:
            return write_results(study), failures
        except RunError as error:
            raise RunError(f"{error}{_reasons(failures)}") from error


def _reasons(failures: Failures) -> str:
    """The first of the reasons, for an error's message."""
    return next((f"; {name} failed: {fault}" for name, fault in failures.items()), "")
