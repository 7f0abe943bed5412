from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from medqnn.study.folder import StudyFolder
from medqnn.study.table import write_table


def point(name: str, wanted: float, estimate: float | None) -> dict[str, Any]:
    return {"class": name, "wanted": wanted, "sensitivity": {"estimate": estimate}}


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    """Three seeds of one variant: a run, an older one, and one that is missing."""
    folder = StudyFolder(tmp_path)
    plan = {"variants": ["hybrid"], "seeds": [0, 1, 2], "folds": 1, "tune": 0, "margin": 0.02}
    facts = {"system": "s", "plan": plan, "data": {"name": "d"}, "folds": [{"leak": None}]}
    folder.write_json("study.json", facts)
    points = [point("a", 0.9, 0.25), point("a", 0.95, None), point("b", 0.9, 0.75)]
    for seed, more in ((0, {"operating_points": points}), (1, {})):
        counts = dict.fromkeys(("parameters", "head_parameters", "epochs", "best_epoch"), 1)
        metrics = {**counts, "scores": {"accuracy": {"estimate": 0.5}}, **more}
        run = f"runs/hybrid-fold1-seed{seed}"
        folder.write_json(f"{run}/run.json", {"status": "complete", "variants": ["hybrid"]})
        folder.write_json(f"{run}/hybrid/metrics.json", metrics)
        (tmp_path / run / "hybrid" / "history.csv").write_text("seconds\n1.5\n2\n")
    return folder


def test_sensitivities_are_means_over_classes_where_a_run_has_them(folder: StudyFolder) -> None:
    table = write_table(folder)
    pd.testing.assert_frame_equal(pd.read_parquet(folder.path / "table.parquet"), table)
    assert table["status"].tolist() == ["complete", "complete", "missing"]
    assert table["sensitivity@0.90"].tolist()[0] == 0.5
    assert table["sensitivity@0.90"].isna().tolist() == [False, True, True]
    assert table["sensitivity@0.95"].isna().all()
    assert json.loads(table.to_json())["accuracy"] == {"0": 0.5, "1": 0.5, "2": None}
