"""``medqnn data fetch``: a public data set from where its authors publish it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from medqnn.data.fetching.download import Progress


def fetch(
    name: Annotated[
        str,
        typer.Argument(
            help="cheng2015, or a 2D set of MedMNIST: pathmnist, chestmnist, dermamnist, "
            "octmnist, pneumoniamnist, retinamnist, breastmnist, bloodmnist, tissuemnist, "
            "organamnist, organcmnist or organsmnist, each of 28 pixels, or with _64, _128 or "
            "_224 behind it."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder to put it in.")] = Path("data"),
) -> None:
    """Fetch a public data set and check that it came whole.

    Ctrl-C or a lost connection loses nothing: the same command goes on.

    Example: medqnn data fetch breastmnist
    """
    from medqnn.cli.show import console
    from medqnn.data.fetching.fetch import fetch as fetch_set
    from medqnn.data.fetching.public_sets import public_set

    def tell(line: str) -> None:
        console.print(line, soft_wrap=True)

    found = public_set(name)
    tell(found.about)
    try:
        with _bar() as progress:
            path = fetch_set(found, out, progress=progress, tell=tell)
    except KeyboardInterrupt:
        tell(f"interrupted: go on with `medqnn data fetch {name} --out {out}`")
        raise typer.Exit(130) from None
    tell(f"next: medqnn train {found.system} --data {path}")


@contextmanager
def _bar() -> Iterator[Progress]:
    """A progress bar over bytes."""
    from rich import progress as rich

    from medqnn.cli.show import console

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.DownloadColumn(),
        rich.TransferSpeedColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=console) as bar:
        tasks: dict[str, rich.TaskID] = {}

        def show(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield show
