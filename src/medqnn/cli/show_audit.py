"""How an audit looks in a terminal."""

from __future__ import annotations

import pandas as pd
from rich.table import Table

from medqnn.cli.show import console
from medqnn.data.auditing.audit import PROBLEMS, Audit
from medqnn.data.auditing.audit_summary import files, warnings
from medqnn.data.auditing.copies import KINDS
from medqnn.data.table import SPLITS, ImageTable

_SHOWN = 10  # problems listed by name


def show_audit(found: Audit) -> None:
    """Counts, files, problems, copies and shortcuts as tables; the warnings last."""
    console.print(_counts(f"{found.name}: images", found.counts))
    if found.patients is not None:
        console.print(_counts("Patients", found.patients))
    console.print(_files(found))
    if len(found.problems):
        console.print(_problems(found))
    console.print(_copies(found))
    if found.shortcuts:
        console.print(_shortcuts(found))
    said = warnings(found)
    for warning in said:
        console.print(f"• {warning}", style="bold red" if warning.startswith("LEAK") else "yellow")
    if not said:
        console.print("nothing to warn of")


def show_split(table: ImageTable, drawn: pd.DataFrame) -> None:
    """Images by class and part, and the number of groups that were kept together."""
    console.print(_counts(f"{table.name}: images", table.counts(drawn["split"])))
    groups = drawn.groupby("split")["group"].nunique()
    parts = ", ".join(f"{groups[part]:,} {part}" for part in SPLITS if part in groups)
    console.print(f"groups that belong together: {groups.sum():,} ({parts})")


def _counts(title: str, counts: pd.DataFrame) -> Table:
    table = Table(title=title)
    table.add_column("")
    for part in counts.columns:
        table.add_column(part, justify="right")
    for label, row in counts.iterrows():
        table.add_row(str(label), *(f"{count:,}" for count in row))
    return table


def _files(found: Audit) -> Table:
    facts = files(found)
    table = Table("", "value", title="Files")
    for title, key in (("size", "sizes"), ("pixels", "pixels"), ("format", "formats")):
        common = list(facts[key].items())
        more = f"; {len(common) - 4} more" if len(common) > 4 else ""
        table.add_row(title, "; ".join(f"{what}: {n:,}" for what, n in common[:4]) + more)
    for name, span in facts["intensities"].items():
        if span:
            row = f"{span['lowest']:.4g} to {span['highest']:.4g}, median {span['median']:.4g}"
            table.add_row(f"{name} intensity", row)
    return table


def _problems(found: Audit) -> Table:
    table = Table("problem", "images", "the first", title="Problems")
    for problem, rows in found.problems.groupby("problem", sort=False):
        ids = ", ".join(rows["id"].head(_SHOWN)) + (", …" if len(rows) > _SHOWN else "")
        table.add_row(PROBLEMS[str(problem)], f"{len(rows):,}", ids)
    return table


def _copies(found: Audit) -> Table:
    table = Table(title="Copies")
    table.add_column("kind")
    for title in ("pairs", "pairs across sides", "images leaked"):
        table.add_column(title, justify="right")
    pairs, images = found.pairs_by_kind(), found.leaked_by_kind()
    across = found.leaks["kind"].value_counts()
    for kind, words in KINDS.items():
        if kind == "alike":
            apart, leaked = "not counted", "–"
        else:
            apart, leaked = f"{across.get(kind, 0):,}", f"{images[kind]:,}"
        table.add_row(words, f"{pairs[kind]:,}", apart, leaked)
    return table


def _shortcuts(found: Audit) -> Table:
    table = Table(title="Classes told apart by such facts alone")
    for title in ("fact", "class"):
        table.add_column(title)
    for title in ("right", "majority", "errors avoided"):
        table.add_column(title, justify="right")
    for one in found.shortcuts[:6]:
        table.add_row(
            *(one.fact, one.label, f"{one.accuracy:.1%}", f"{one.majority:.1%}", f"{one.gain:.0%}"),
            style="yellow" if one.warning else None,
        )
    return table
