from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from medqnn.devices import load
from medqnn.errors import RunError
from medqnn.training.folder import RunFolder
from medqnn.under_noise import results
from medqnn.under_noise.results import (
    SUMMARY,
    TABLE,
    is_measured,
    measure_run,
    no_better,
    read_results,
    require_circuits,
    shot_curves,
)
from medqnn.under_noise.settings import devices
from under_noise.measured import PROFILES, SHOTS


@pytest.fixture
def copy(noisy_run: Path, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(noisy_run, tmp_path / "run")))


def test_the_exact_rows_are_the_runs_own_scores(noisy_run: Path) -> None:
    found = read_results(RunFolder(noisy_run))
    exact = results.without_device(found.table).set_index("variant")
    for name in ("hybrid", "dense"):
        metrics = json.loads((noisy_run / name / "metrics.json").read_text())
        own = list(metrics["scores"]["accuracy"].values())
        assert exact.loc[name, ["accuracy", "low", "high"]].tolist() == pytest.approx(own)
        auroc = metrics["scores"]["auroc"]["estimate"]
        assert exact.loc[name, "auroc"] == pytest.approx(auroc, abs=1e-6)
    assert found.summary["circuits"] == {"hybrid": 5, "dense": None}


def test_only_results_of_the_same_options_count(copy: RunFolder) -> None:
    chosen = devices(PROFILES, SHOTS)
    assert is_measured(copy, chosen)
    assert not is_measured(copy, chosen, images=10)
    assert not is_measured(copy, chosen, seed=1)
    assert not is_measured(copy, devices(PROFILES, (16,)))
    assert not is_measured(copy, devices(("ionq-aria",), SHOTS))
    figures = load("ibm-eagle").model_copy(update={"t1": 1.0})
    assert not is_measured(copy, chosen._replace(profiles={"ibm-eagle": figures}))
    (copy.path / TABLE).unlink()
    assert not is_measured(copy, chosen)


def test_an_interrupted_measurement_leaves_what_was_there(copy: RunFolder) -> None:
    kept = [(copy.path / name).read_bytes() for name in (TABLE, SUMMARY)]

    def interrupt(items: Iterable[Any], total: int) -> Iterator[Any]:
        yield from list(items)[:3]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_run(copy, devices(PROFILES, SHOTS), seed=1, progress=interrupt)
    assert [(copy.path / name).read_bytes() for name in (TABLE, SUMMARY)] == kept


def test_a_broken_table_is_named_with_the_mend(copy: RunFolder) -> None:
    path = copy.path / TABLE
    pd.read_csv(path).drop(columns="shots").to_csv(path, index=False)
    with pytest.raises(RunError, match=r"noise\.csv is missing or broken .*medqnn noise"):
        read_results(copy)


def test_curves_rise_and_end_without_shot_noise(noisy_run: Path) -> None:
    curves = shot_curves(read_results(RunFolder(noisy_run)).table)
    kinds = {key: own["shots"].tolist() for key, own in curves.groupby(["device", "mitigation"])}
    assert kinds.keys() == {("exact", "none"), ("ibm-eagle", "none"), ("ibm-eagle", "both")}
    for shots in kinds.values():
        assert shots == pytest.approx([16, 32, np.nan], nan_ok=True)


def test_who_only_guesses_is_told(noisy_run: Path) -> None:
    found = read_results(RunFolder(noisy_run))
    exact = (found.table["device"] == "exact") & found.table["shots"].isna()
    low = found.table["variant"].map({"hybrid": 0.3, "dense": 0.2})
    shown = found._replace(
        table=found.table.assign(low=low.where(exact, 0.0)), summary={"baseline": 0.25}
    )
    assert no_better(shown) == ["dense"]


def test_a_run_without_circuits_is_refused(copy: RunFolder) -> None:
    facts = json.loads((copy.path / "run.json").read_text())
    (copy.path / "run.json").write_text(json.dumps(facts | {"variants": ["dense"]}))
    with pytest.raises(RunError, match=r"no network of .* has a quantum layer"):
        require_circuits(copy)
