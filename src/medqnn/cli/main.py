"""The command ``medqnn``: what is typed, and how errors are shown."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import medqnn
from medqnn.cli.compare import compare
from medqnn.cli.data import app as data_app
from medqnn.cli.diagnose import diagnose
from medqnn.cli.evaluate import evaluate
from medqnn.cli.explain import explain
from medqnn.cli.export import export
from medqnn.cli.leaderboard import leaderboard
from medqnn.cli.noise import noise
from medqnn.cli.recipe import app as recipe_app
from medqnn.cli.report import report
from medqnn.cli.resources import resources
from medqnn.cli.robustness import robustness
from medqnn.cli.study import study
from medqnn.cli.train import train
from medqnn.errors import MedqnnError

app = typer.Typer(
    name="medqnn",
    help="Hybrid quantum-classical medical image classification, with honest evaluation.\n\n"
    "Start with: medqnn train hqcm-ebtc --data phantom",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command()(train)
app.command()(evaluate)
app.command()(compare)
app.command()(study)
app.command()(leaderboard)
app.command()(robustness)
app.command()(noise)
app.command()(explain)
app.command()(diagnose)
app.command()(report)
app.command()(export)
app.command()(resources)
app.add_typer(recipe_app, name="recipe")
app.add_typer(data_app, name="data")


def _version(asked: bool) -> None:
    if asked:
        print(medqnn.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print it and exit."),
    ] = False,
) -> None:
    pass


def run() -> None:
    """Run the command line; a fault that the user can mend is one line, exit code 2."""
    try:
        app()
    except MedqnnError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
