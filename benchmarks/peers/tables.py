"""Tables of a benchmark's figures, for the terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from rich.table import Table

from medqnn.study.leaderboard import as_markdown
from peers.contest import Row

Results = dict[str, dict[str, Row]]
"""By case, then by peer."""

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Notes:
    """Footnotes, each text once."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def mark(self, text: str) -> str:
        """The superscript number of a footnote."""
        if text not in self.texts:
            self.texts.append(text)
        return self.number(self.texts.index(text))

    @staticmethod
    def number(index: int) -> str:
        """From 1 on, raised."""
        return str(index + 1).translate(SUPERSCRIPTS)

    def lines(self) -> list[str]:
        """The footnotes in their order."""
        return [f"{self.number(index)} {text}" for index, text in enumerate(self.texts)]


def figure(value: float) -> str:
    """Three digits, or whole thousands."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def step_time(row: Row) -> str:
    ratio = row["ratio_to_ours"]
    return figure(row["median_ms"]) + (f" ({figure(ratio)}×)" if ratio is not None else "")


QUANTITIES: dict[str, Callable[[Row], str]] = {
    "Forward and backward step, median ms (times medqnn's)": step_time,
    "First call, ms: what is compiled or cached for the layer, and one step": lambda row: figure(
        row["first_ms"]
    ),
    "Peak memory of the process, MB, libraries included": lambda row: f"{row['peak_mb']:,.0f}",
}


def cell(row: Row, text: Callable[[Row], str], notes: Notes) -> str:
    """A figure, or a dash and the reason."""
    if row["status"] == "slower":
        return "too slow" + notes.mark(row["reason"])
    if row["status"] != "timed":
        return "–" + notes.mark(row["reason"])
    alone = ["gradients to the weights alone"] if row.get("weights_only") else []
    double = ["in float64"] if row["dtype"] == "float64" else []
    special = ", ".join(alone + double)
    return text(row) + (notes.mark(special) if special else "")


def frames(results: Results, notes: Notes) -> dict[str, pd.DataFrame]:
    """A table of texts for each quantity: a line a peer, a column a case."""
    return {
        title: pd.DataFrame(
            {
                case: {name: cell(row, text, notes) for name, row in rows.items()}
                for case, rows in results.items()
            }
        )
        .rename_axis("peer")
        .reset_index()
        for title, text in QUANTITIES.items()
    }


def markdown(results: Results) -> str:
    """All tables and the footnotes, for a page of the documentation."""
    notes = Notes()
    parts = [f"{title}:\n\n{as_markdown(text)}" for title, text in frames(results, notes).items()]
    return "\n\n".join([*parts, "\\\n".join(notes.lines())]).strip()


def terminal(results: Results) -> list[Table | str]:
    """The same for a terminal."""
    notes, shown = Notes(), []
    for title, text in frames(results, notes).items():
        table = Table(title=title)
        for number, column in enumerate(text.columns):
            table.add_column(column, justify="right" if number else "left")
        for line in text.to_numpy().tolist():
            table.add_row(*line)
        shown.append(table)
    return [*shown, *notes.lines()]
