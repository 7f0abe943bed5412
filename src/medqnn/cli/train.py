"""``medqnn train``: train a system and its twins, score them, write the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from medqnn.training.folder import RunFolder


def train(
    system: Annotated[
        str,
        typer.Argument(
            help="A published system: hqcm-ebtc, hqcnn-medmnist, hybrid-mri, "
            "hybrid-mri-alzheimer or hqcnn-gvco (see `medqnn recipe list`); a recipe file "
            "(.yaml); or the folder of an interrupted run, which then goes on."
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            help="Data set: 'phantom' (embedded, synthetic; 'phantom:600' for 600 images), the "
            ".npz file of a 2D set of MedMNIST, a folder with one folder of images a class, a "
            "folder with index.csv, or a folder with the MATLAB files of Cheng 2015."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder to make. Default: runs/SYSTEM-DATA.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a recipe value, such as training.epochs=5 or variants=\\[hybrid,matched]. "
            "May be given several times.",
        ),
    ] = None,
) -> None:
    """Train a published system and its twins on a data set, compare them, write a report.

    Example: medqnn train hqcm-ebtc --data phantom --set training.epochs=5

    Ctrl-C leaves a run that `medqnn train RUN_FOLDER` continues to the same result.
    """
    from medqnn.cli.show import console, decoding, show_run
    from medqnn.report.html import write_report
    from medqnn.training import run

    folder = _open(system, data, out, tuple(set_ or ()))
    names = folder.facts()["variants"]

    def announce(variant: str) -> None:
        console.print(f"{variant} ({names.index(variant) + 1} of {len(names)})", style="bold")

    try:
        run.proceed(folder, decoding, announce)
    except KeyboardInterrupt:
        console.print(f"interrupted: go on with `medqnn train {folder.path}`", soft_wrap=True)
        raise typer.Exit(130) from None
    show_run(folder)
    console.print(f"report: {write_report(folder.path)}", soft_wrap=True)


def _open(system: str, data: str | None, out: Path | None, overrides: tuple[str, ...]) -> RunFolder:
    """The run to go on with, or a new one."""
    from medqnn.cli.show import console, decoding
    from medqnn.errors import RunError
    from medqnn.training import recipe as recipes
    from medqnn.training.folder import RunFolder
    from medqnn.training.plan import start

    if Path(system).is_dir():
        if data or out or overrides:
            raise RunError(
                f"{system} is a run folder, whose recipe and data are fixed: leave out --data, "
                "--out and --set"
            )
        return RunFolder(Path(system))
    if data is None:
        raise RunError("no data set: give --data PATH, or --data phantom for the embedded one")
    recipe = recipes.load(system, overrides)
    name = data.replace(":", "-") if data.startswith("phantom") else Path(data).resolve().name
    folder = start(recipe, data, out or Path("runs") / f"{recipe.system}-{name}", decoding)
    facts = folder.facts()["data"]
    synthetic = " (synthetic)" if facts["synthetic"] else ""
    console.print(
        f"{recipe.system} on {facts['name']}{synthetic}: {facts['images']} images, split "
        f"{facts['split_rule']}; into {folder.path}",
        soft_wrap=True,
    )
    return folder
