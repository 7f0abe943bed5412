"""``medqnn robustness``: how a run's networks fare on worse images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer


def robustness(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Folders of complete runs; of several, the means over runs are shown."),
    ],
    images: Annotated[
        int | None,
        typer.Option(min=2, help="At most so many test images, evenly over the classes."),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the corruptions and of the images taken.")
    ] = 0,
) -> None:
    """Measure accuracy under eight graded corruptions and two attacks, hybrid beside twins.

    Example: medqnn robustness runs/demo --images 500

    Writes RUN/robustness.csv and RUN/robustness.json, and into RUN/report.html. A run that has
    them, of the same options, is not measured again.
    """
    from medqnn.cli.show import console, decoding
    from medqnn.cli.show_robustness import show_robustness
    from medqnn.report.html import write_report
    from medqnn.robustness.results import is_measured, measure_run, read_results, require_alike
    from medqnn.training.folder import RunFolder

    folders = [RunFolder(path) for path in runs]
    require_alike(folders)
    for folder in folders:
        if not is_measured(folder, images, seed):
            try:
                measure_run(folder, images, seed, decoding, _bar(folder.path.name))
            except KeyboardInterrupt:
                console.print(
                    f"interrupted: nothing was written for {folder.path}; what was measured of "
                    "other runs is kept",
                    soft_wrap=True,
                )
                raise typer.Exit(130) from None
            if (folder.path / "report.html").is_file():
                write_report(folder.path)
    show_robustness([read_results(folder) for folder in folders])
    where = folders[0].path if len(folders) == 1 else "each run's folder"
    console.print(f"table: robustness.csv in {where}", soft_wrap=True)


def _bar(name: str) -> Any:
    """A progress bar over batches of images."""
    from rich.progress import track

    from medqnn.cli.show import console

    def bar(items: Iterable[Any], total: int) -> Iterator[Any]:
        return iter(track(items, f"measuring {name}", total, console=console))

    return bar
