"""``medqnn noise``: what a noisy quantum device would leave of a run's networks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer


def noise(
    run: Annotated[Path, typer.Argument(help="Folder of a complete run.")],
    profile: Annotated[
        list[str] | None,
        typer.Option(
            help="Device whose noise to simulate: ibm-eagle, ibm-heron-r2, ionq-aria, "
            "quantinuum-h2, or a YAML file like theirs. May be given again. Default: ibm-heron-r2."
        ),
    ] = None,
    shots: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="Runs of each circuit and image. May be given again. Default: 64, 256, 1024, "
            "4096.",
        ),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(min=2, help="At most so many test images, evenly over the classes."),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the shots and of the images taken.")
    ] = 0,
) -> None:
    """Measure accuracy on simulated noisy devices, by shots, with and without mitigation.

    Example: medqnn noise runs/demo --profile ibm-heron-r2 --profile ionq-aria --images 200

    Writes RUN/noise.csv and RUN/noise.json, and into RUN/report.html. A run that has them, of the
    same options, is not measured again. To train for a device: medqnn train hqcnn-medmnist --data
    DATA --set noise=ibm-heron-r2
    """
    from medqnn.cli.show import console, decoding
    from medqnn.cli.show_noise import show_noise
    from medqnn.report.html import write_report
    from medqnn.training.folder import RunFolder
    from medqnn.under_noise.results import is_measured, measure_run, read_results
    from medqnn.under_noise.settings import PROFILES, SHOTS, devices

    folder, chosen = RunFolder(run), devices(profile or PROFILES, shots or SHOTS)
    folder.require_complete()
    if not is_measured(folder, chosen, images, seed):
        try:
            measure_run(folder, chosen, images, seed, decoding, _bar)
        except KeyboardInterrupt:
            console.print(f"interrupted: nothing was written for {run}", soft_wrap=True)
            raise typer.Exit(130) from None
        if (run / "report.html").is_file():
            write_report(run)
    show_noise(read_results(folder))
    console.print(f"table: noise.csv in {run}", soft_wrap=True)


def _bar(items: Iterable[Any], total: int) -> Iterator[Any]:
    """A progress bar over networks, devices and shots."""
    from rich.progress import track

    from medqnn.cli.show import console

    return iter(track(items, "measuring under noise", total, console=console))
