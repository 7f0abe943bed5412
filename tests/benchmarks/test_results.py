from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import results


def test_the_page_is_what_the_tables_say() -> None:
    assert (results.DOCS / "results.md").read_text(encoding="utf-8") == results.page()


def test_means_are_those_of_the_kept_runs() -> None:
    board = pd.read_csv(results.TABLES / "studies.csv")
    for row in board.itertuples():
        runs = pd.read_csv(results.TABLES / f"runs_{row.study}.csv")
        own = runs[(runs["recipe"] == row.recipe) & (runs["variant"] == row.variant)]
        assert len(own) == row.runs
        assert abs(own["accuracy"].mean() - row.score) < 2e-4
