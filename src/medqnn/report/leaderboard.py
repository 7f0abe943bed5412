"""The leaderboard of studies as one HTML file that loads nothing from outside."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from medqnn.report.tables import Cell, Row, Table


class Group(NamedTuple):
    """One study with one recipe: its title, its verdict in words, its table's cells as text."""

    title: str
    verdict: str
    text: pd.DataFrame


def render(groups: Sequence[Group]) -> str:
    """The page as text; the first column of each group's table heads its rows."""
    environment = Environment(
        loader=PackageLoader("medqnn.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    boards = [(group.title, group.verdict, _table(group.text)) for group in groups]
    template = environment.get_template("leaderboard.html.j2")
    return template.render(boards=boards, version=version("medqnn"))


def _table(text: pd.DataFrame) -> Table:
    rows = [Row(head, [_cell(text) for text in cells]) for head, *cells in text.to_numpy()]
    return Table(list(text.columns), rows)


def _cell(text: str) -> Cell:
    """An interval goes below its estimate."""
    estimate, bracket, rest = text.partition(" (")
    return Cell(estimate, rest.removesuffix(")")) if bracket else Cell(text)
