from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from medqnn.errors import RunError
from medqnn.study.leaderboard import COLUMNS, as_markdown, as_text, gather, headline


@pytest.fixture
def studies(tiny_study: Path, tmp_path: Path) -> Path:
    """The same study twice, once with a leak."""
    for name in ("clean", "deep/leaking"):
        shutil.copytree(tiny_study, tmp_path / name)
    path = tmp_path / "deep" / "leaking" / "study.json"
    facts = json.loads(path.read_text())
    facts["folds"][0]["leak"] = "1 image"
    path.write_text(json.dumps(facts))
    return tmp_path


def test_every_study_recipe_and_variant_has_a_row(studies: Path) -> None:
    board = gather(studies)
    assert len(board) == 2 * 2 * 2
    assert board.groupby("study", sort=False)["leak"].first().to_dict() == {
        "clean": False,
        "deep/leaking": True,
    }
    assert (board["runs"] == 2).all()
    assert board.loc[board["variant"] == "hybrid", "difference"].isna().all()


def test_figures_are_those_of_the_study(studies: Path) -> None:
    board = gather(studies)
    row = board.query("study == 'clean' and recipe == 'shared' and variant == 'dense'").iloc[0]
    runs = pd.read_csv(studies / "clean" / "table.csv").query("recipe == 'shared'")
    own = runs[runs["variant"] == "dense"]
    assert row["score"] == pytest.approx(own["accuracy"].mean())
    assert row["auroc"] == pytest.approx(own["auroc"].mean())
    hybrid = runs[runs["variant"] == "hybrid"]["accuracy"].mean()
    assert row["difference"] == pytest.approx(hybrid - own["accuracy"].mean())
    assert row["parameters"] == own["parameters"].iloc[0]
    results = json.loads((studies / "clean" / "results.json").read_text())["shared"]
    assert row["p_holm"] == pytest.approx(results["twins"]["dense"]["scores"]["accuracy"]["p_holm"])
    assert row["verdict"] == results["twins"]["dense"]["verdict"]["code"]


def test_text_marks_what_leaks_and_what_is_tuned(studies: Path) -> None:
    board = gather(studies)
    text = as_text(board)
    assert list(text.columns) == list(COLUMNS.values())
    assert text["data"].tolist() == ["stripes"] * 4 + ["stripes (LEAK)"] * 4
    assert text["variant"].tolist()[:4] == ["hybrid", "dense", "hybrid, tuned", "dense, tuned"]
    assert text.loc[0, "verdict"] == ""
    assert headline(board.tail(1)) == "hqcnn-medmnist on stripes (LEAK), tuned recipes"


def test_missing_runs_are_told(studies: Path) -> None:
    path = studies / "clean" / "results.json"
    results = json.loads(path.read_text())
    results["shared"]["variants"]["dense"] |= {"runs": 1, "missing": [[1, 1]]}
    path.write_text(json.dumps(results))
    assert as_text(gather(studies)).loc[1, "runs"] == "1 (1 missing)"


def test_markdown_is_a_table(studies: Path) -> None:
    lines = as_markdown(as_text(gather(studies))).splitlines()
    assert len(lines) == 2 + 8
    assert {line.count("|") for line in lines} == {len(COLUMNS) + 1}


def test_a_folder_without_studies_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no study with results: make one"):
        gather(tmp_path)
