from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import _gvco_tables as tables

CASE = {"system": "hqcnn-gvco", "gradients": "exact"}


def epochs(optimizer: str, seed: int, accuracy: float, last: float) -> pd.DataFrame:
    """A run of three epochs, the second the best."""
    columns = {
        "epoch": [1, 2, 3],
        "train_loss": [1.0, 0.7, last],
        "val_loss": [1.0, 0.5, 0.6],
        "test_accuracy": [0.2, accuracy, None],
    }
    run = {**CASE, "optimizer": optimizer, "learning_rate": 0.01, "seed": seed}
    return pd.DataFrame(columns).assign(**run)


@pytest.fixture
def runs() -> pd.DataFrame:
    ours = [epochs("GVCO", seed, 0.7 + 0.01 * seed, 0.5) for seed in range(5)]
    adam = [epochs("Adam", seed, 0.7 + 0.02 * seed, 0.5 + 0.1 * seed) for seed in range(5)]
    return pd.concat([*adam, *ours])


def test_score_takes_the_test_accuracy_of_the_best_epoch(runs: pd.DataFrame) -> None:
    found = tables.score(epochs("Adam", 0, 0.8, 0.55), 0.6)
    assert found == {"accuracy": 0.8, "val_loss": 0.5, "train_loss": 0.55, "reached": 3}


def test_target_is_adams_loss_after_two_thirds(runs: pd.DataFrame) -> None:
    assert tables.target(runs) == 0.7


def test_comparison_pairs_the_seeds(runs: pd.DataFrame) -> None:
    lines = tables.comparison(runs, target=0.6).splitlines()
    adam, ours = lines[2].split(" | "), lines[3].split(" | ")
    assert ours[2:4] == ["72.0 ± 1.6", "–"]
    assert adam[2] == "74.0 ± 3.2"
    assert adam[3] == "-2.0 (-4.0 to -0.0)"  # 0, -1, … -4: half-width 2.776 · 1.581 / √5
    assert ours[-1] == "3.0 |"
    assert adam[-1] == "2 of 5 |"


def test_tables_go_between_their_marks(
    runs: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "gvco.md"
    marks = [f"<!-- table: {name} -->" for name in ("hqcnn-gvco, exact", "alternatives", "rates")]
    places = "".join(f"{mark}\nold\n<!-- end -->\nafter\n" for mark in marks)
    page.write_text(f"before\n{places}")
    monkeypatch.setattr(tables, "PAGE", page)
    tables.write_tables(runs, tuning(), tried())
    once = page.read_text()
    assert once.startswith(f"before\n{marks[0]}\n| optimiser")
    assert once.endswith("|\n<!-- end -->\nafter\n")
    assert "old" not in once
    tables.write_tables(runs, tuning(), tried())
    assert page.read_text() == once
    with pytest.raises(SystemExit, match="no place for the table 'hqcm-ebtc, exact'"):
        tables.write_tables(runs.assign(system="hqcm-ebtc"), tuning(), tried())


def tried() -> pd.DataFrame:
    """Alternatives with a loss by rate; the third seed was run for one of them alone."""
    found = (("a", 0.1, 0, 0.8), ("a", 0.3, 0, 0.6), ("b", 0.1, 1, 0.5), ("b", 0.1, 2, 0.1))
    return pd.DataFrame([losses(*one) for one in found])


def tuning() -> pd.DataFrame:
    """Two seeds and two cases of one optimiser, and SGD."""
    found = [losses("a", rate, seed, rate + seed) for rate in (1.0, 2.0) for seed in (0, 1)]
    other = [{**one, "gradients": "1 shot", "val_loss": one["val_loss"] + 1} for one in found]
    return pd.DataFrame([*found, *other, losses("SGD, momentum 0.9", 0.5, 0, 9.0)])


def losses(name: str, rate: float, seed: int, loss: float) -> dict[str, object]:
    run = {**CASE, "optimizer": name, "learning_rate": rate, "seed": seed}
    return {**run, "val_loss": loss, "train_loss": loss}


def test_alternatives_are_scored_at_their_best_rate() -> None:
    lines = tables.alternatives(tried()).splitlines()
    assert lines[0] == "| alternative | hqcnn-gvco, exact | mean |"
    assert lines[2] == "| b | 0.500 / 0.500 | 0.500 / 0.500 |"
    assert lines[3] == "| a | 0.600 / 0.600 | 0.600 / 0.600 |"


def test_sensitivity_shows_the_mean_and_the_worst_case() -> None:
    lines = tables.sensitivity(tuning()).splitlines()
    assert lines[0] == "| optimiser | 1 | 2 |"
    assert lines[2:] == ["| a | 2.000 (2.500) | 3.000 (3.500) |"]
