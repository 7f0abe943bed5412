from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from medqnn.errors import RunError
from medqnn.report.formatting import p_value
from medqnn.report.leaderboard import Group
from medqnn.report.leaderboard import render as render_board
from medqnn.report.study import read_study, render, write_study_report
from medqnn.report.study_figures import forest
from medqnn.report.study_tables import comparison_table, variant_table
from study.tiny import tiny_data, tiny_study

from .page import Page

__all__ = ["tiny_data", "tiny_study"]


@pytest.fixture
def copy(tiny_study: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_study, tmp_path / "study"))


def edit(path: Path, **values: object) -> None:
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, **values}))


def test_page_opens_with_the_verdict_and_loads_nothing(tiny_study: Path) -> None:
    text = (tiny_study / "report.html").read_text()
    page = Page(tiny_study / "report.html")
    assert list(page.sections) == ["", "verdict", "shared", "tuned", "runs"]
    results = json.loads((tiny_study / "results.json").read_text())
    for result in results.values():
        assert result["verdict"]["sentence"] in page.sections["verdict"]
        assert result["twins"]["dense"]["verdict"]["sentence"] in page.sections["verdict"]
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    assert "No run failed." in page.sections["runs"]
    assert "LEAKING" not in page.sections[""]


def test_tables_hold_the_results(tiny_study: Path) -> None:
    study = read_study(tiny_study)
    result = study.results["tuned"]
    runs = study.runs[study.runs["recipe"] == "tuned"]
    table = variant_table(result, runs)
    assert table.columns == ["", "hybrid", "dense"]
    accuracy = next(row for row in table.rows if row.head == "Accuracy")
    mean = runs[runs["variant"] == "dense"]["accuracy"].mean()
    assert accuracy.cells[1].text == f"{mean:.1%}"
    assert " to " in accuracy.cells[1].note
    error = next(row for row in table.rows if row.head.startswith("Expected calibration"))
    assert error.cells[0].note == ""
    tests = {row.head: row.cells[0] for row in comparison_table(result).rows}
    assert tests["Verdict"].text == result["twins"]["dense"]["verdict"]["code"]
    assert tests["Pairs of runs"].text == "2"
    least = result["twins"]["dense"]["scores"]["accuracy"]["signed_rank"]["smallest_p"]
    assert tests["Wilcoxon, p"].note == f"at least {p_value(least)}"


def test_leaks_synthetic_data_and_failures_are_shown(copy: Path) -> None:
    facts = json.loads((copy / "study.json").read_text())
    folds = [{**facts["folds"][0], "leak": "3 of 24 images <have> a copy"}]
    edit(copy / "study.json", folds=folds, data={**facts["data"], "synthetic": True})
    pd.DataFrame(
        [{"time": "t", "job": "dense-fold1-seed1", "fault": "disk full", "tried_again": False}]
    ).to_csv(copy / "failures.csv", index=False)
    page = Page(write_study_report(copy))
    assert "LEAKING SPLIT 3 of 24 images <have> a copy" in page.sections[""]
    assert "SYNTHETIC DATA" in page.sections[""]
    assert ["dense-fold1-seed1", "disk full", "given up"] in page.rows["runs"]


def test_same_study_gives_the_same_page(tiny_study: Path) -> None:
    assert render(read_study(tiny_study)) == render(read_study(tiny_study))


def test_figure_shows_every_run(tiny_study: Path) -> None:
    result = read_study(tiny_study).results["shared"]
    assert forest(result).startswith("data:image/svg+xml;base64,")
    tests = result["twins"]["dense"]["scores"]["accuracy"]
    moved = json.loads(json.dumps(result))
    moved["twins"]["dense"]["scores"]["accuracy"]["differences"] = [
        [value + 0.01 for value in tests["differences"][0]]
    ]
    assert forest(moved) != forest(result)
    empty = json.loads(json.dumps(result))
    empty["twins"]["dense"]["differences"]["accuracy"] = dict.fromkeys(
        tests["corrected_t"] | {"estimate": None}
    )
    assert forest(empty)


@pytest.mark.parametrize("name", ["results.json", "table.csv"])
def test_unfinished_study_is_one_line(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(RunError, match="has no results yet: finish the study with `medqnn study"):
        write_study_report(copy)


def test_leaderboard_page_puts_intervals_below(tmp_path: Path) -> None:
    text = pd.DataFrame({"variant": ["dense"], "accuracy": ["0.754 (0.699 to 0.809)"]})
    path = tmp_path / "page.html"
    path.write_text(render_board([Group("a <b>", "No difference.", text)]))
    page = Page(path)
    assert ["dense", "0.754 0.699 to 0.809"] in page.rows["study-1"]
    assert "a <b>" in "".join(page.sections.values())
