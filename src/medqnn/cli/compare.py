"""``medqnn compare``: two models on the same images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    a: Annotated[
        Path,
        typer.Argument(help="Predictions (CSV), or a variant's folder such as runs/demo/hybrid."),
    ],
    b: Annotated[Path, typer.Argument(help="The same for the other model, on the same images.")],
    resamples: Annotated[
        int, typer.Option(min=100, help="Bootstrap resamples of patients.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
) -> None:
    """Test whether two models differ, by the paired bootstrap over patients and McNemar's test.

    Example: medqnn compare runs/demo/hybrid runs/demo/dense
    """
    from medqnn.cli.show import show_differences, show_scores
    from medqnn.evaluation import evaluate as evaluation
    from medqnn.evaluation.predictions import read_predictions

    paths = [path / "predictions.csv" if path.is_dir() else path for path in (a, b)]
    first, second = (read_predictions(path) for path in paths)
    names = _names(a, b)
    comparison = evaluation.compare(first, second, *names, resamples, seed)
    show_scores(
        {
            name: evaluation.evaluate(predictions, resamples, seed)
            for name, predictions in zip(names, (first, second), strict=True)
        },
        comparison["patients_known"],
    )
    show_differences(comparison)


def _names(a: Path, b: Path) -> tuple[str, str]:
    """Short names that tell the two apart."""
    return (a.stem, b.stem) if a.stem != b.stem else (str(a), str(b))
