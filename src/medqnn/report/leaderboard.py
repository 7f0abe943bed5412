"""The leaderboard of studies as one HTML file that loads nothing from outside."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple

import pandas as pd

from medqnn.report.page import page
from medqnn.report.tables import Cell, Row, Table


class Group(NamedTuple):
    """One study with one recipe: its title, its verdict in words, its table's cells as text."""

    title: str
    verdict: str
    text: pd.DataFrame


def render(groups: Sequence[Group]) -> str:
    """The page as text; the first column of each group's table heads its rows."""
    boards = [(group.title, group.verdict, _table(group.text)) for group in groups]
    return page("leaderboard.html.j2", boards=boards, version=version("medqnn"))


def _table(text: pd.DataFrame) -> Table:
    rows = [Row(head, [_cell(text) for text in cells]) for head, *cells in text.to_numpy()]
    return Table(list(text.columns), rows)


def _cell(text: str) -> Cell:
    """An interval goes below its estimate."""
    estimate, bracket, rest = text.partition(" (")
    return Cell(estimate, rest.removesuffix(")")) if bracket else Cell(text)
