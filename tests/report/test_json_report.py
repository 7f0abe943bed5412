from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medqnn.errors import RunError
from medqnn.report.json_report import records, write_json, write_study_json
from medqnn.training.folder import RunFolder
from study.tiny import tiny_data, tiny_study

from .runs import read_json

__all__ = ["tiny_data", "tiny_study"]
KEYS = [
    *("schema", "kind", "medqnn", "run", "recipe", "split", "networks", "comparisons"),
    *("explained", "embedding", "robustness", "noise", "devices", "diagnostics"),
]


def test_numbers_are_those_of_the_run_s_files(run: Path) -> None:
    found = read_json(write_json(run))
    assert list(found) == KEYS
    assert (found["schema"], found["kind"]) == (1, "run")
    assert found["run"] == read_json(run / "run.json")
    assert found["comparisons"] == read_json(run / "comparisons.json")
    for name in ("hybrid", "dense"):
        assert found["networks"][name]["metrics"] == read_json(run / name / "metrics.json")
        history = pd.read_csv(run / name / "history.csv")
        epochs = pd.DataFrame(found["networks"][name]["epochs"])
        pd.testing.assert_frame_equal(epochs, history, rtol=1e-14)
    assert found["robustness"] is found["noise"] is found["diagnostics"] is None
    assert found["explained"] is None
    assert found["devices"] == []


def test_parts_are_counted(run: Path) -> None:
    split = pd.read_csv(run / "split.csv", dtype=str)
    own = read_json(write_json(run))["split"]["val"]
    rows = split[split["part"] == "val"]
    assert own["images"] == len(rows) == sum(own["classes"].values())
    assert own["patients"] == rows["patient"].nunique()
    assert own["classes"] == rows["label"].value_counts().to_dict()


def test_other_commands_results_are_taken_in(run: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(run, tmp_path / "run"))
    for name in ("diagnostics", "embedding"):
        RunFolder(path).write_json(f"{name}.json", {"made": name})
    found = read_json(write_json(path))
    assert found["diagnostics"] == {"made": "diagnostics"}
    assert found["embedding"] == {"made": "embedding"}


def test_unknown_patients_are_none(run_maker: Callable[..., Path], tmp_path: Path) -> None:
    options = {"variants": ("hybrid",), "attention": False, "patients_known": False}
    found = read_json(write_json(run_maker(tmp_path / "run", **options)))
    assert found["split"]["test"]["patients"] is None


def test_what_is_no_number_is_null() -> None:
    table = pd.DataFrame({"a": [1.5, np.nan, np.inf], "b": ["x", None, "z"]})
    assert records(table) == [{"a": 1.5, "b": "x"}, {"a": None, "b": None}, {"a": None, "b": "z"}]


def test_a_study_s_numbers(tiny_study: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has no results yet"):
        write_study_json(tmp_path)
    for name in ("study.json", "results.json", "table.csv"):
        (tmp_path / name).write_bytes((tiny_study / name).read_bytes())
    found = json.loads(write_study_json(tmp_path).read_text())
    assert found["kind"] == "study"
    assert found["results"] == read_json(tmp_path / "results.json")
    assert len(found["runs"]) == len(pd.read_csv(tmp_path / "table.csv"))
    assert found["failures"] == []
