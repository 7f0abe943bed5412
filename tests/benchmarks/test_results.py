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


def test_attention_scores_alike_in_training_and_explanation() -> None:
    """Two commands must find the same map on the same masks."""
    trained = pd.read_csv(results.TABLES / "full_size.csv").set_index(["system", "variant"])
    explained = pd.read_csv(results.TABLES / "explained.csv")
    own = explained[explained["method"] == "attention"].set_index(["system", "variant", "score"])
    both = [network for network in trained.index if network in own.index.droplevel("score")]
    assert len(both) >= 4
    for network in both:
        for column in ("jaccard@0.99", "jaccard@0.90", "jaccard@0.75", "jaccard@q0.99"):
            found = own.loc[(*network, column), "estimate"]
            assert abs(found - trained.loc[network, f"{column}_estimate"]) < 2e-3


def test_the_ablation_starts_with_nothing_undone() -> None:
    table = pd.read_csv(results.TABLES / "attention_ablation.csv")
    assert table["change"].iloc[0] == "the recipe"
    assert table["change"].is_unique
    assert table["epochs"].nunique() == 1
