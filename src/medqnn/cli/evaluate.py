"""``medqnn evaluate``: scores with intervals, from predictions or from a device."""

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
    device: Annotated[
        str | None,
        typer.Option(
            help="For a run: execute its circuits on this PennyLane device, such as "
            "lightning.qubit, default.mixed, or that of any plugin that you have."
        ),
    ] = None,
    shots: Annotated[
        int | None, typer.Option(min=1, help="With --device: shots of each circuit and readout.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="With --device: what the device is opened with; repeatable."
        ),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(
            min=0, help="With --device: test images, evenly over the classes; 0 for all. [100]"
        ),
    ] = None,
    resamples: Annotated[
        int, typer.Option(min=100, help="For a CSV file: bootstrap resamples of patients.")
    ] = 1000,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the bootstrap, or of the images for a device.")
    ] = 0,
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

        on_device(what, device, shots, option or [], images, seed)
        return
    refuse("no --device is given", shots=shots, option=option, images=images)
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
