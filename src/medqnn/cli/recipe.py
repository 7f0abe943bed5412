"""``medqnn recipe``: the published systems that medqnn reproduces."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    help="List the published systems, or show a recipe to start your own from.",
    no_args_is_help=True,
)


@app.command("list")
def list_() -> None:
    """List the systems: paper, year, task, and what the paper claims.

    Example: medqnn recipe list
    """
    from rich.table import Table

    from medqnn.cli.show import console
    from medqnn.training import recipe as recipes

    table = Table("recipe", "paper", "year", "task", "data sets", "published (not ours)")
    for name in recipes.names():
        about = recipes.load(name).about
        published = "\n".join(f"{what}: {value}" for what, value in about.published.items())
        row = (name, about.authors, str(about.year), about.task, about.data_sets, published)
        table.add_row(*row)
    console.print(table)


@app.command()
def show(name: Annotated[str, typer.Argument(help="A recipe of `medqnn recipe list`.")]) -> None:
    """Print a recipe with its comments, every value with its source.

    Example: medqnn recipe show hqcm-ebtc > mine.yaml
    """
    from medqnn.training import recipe as recipes

    print(recipes.text(name), end="")
