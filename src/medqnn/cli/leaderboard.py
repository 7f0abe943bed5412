"""``medqnn leaderboard``: all studies side by side."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer


def leaderboard(
    folder: Annotated[Path, typer.Argument(help="Folder below which the studies are.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to. Default: the same folder.")
    ] = None,
) -> None:
    """Put all studies into one table: leaderboard.html, leaderboard.md and leaderboard.csv.

    Example: medqnn leaderboard runs
    """
    from medqnn.cli.show import console
    from medqnn.report.leaderboard import Group, render
    from medqnn.study.leaderboard import as_markdown, as_text, gather, headline
    from medqnn.training.folder import Folder

    board = gather(folder)
    groups = [
        Group(headline(own), own["overall"].iloc[0], as_text(own).drop(columns=["system", "data"]))
        for _, own in board.groupby(["study", "recipe"], sort=False)
    ]
    place = Folder(out or folder)
    pages = {
        "html": render(groups),
        "md": as_markdown(as_text(board)) + "\n",
        "csv": board.to_csv(index=False),
    }
    for ending, page in pages.items():
        place.write(f"leaderboard.{ending}", partial(Path.write_text, data=page, encoding="utf-8"))
    for group in groups:
        console.print(f"{group.title}: {group.verdict}", soft_wrap=True)
    for ending in pages:
        console.print(f"wrote {place.path / f'leaderboard.{ending}'}", soft_wrap=True)
