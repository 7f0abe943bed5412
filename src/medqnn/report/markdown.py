"""A run's or a study's report as Markdown: sentences and tables of the page, no figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medqnn.report import (
    data,
    diagnostics,
    embedding,
    explained,
    noise,
    on_devices,
    opening,
    operating_points,
    study,
    subgroups,
)
from medqnn.report.html import results
from medqnn.report.page import page, plain
from medqnn.report.robustness import robustness
from medqnn.report.run_folder import Run, read_run
from medqnn.report.tables import Cell, Table
from medqnn.training.folder import Folder, RunFolder

NAME = "report.md"


def write_markdown(run: Path) -> Path:
    """Write RUN/report.md, whole or not at all.

    Returns:
        Path of the file.

    Raises:
        RunError: If the run is not complete, lacks a file, or cannot be written to.
    """
    return RunFolder(run).write_text(NAME, render(read_run(run)))


def write_study_markdown(folder: Path) -> Path:
    """Write STUDY/report.md, whole or not at all.

    Returns:
        Path of the file.

    Raises:
        RunError: If the study has no results yet, or the file cannot be written.
    """
    text = page("study.md.j2", table=as_table, **study.content(study.read_study(folder)))
    return Folder(folder).write_text(NAME, text)


def render(run: Run) -> str:
    """The report of a run as text."""
    return page("report.md.j2", table=as_table, recipe=run.recipe, **content(run))


def content(run: Run) -> dict[str, Any]:
    """What the page's sections of tables hold; the figures among it go unused."""
    tables = (opening, operating_points, embedding, explained, subgroups, noise, on_devices)
    sections = [data.facts, results, *(part.section for part in (*tables, diagnostics))]
    found = {key: part for section in sections for key, part in section(run).items()}
    return {**found, "robustness": robustness(run)}


def as_table(content: Table, title: str) -> str:
    """A table as GitHub shows it; titles over several columns are said in each of them."""
    groups = [name for name, span in content.groups for _ in range(span)]
    named = zip(groups or [""] * len(content.columns), content.columns, strict=True)
    heads = [plain(f"{group}: {column}" if group else column) for group, column in named]
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    lines += [[plain(row.head), *map(_cell, row.cells)] for row in content.rows]
    return "\n".join([f"**{plain(title)}**", "", *(f"| {' | '.join(line)} |" for line in lines)])


def _cell(cell: Cell) -> str:
    return plain(f"{cell.text} ({cell.note})" if cell.note else cell.text)
