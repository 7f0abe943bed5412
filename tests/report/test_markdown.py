from __future__ import annotations

import re
from pathlib import Path

import pytest

from medqnn.report.markdown import as_table, write_markdown, write_study_markdown
from medqnn.report.tables import Cell, Row, Table
from study.tiny import tiny_data, tiny_study

from .runs import read_json

__all__ = ["tiny_data", "tiny_study"]


@pytest.fixture(scope="module")
def text(run: Path) -> str:
    path = write_markdown(run)
    assert path == run / "report.md"
    return path.read_text()


def test_table_is_githubs() -> None:
    table = Table(
        ["", "x", "y", "n"],
        [Row("a|b", [Cell("1", "0 to 2"), Cell("<i>"), Cell("3")])],
        [("", 1), ("hybrid", 2), ("", 1)],
    )
    assert as_table(table, "A title").splitlines() == [
        "**A title**",
        "",
        "|  | hybrid: x | hybrid: y | n |",
        "| --- | ---: | ---: | ---: |",
        "| a\\|b | 1 (0 to 2) | \\<i\\> | 3 |",
    ]


def test_tables_have_the_run_s_numbers(run: Path, text: str) -> None:
    scores = read_json(run / "hybrid" / "metrics.json")["scores"]
    record = scores["macro_f1"]
    numbers = "{estimate:.3f} ({low:.3f} to {high:.3f})".format(**record)
    assert f"| Macro F1 | {numbers} |" in text
    assert read_json(run / "comparisons.json")[0]["words"].split(":")[0] in text
    assert "Synthetic data" in text
    assert "not results of this run: accuracy: 96.48 % hybrid" in text


def test_every_table_has_one_width(text: str) -> None:
    tables = re.findall(r"(?:^\|.*\|\n?)+", text, re.MULTILINE)
    assert len(tables) >= 8
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_a_study_has_its_verdict_and_tables(tiny_study: Path, tmp_path: Path) -> None:
    for name in ("study.json", "results.json", "table.csv"):
        (tmp_path / name).write_bytes((tiny_study / name).read_bytes())
    text = write_study_markdown(tmp_path).read_text()
    results = read_json(tmp_path / "results.json")
    for result in results.values():
        assert result["verdict"]["sentence"][:40] in text
    assert "| Corrected t, Holm's p |" in text
    assert "No run failed." in text
