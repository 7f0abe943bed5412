"""``medqnn data``: look at a data set before anything is trained on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from medqnn.cli.fetch import fetch

app = typer.Typer(
    help="Fetch a public data set, audit one for leaks, broken files and shortcuts, or split it "
    "without leaks.",
    no_args_is_help=True,
)
app.command()(fetch)
Source = Annotated[
    str, typer.Argument(help="A data set, as --data of `medqnn train` takes it.", metavar="PATH")
]


@app.command()
def audit(
    path: Source,
    html: Annotated[
        Path | None, typer.Option(help="Write a page here that shows the pairs found.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write all findings here as JSON.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for audit.html, audit.json, pairs.csv and images.csv (facts of each image)"
        ),
    ] = None,
) -> None:
    """Count, look for broken files, copies across the split, and what gives classes away.

    Exit code 1 if a picture or a patient stands on two sides of the split, 0 if not, 2 on errors.

    Example: medqnn data audit ~/brain-tumor-mri --html audit.html
    """
    from medqnn.cli.show_audit import show_audit
    from medqnn.data.auditing.audit import audit as examine
    from medqnn.data.catalogue import open_table
    from medqnn.report.audit import write_html, write_json, write_tables

    table = open_table(path)
    found = examine(table, _bar("reading images"), _bar("comparing"))
    show_audit(found)
    if out:
        write_tables(found, out)
        html, json = html or out / "audit.html", json or out / "audit.json"
    if json:
        write_json(found, json)
    if html:
        write_html(found, table, html)
    _say_written([file for file in (html, json) if file])
    if found.leaking:
        raise typer.Exit(1)


@app.command()
def split(
    path: Source,
    groups: Annotated[
        Literal["auto", "patients"],
        typer.Option(
            help="What stays together: copies, look-alikes and patients (auto), or patients alone."
        ),
    ] = "auto",
    out: Annotated[Path, typer.Option(help="CSV file to write: id, split, group.")] = Path(
        "split.csv"
    ),
    fractions: Annotated[
        tuple[float, float, float], typer.Option(help="Shares of train, validation and test.")
    ] = (0.70, 0.15, 0.15),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw.")] = 0,
) -> None:
    """Draw a split that no copy and no patient crosses, the classes in proportion.

    Example: medqnn data split ~/brain-tumor-mri --out split.csv
    """
    import pandas as pd

    from medqnn.cli.show_audit import show_split
    from medqnn.data.auditing.copies import COLUMNS, copies
    from medqnn.data.auditing.copies import groups as grouped
    from medqnn.data.catalogue import open_table
    from medqnn.data.split_file import split_by_group, write_split

    table = open_table(path)
    patients = table.rows["patient"] if table.patients_known or groups == "patients" else None
    pairs = pd.DataFrame(columns=COLUMNS)
    if groups == "auto":
        pairs = copies(table, progress=_bar("reading images"))
    drawn = split_by_group(table, grouped(pairs, len(table), patients), fractions, seed)
    write_split(drawn, out)
    show_split(table, drawn)
    _say_written([out])


def _bar(words: str) -> Callable[[Iterable[Any], int], Iterator[Any]]:
    """A progress bar with these words."""
    from rich.progress import track

    from medqnn.cli.show import console

    return lambda items, total: iter(track(items, words, total, console=console))


def _say_written(files: list[Path]) -> None:
    from medqnn.cli.show import console

    for file in files:
        console.print(f"wrote {file}", soft_wrap=True)
