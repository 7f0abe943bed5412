from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from medqnn.errors import RunError
from medqnn.robustness.results import (
    SUMMARY,
    TABLE,
    Results,
    is_measured,
    mean_corrupted,
    mean_over_runs,
    measure_run,
    overlap_column,
    read_results,
    require_alike,
)
from medqnn.training.folder import RunFolder


@pytest.fixture
def copy(measured_run: Path, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(measured_run, tmp_path / "run")))


def test_the_clean_rows_are_the_runs_own_scores(measured_run: Path) -> None:
    found = read_results(RunFolder(measured_run)).table
    for name in ("hybrid", "dense"):
        row = found[(found["variant"] == name) & (found["kind"] == "clean")].iloc[0]
        metrics = json.loads((measured_run / name / "metrics.json").read_text())
        accuracy = metrics["scores"]["accuracy"]
        assert row[["accuracy", "low", "high"]].tolist() == pytest.approx(list(accuracy.values()))
        assert row["auroc"] == pytest.approx(metrics["scores"]["auroc"]["estimate"], abs=1e-6)
        for column, record in metrics["localisation"].items():
            assert row[column] == pytest.approx(record["estimate"], abs=1e-3)
    comparison = json.loads((measured_run / "comparisons.json").read_text())[0]
    difference = comparison["differences"]["accuracy"]
    assert row[["difference", "difference_low", "difference_high"]].tolist() == pytest.approx(
        [difference[key] for key in ("difference", "low", "high")]
    )


def test_all_settings_of_all_networks_are_in_the_table(measured_run: Path) -> None:
    results = read_results(RunFolder(measured_run))
    assert len(results.table) == 2 * 49
    assert results.table["accuracy"].between(0, 1).all()
    assert list(results.summary["variants"]) == ["hybrid", "dense"]
    assert len(results.summary["variants"]["dense"]) == 2 + 8 + 2


def test_only_results_of_the_same_options_count(copy: RunFolder) -> None:
    assert is_measured(copy)
    assert not is_measured(copy, images=10)
    assert not is_measured(copy, seed=1)
    (copy.path / TABLE).unlink()
    assert not is_measured(copy)


def test_a_limit_is_kept_and_said(copy: RunFolder) -> None:
    measure_run(copy, images=4, seed=2)
    results = read_results(copy)
    assert results.summary["images"] == 4
    assert results.summary["options"]["images"] == 4
    assert is_measured(copy, images=4, seed=2)
    assert not list(copy.path.glob(".*"))


def test_an_interrupted_measurement_leaves_what_was_there(copy: RunFolder) -> None:
    kept = [(copy.path / name).read_bytes() for name in (TABLE, SUMMARY)]

    def interrupt(items: Iterable[Any], total: int) -> Iterator[Any]:
        yield from list(items)[:3]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_run(copy, seed=1, progress=interrupt)
    assert [(copy.path / name).read_bytes() for name in (TABLE, SUMMARY)] == kept
    assert is_measured(copy)


@pytest.mark.parametrize("damage", ["empty", "column", "gone"])
def test_a_broken_table_is_named_with_the_mend(copy: RunFolder, damage: str) -> None:
    path = copy.path / TABLE
    if damage == "gone":
        path.unlink()
    elif damage == "empty":
        path.write_text("")
    else:
        pd.read_csv(path).drop(columns="severity").to_csv(path, index=False)
    with pytest.raises(RunError, match=r"robustness\.csv is missing or broken .*medqnn robustness"):
        read_results(copy)


def run_of(variant: str, accuracy: float, corrupted: float) -> Results:
    rows = [
        (variant, "clean", "clean", 0, 0.0, accuracy, 0.9, np.nan, accuracy / 2),
        (variant, "corruption", "Blur", 1, 0.01, corrupted, 0.8, np.nan, corrupted / 2),
    ]
    columns = ["variant", "kind", "corruption", "severity", "value", "accuracy", "auroc"]
    frame = pd.DataFrame(rows, columns=[*columns, "jaccard@q0.99", "jaccard@q0.90"])
    ends = {"clean": {"estimate": accuracy}, "mean corrupted": {"estimate": corrupted}}
    return Results(frame, {"variants": {variant: ends}})


def test_runs_of_one_network_each_are_averaged_by_network() -> None:
    runs = [run_of("dense", 0.5, 0.25), run_of("hybrid", 0.8, 0.4), run_of("dense", 0.7, 0.75)]
    found = mean_over_runs(runs)
    assert list(found["variant"]) == ["hybrid", "hybrid", "dense", "dense"]
    assert list(found["accuracy"]) == pytest.approx([0.8, 0.4, 0.6, 0.5])
    assert list(found["jaccard@q0.90"]) == pytest.approx([0.4, 0.2, 0.3, 0.25])
    assert list(found["runs"]) == [1, 1, 2, 2]
    means = mean_corrupted(runs)
    assert list(means.index) == ["hybrid", "dense"]
    assert list(means["clean"]) == pytest.approx([0.8, 0.6])
    assert list(means["mean corrupted"]) == pytest.approx([0.4, 0.5])
    assert means.loc["dense", "sd"] == pytest.approx(np.std([0.25, 0.75], ddof=1))
    assert np.isnan(means.loc["hybrid", "sd"])


def test_the_smallest_part_of_the_map_that_has_values_is_shown() -> None:
    table = run_of("dense", 0.5, 0.5).table
    assert overlap_column(table) == "jaccard@q0.90"
    assert overlap_column(table.drop(columns="jaccard@q0.90")) is None


def test_runs_of_other_data_or_systems_are_not_averaged(copy: RunFolder, tiny_run: Path) -> None:
    require_alike([copy, RunFolder(tiny_run)])
    facts = json.loads((copy.path / "run.json").read_text())
    for other in ({"system": "hybrid-mri"}, {"data": facts["data"] | {"fingerprint": "0"}}):
        (copy.path / "run.json").write_text(json.dumps(facts | other))
        with pytest.raises(RunError, match="the runs differ in system or data"):
            require_alike([copy, RunFolder(tiny_run)])
