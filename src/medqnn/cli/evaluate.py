"""``medqnn evaluate``: scores with intervals, from predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    what: Annotated[
        Path,
        typer.Argument(
            help="A run folder, or a CSV file of any model's predictions with the columns "
            "id, patient, label, p_0 … p_K (label: 0 … K; probabilities of each class). For "
            "findings that may occur together: y_0 … y_K (0 or 1) in the place of label."
        ),
    ],
    resamples: Annotated[
        int, typer.Option(min=100, help="For a CSV file: bootstrap resamples of patients.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="For a CSV file: seed of the bootstrap.")] = 0,
) -> None:
    """Print scores by class and over all, with 95% intervals that keep patients together.

    Example: medqnn evaluate runs/demo
    """
    from medqnn.cli.show import show_run, show_scores
    from medqnn.evaluation import evaluate as evaluation
    from medqnn.evaluation.predictions import read_predictions
    from medqnn.training.folder import RunFolder

    if what.is_dir():
        folder = RunFolder(what)
        folder.require_complete()
        show_run(folder)
        return
    predictions = read_predictions(what)
    scores = evaluation.evaluate(predictions, resamples, seed)
    show_scores({what.stem: scores}, scores["patients_known"])
