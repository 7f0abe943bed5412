"""``medqnn study``: does the quantum layer help? Hybrid and twins over seeds and folds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medqnn.cli.folders import data_name, refuse

if TYPE_CHECKING:
    from medqnn.study.folder import StudyFolder
    from medqnn.study.folds import Folds
    from medqnn.study.launch import Crew


SEEDS, MARGIN = 5, 0.02


def study(
    system: Annotated[
        str,
        typer.Argument(
            help="A published system (see `medqnn recipe list`); a recipe file (.yaml); or the "
            "folder of an unfinished study, which then goes on."
        ),
    ],
    data: Annotated[
        str | None, typer.Option(help="Data set, as `medqnn train` takes it; or 'phantom'.")
    ] = None,
    twins: Annotated[
        str | None,
        typer.Option(
            help="Twins to train beside the hybrid, such as dense,product. Default: all of them."
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=2, help="Runs of each variant on each fold. Default: 5.")
    ] = None,
    folds: Annotated[
        str | None,
        typer.Option(
            help="Number of folds to draw, by patient and without parting copies; or 'own' for the "
            "data set's. Default: the recipe's split alone."
        ),
    ] = None,
    tune: Annotated[
        int,
        typer.Option(
            min=0,
            help="Trials of a search of the recipe, on validation alone, for each variant and "
            "fold; its runs are added to those of the shared recipe.",
        ),
    ] = 0,
    margin: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=0.5,
            help="Difference in accuracy or AUROC below which two are alike. Default: 0.02.",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, one training each. Default: one a core.")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Send the runs to a Ray cluster, such as auto or ray://head:10001; the nodes "
            "share the study's folder and the data. Needs medqnn\\[cluster].",
        ),
    ] = None,
    gpus: Annotated[
        float, typer.Option(min=0, help="With --ray: GPUs, or the part of one, for each run.")
    ] = 0.0,
    out: Annotated[
        Path | None, typer.Option(help="Folder to make. Default: runs/study-SYSTEM-DATA.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a recipe value, for all runs."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Split file of `medqnn data split`, for the set's own.")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out images that cannot be used; listed.")
    ] = False,
    allow_leak: Annotated[
        bool,
        typer.Option(
            "--allow-leak", help="Train although images stand on two sides of a split; marked."
        ),
    ] = False,
) -> None:
    """Train a system and its twins over seeds and folds, and say whether the quantum layer helps.

    Example: medqnn study hqcnn-medmnist --data bloodmnist.npz --seeds 10

    Ctrl-C leaves a study that `medqnn study FOLDER` continues to the same result.
    """
    from medqnn.cli.show import console, decoding
    from medqnn.cli.show_study import show_plan, show_study, watching
    from medqnn.errors import RunError
    from medqnn.report.study import write_study_report
    from medqnn.study import plan
    from medqnn.study.conduct import conduct
    from medqnn.study.folder import StudyFolder
    from medqnn.training import recipe as recipes

    if Path(system).is_dir():
        given = {"data": data, "out": out, "set": set_, "split": split, "skip_bad": skip_bad}
        design = {"twins": twins, "seeds": seeds, "folds": folds, "tune": tune, "margin": margin}
        why = f"{system} is a study's folder, whose plan is fixed"
        refuse(why, **given, **design, allow_leak=allow_leak)
        folder = StudyFolder(Path(system))
    elif data is None:
        raise RunError("no data set: give --data PATH, or --data phantom for the embedded one")
    else:
        recipe = recipes.load(system, (*(set_ or ()), f"variants={_variants(twins)}"))
        folder = plan.start(
            recipe,
            data,
            out or Path("runs") / f"study-{recipe.system}-{data_name(data)}",
            decoding,
            seeds=seeds or SEEDS,
            folds=_folds(folds),
            tune=tune,
            margin=margin or MARGIN,
            split=split,
            skip_bad=skip_bad,
            allow_leak=allow_leak,
        )
    show_plan(folder)
    crew = _crew(folder, workers, ray, gpus)
    try:
        with watching(folder) as watch:
            results, failures = conduct(folder, crew, watch)
    except KeyboardInterrupt:
        console.print(f"interrupted: go on with `medqnn study {folder.path}`", soft_wrap=True)
        raise typer.Exit(130) from None
    finally:
        crew.close()
    write_study_report(folder.path)
    show_study(folder, results, failures)
    raise typer.Exit(1 if failures else 0)


def _crew(folder: StudyFolder, workers: int | None, ray: str | None, gpus: float) -> Crew:
    import os

    if ray is not None:
        from medqnn.study.cluster import RayCrew

        return RayCrew(ray, gpus)
    from medqnn.study.local import LocalCrew

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return LocalCrew(workers or cores or 1)


def _variants(twins: str | None) -> str:
    """The recipe's variants for the twins named."""
    from medqnn.layers.twins import HYBRID, VARIANTS

    every = [name for name in VARIANTS if name != HYBRID]
    names = every if twins in (None, "all") else [name for name in (twins or "").split(",") if name]
    return f"[{', '.join([HYBRID, *(name.strip() for name in names)])}]"


def _folds(folds: str | None) -> Folds:
    from medqnn.errors import RunError

    if folds is None:
        return None
    if folds == "own":
        return "own"
    if folds.isdigit() and int(folds) >= 2:
        return int(folds)
    raise RunError(f"--folds {folds}: give a number of 2 or more, or 'own'")
