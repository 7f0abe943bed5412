"""``medqnn train``: train a system and its twins, score them, write the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medqnn.cli.folders import data_name, refuse

if TYPE_CHECKING:
    from medqnn.training.folder import RunFolder


def train(
    system: Annotated[
        str,
        typer.Argument(
            help="A system: hqcm-ebtc, hqcm-ebtc-plus, hqcnn-medmnist, hybrid-mri, "
            "hybrid-mri-alzheimer or hqcnn-gvco (see `medqnn recipe list`); a recipe file "
            "(.yaml); or the folder of an interrupted run, which then goes on."
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            help="Data set: 'phantom' (embedded, synthetic; 'phantom:600' for 600 images), the "
            ".npz file of a 2D set of MedMNIST, a folder with one folder of images a class, a "
            "folder with index.csv, a folder of DICOM files or NIfTI volumes with labels.csv, or a "
            "folder with the MATLAB files of Cheng 2015."
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
    split: Annotated[
        str | None,
        typer.Option(help="Split file of `medqnn data split`, for the set's own."),
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out images that cannot be used; listed.")
    ] = False,
    allow_leak: Annotated[
        bool,
        typer.Option(
            "--allow-leak", help="Train although images stand on two sides of the split; marked."
        ),
    ] = False,
) -> None:
    """Train a published system and its twins on a data set, compare them, write a report.

    Example: medqnn train hqcm-ebtc --data phantom --set training.epochs=5

    Ctrl-C leaves a run that `medqnn train RUN_FOLDER` continues to the same result.
    """
    from medqnn.cli.show import console
    from medqnn.training.distributed import first, processes, rank

    with processes():
        console.quiet = rank() > 0
        allowed = {"skip_bad": skip_bad, "allow_leak": allow_leak}
        folder = first(lambda: _begin(system, data, out, set_, split, allowed))
        _proceed(folder)
        first(lambda: _show(folder))


def _begin(
    system: str,
    data: str | None,
    out: Path | None,
    settings: list[str] | None,
    split: str | None,
    allowed: dict[str, bool],
) -> RunFolder:
    """The run folder to go on with, or a new one."""
    from medqnn.cli.show import decoding
    from medqnn.errors import RunError
    from medqnn.training import recipe as recipes
    from medqnn.training.folder import RunFolder
    from medqnn.training.plan import start

    if Path(system).is_dir():
        why = f"{system} is a run folder, whose recipe and data are fixed"
        refuse(why, data=data, out=out, set=settings, split=split, **allowed)
        return RunFolder(Path(system))
    if data is None:
        raise RunError("no data set: give --data PATH, or --data phantom for the embedded one")
    recipe = recipes.load(system, tuple(settings or ()))
    path = out or Path("runs") / f"{recipe.system}-{data_name(data)}"
    folder = start(recipe, data, path, decoding, split_file=split, **allowed)
    _introduce(folder)
    return folder


def _proceed(folder: RunFolder) -> None:
    """Train what the run lacks."""
    from medqnn.cli.show import console, decoding
    from medqnn.training import run

    def announce(variant: str) -> None:
        names = folder.facts()["variants"]
        console.print(f"{variant} ({names.index(variant) + 1} of {len(names)})", style="bold")

    try:
        run.proceed(folder, decoding, announce)
    except KeyboardInterrupt:
        console.print(f"interrupted: go on with `medqnn train {folder.path}`", soft_wrap=True)
        raise typer.Exit(130) from None


def _show(folder: RunFolder) -> None:
    """Show the scores and write the report, for which images and a map of features are kept."""
    from medqnn.cli.show import console, decoding, show_run
    from medqnn.explain.cases import FILE, write_cases
    from medqnn.explain.embedding_map import write_embedding
    from medqnn.report.html import write_report
    from medqnn.training.trained import load_trained

    show_run(folder)
    if not (folder.path / FILE).is_file():
        trained = load_trained(folder, decoding)
        with console.status("choosing images, mapping features"):
            write_embedding(folder, trained)
            write_cases(folder, trained)  # last, for its file says that both are done
    console.print(f"report: {write_report(folder.path)}", soft_wrap=True)


def _introduce(folder: RunFolder) -> None:
    """Say what is about to be trained."""
    from medqnn.cli.show import console

    facts = folder.facts()
    data = facts["data"]
    synthetic = " (synthetic)" if data["synthetic"] else ""
    console.print(
        f"{facts['system']} on {data['name']}{synthetic}: {data['images']} images, {data['task']}, "
        f"split {data['split_rule']}; into {folder.path}",
        soft_wrap=True,
    )
    if data["skipped"]:
        console.print(
            f"{data['skipped']} images left out: see {folder.path / 'skipped.csv'}", soft_wrap=True
        )
    if data["leak"]:
        console.print(f"LEAKING SPLIT: {data['leak']}", soft_wrap=True, style="bold red")
