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
            "id, patient, label, p_0 … p_K (label: 0 … K; probabilities of each class)."
        ),
    ],
    resamples: Annotated[
        int, typer.Option(min=100, help="For a CSV file: bootstrap resamples of patients.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="For a CSV file: seed of the bootstrap.")] = 0,
) -> None:
    """Print Table 1 and the main scores with 95% intervals that keep patients together.

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
    show_scores({what.stem: evaluation.evaluate(predictions, resamples, seed)})
