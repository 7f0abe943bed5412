"""The audit of a data set as files: a page that loads nothing from outside, JSON, and tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from medqnn.data.auditing.audit import PROBLEMS, Audit
from medqnn.data.auditing.audit_summary import as_json, named_pairs
from medqnn.data.auditing.copies import KINDS
from medqnn.data.auditing.near_copies import ALIKE, SAME
from medqnn.data.table import ImageTable
from medqnn.errors import DataError
from medqnn.report.audit_pairs import PAIRS, galleries
from medqnn.report.formatting import percent, whole
from medqnn.report.page import page
from medqnn.report.tables import Cell, Row, Table

PROBLEMS_SHOWN = 100


def write_html(found: Audit, table: ImageTable, path: Path) -> None:
    """Write the audit as a page that shows some pairs of each kind.

    Args:
        found: what the audit found.
        table: the audited data set, whose images of these pairs are read again.
        path: where to write.

    Raises:
        DataError: It cannot be written there.
    """
    page = render(found, table)
    _write(path, lambda file: file.write_text(page, encoding="utf-8"))


def write_json(found: Audit, path: Path) -> None:
    """Write all findings as JSON.

    Raises:
        DataError: It cannot be written there.
    """
    text = json.dumps(as_json(found), indent=1, ensure_ascii=False, allow_nan=False)
    _write(path, lambda file: file.write_text(text + "\n", encoding="utf-8"))


def write_tables(found: Audit, folder: Path) -> None:
    """Write pairs.csv (every pair) and images.csv (facts of every image) into a folder.

    Raises:
        DataError: They cannot be written there.
    """
    _write(folder / "pairs.csv", lambda file: named_pairs(found).to_csv(file, index=False))
    columns = ["id", *(name for name in found.facts if name != "id")]
    _write(folder / "images.csv", lambda file: found.facts[columns].to_csv(file, index=False))


def render(found: Audit, table: ImageTable) -> str:
    """The page as text."""
    facts = as_json(found)
    context = {
        "found": found,
        "facts": facts,
        "version": version("medqnn"),
        "counts": _counts(found.counts),
        "patients": None if found.patients is None else _counts(found.patients),
        "files": _files(facts),
        "problems": _problems(found),
        "problems_shown": PROBLEMS_SHOWN,
        "copies": _copies(found),
        "galleries": galleries(found, table),
        "pairs_shown": PAIRS,
        "shortcuts": _shortcuts(found),
        "alike": ALIKE,
        "same": SAME,
    }
    return page("audit.html.j2", **context)


def _write(path: Path, write: Callable[[Path], Any]) -> None:
    """Make the folder and write beside the place, so that the file appears whole."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        part.replace(path)
    except OSError as error:
        raise DataError(
            f"cannot write {path} ({error.strerror or error}): name a place that you may write to"
        ) from error


def _counts(counts: pd.DataFrame) -> Table:
    rows = [
        Row(str(label), [Cell(whole(int(count))) for count in row])
        for label, row in counts.iterrows()
    ]
    return Table(["Class", *map(str, counts.columns)], rows)


def _files(facts: dict[str, Any]) -> Table:
    rows = [
        Row(title, [Cell(what), Cell(whole(count))])
        for title, key in (("Size", "sizes"), ("Pixels", "pixels"), ("Format", "formats"))
        for what, count in list(facts[key].items())[:6]
    ]
    return Table(["", "", "Images"], rows)


def _problems(found: Audit) -> Table:
    rows = [
        Row(str(one["id"]), [Cell(PROBLEMS[one["problem"]]), Cell(one["detail"] or "")])
        for one in found.problems.head(PROBLEMS_SHOWN).to_dict("records")
    ]
    return Table(["Image", "Problem", "Reason"], rows)


def _copies(found: Audit) -> Table:
    pairs, images = found.pairs_by_kind(), found.leaked_by_kind()
    across = found.leaks["kind"].value_counts()
    rows = []
    for kind, words in KINDS.items():
        apart = [whole(int(across.get(kind, 0))), whole(images[kind])]
        texts = [whole(pairs[kind]), *(["–", "–"] if kind == "alike" else apart)]
        rows.append(Row(words, [Cell(text) for text in texts]))
    return Table(["Kind", "Pairs", "Pairs across sides", "Images leaked"], rows)


def _shortcuts(found: Audit) -> Table:
    rows = [
        Row(
            f"{one.fact}: {one.label}",
            [
                Cell(percent(one.accuracy)),
                Cell(percent(one.majority)),
                Cell(f"{one.gain:.0%}"),
                Cell("warning" if one.warning else ""),
            ],
        )
        for one in found.shortcuts
    ]
    return Table(["Fact and class", "Right", "Majority rule", "Errors avoided", ""], rows)
