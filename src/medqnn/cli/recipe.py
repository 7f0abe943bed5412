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
    """List the systems: paper, year, task, data sets, and what the paper claims.

    Example: medqnn recipe list
    """
    from rich.padding import Padding
    from rich.table import Table

    from medqnn.cli.show import console
    from medqnn.training import recipe as recipes

    for name in recipes.names():
        about = recipes.load(name).about
        facts = Table.grid("", "", padding=(0, 2))
        facts.add_row("paper", about.title)
        facts.add_row("authors", about.authors)
        facts.add_row("year", str(about.year or "unknown"))
        facts.add_row("task", about.task)
        facts.add_row("data sets", about.data_sets)
        published = [f"{what}: {value}" for what, value in about.published.items()]
        facts.add_row("published\n(not ours)", "\n".join(published))
        console.print(name, style="bold")
        console.print(Padding(facts, (0, 0, 1, 2)))


@app.command()
def show(name: Annotated[str, typer.Argument(help="A recipe of `medqnn recipe list`.")]) -> None:
    """Print a recipe with its comments, every value with its source.

    Example: medqnn recipe show hqcm-ebtc > mine.yaml
    """
    from medqnn.training import recipe as recipes

    print(recipes.text(name), end="")
