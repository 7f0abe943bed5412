"""``medqnn evaluate``: scores with intervals, from predictions or from a device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medqnn.errors import RunError

RESAMPLES = 1000
What = Annotated[
    Path,
    typer.Argument(
        help="A run folder, or a CSV file of any model's predictions with the columns "
        "id, patient, label, p_0 … p_K (label: 0 … K; probabilities of each class). For "
        "findings that may occur together: y_0 … y_K (0 or 1) in the place of label."
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        help="For a run: execute its circuits on this PennyLane device, such as "
        "lightning.qubit, default.mixed, or that of any plugin that you have."
    ),
]
Shots = Annotated[
    int | None, typer.Option(min=1, help="With --device: shots of each circuit and readout.")
]
Options = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE", help="With --device: what the device is opened with; repeatable."
    ),
]
ImageCount = Annotated[
    int | None,
    typer.Option(
        min=0, help="With --device: test images, evenly over the classes; 0 for all. [100]"
    ),
]
Resamples = Annotated[
    int | None,
    typer.Option(
        min=100,
        help=f"Bootstrap resamples of patients. [{RESAMPLES}, or with --device the recipe's]",
    ),
]
Seed = Annotated[
    int, typer.Option(min=0, help="Seed of a CSV file's bootstrap, or of the images for a device.")
]


def evaluate(
    what: What,
    device: Device = None,
    shots: Shots = None,
    option: Options = None,
    images: ImageCount = None,
    resamples: Resamples = None,
    seed: Seed = 0,
) -> None:
    """Print scores by class and over all, with 95% intervals that keep patients together.

    Example: medqnn evaluate runs/demo

    Example: medqnn evaluate runs/demo --device default.qubit --shots 1000

    With --device each test image is seen twice, by the exact simulation and by the device, and the
    answers are compared. A line that breaks is tried again; what is done is kept in
    RUN/devices/NAME, and the same command goes on from there.
    """
    from medqnn.cli.folders import refuse

    if device is not None:
        from medqnn.cli.on_device import on_device

        on_device(what, device, shots, option or [], images, seed, resamples)
        return
    refuse("no --device is given", shots=shots, option=option, images=images)
    if what.is_dir():
        refuse(f"{what} was scored when it was trained", resamples=resamples, seed=seed)
        _run(what)
    elif not what.exists():
        raise RunError(f"{what} does not exist: give a run's folder, or a CSV file of predictions")
    else:
        _predictions(what, resamples or RESAMPLES, seed)


def _run(path: Path) -> None:
    """The scores that a run holds."""
    from medqnn.cli.show import show_run
    from medqnn.training.folder import RunFolder

    folder = RunFolder(path)
    folder.require_complete()
    show_run(folder)


def _predictions(path: Path, resamples: int, seed: int) -> None:
    """Scores of a CSV file."""
    from medqnn.cli.show import show_scores
    from medqnn.evaluation import evaluate as evaluation
    from medqnn.evaluation.predictions import read_predictions

    scores = evaluation.evaluate(read_predictions(path), resamples, seed)
    show_scores({path.stem: scores}, scores["patients_known"])
