from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medqnn.errors import EvaluationError
from medqnn.evaluation.predictions import Predictions, read_predictions, write_predictions


def assert_same(a: Predictions, b: Predictions) -> None:
    assert a.classes == b.classes
    for name in ("ids", "patients", "labels", "probabilities"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_file_gives_back_every_bit(tmp_path: Path, predictions: Predictions) -> None:
    awkward = replace(
        predictions,
        ids=np.array(["007", "NA", 'a,"b"', "ü", *predictions.ids[4:]]),
        classes=("healthy", "a, b", "c:d", "4"),
    )
    write_predictions(tmp_path / "p.csv", awkward)
    assert_same(read_predictions(tmp_path / "p.csv"), awkward)
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]


def test_reads_a_hand_written_file(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(
        "\ufeffpatient,id,p_1,p_0,note,label\n12,i1,0.75,0.25,x,1\n13,i2,0,1,y,1\n", "utf-8"
    )
    table = read_predictions(path)
    assert table.ids.tolist() == ["i1", "i2"]
    assert table.patients.tolist() == ["12", "13"]
    assert table.labels.tolist() == [1, 1]
    assert table.probabilities.tolist() == [[0.25, 0.75], [1, 0]]
    assert table.classes == ("0", "1")
    assert table.predicted.tolist() == [1, 0]
    assert table.correct.tolist() == [True, False]
    assert (len(table), table.patient_count) == (2, 2)


def test_columns_are_ordered_by_number_not_by_text(tmp_path: Path) -> None:
    p = np.linspace(1, 2, 24).reshape(2, 12)
    table = Predictions(
        ["a", "b"], ["a", "b"], [3, 11], p / p.sum(1, keepdims=True), tuple("abcdefghijkl")
    )
    write_predictions(tmp_path / "p.csv", table)
    assert_same(read_predictions(tmp_path / "p.csv"), table)


def test_takes_pandas_columns_and_single_precision() -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "patient": ["p", "q"], "label": [0, 1]})
    p = np.array([[0.1, 0.9], [0.3, 0.7]], dtype=np.float32)
    table = Predictions(frame["id"], frame["patient"], frame["label"], p, ["x", "y"])
    assert table.ids.dtype.kind == "U"
    assert table.labels.dtype == np.int64
    assert table.probabilities.dtype == np.float64
    assert table.classes == ("x", "y")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.array([0, 3])}, "'b' has label 3, expected 0 to 1"),
        ({"labels": np.array([0, -1])}, "'b' has label -1"),
        ({"labels": np.array([0.0, 1.0])}, "labels are float64, not integers"),
        ({"labels": np.array([0])}, "shape"),
        ({"ids": np.array(["a", "a"])}, "'a' occurs 2 times"),
        ({"ids": np.array([["a", "b"]])}, r"ids have shape \(1, 2\)"),
        ({"patients": np.array(["p", None])}, "row 1 has no id or no patient"),
        ({"patients": pd.Series([np.nan, "p"])}, "row 0 has no id or no patient"),
        ({"probabilities": np.array([[0.5, 0.5], [0.5, 0.502]])}, "'b' has probabilities"),
        ({"probabilities": np.array([[0.5, 0.5], [1.5, -0.5]])}, "'b' has probabilities"),
        ({"probabilities": np.array([[np.nan, 0.5], [0.5, 0.5]])}, "'a' has probabilities"),
        ({"probabilities": np.array([[np.inf, -np.inf], [0.5, 0.5]])}, "'a' has probabilities"),
        ({"probabilities": np.full((2, 3), 1 / 3)}, r"shape \(2, 3\), expected \(2, 2\)"),
        ({"classes": ("x", "x")}, "all different"),
        ({"classes": ("x",)}, "two or more"),
        ({"classes": ("x", "")}, "none empty"),
    ],
)
def test_refuses_what_is_no_table_of_predictions(change: dict[str, object], message: str) -> None:
    sound = Predictions(["a", "b"], ["p", "p"], [0, 1], [[0.5, 0.5], [0.5, 0.5005]], ("x", "y"))
    with pytest.raises(EvaluationError, match=message) as caught:
        replace(sound, **change)
    assert "\n" not in str(caught.value)


def test_refuses_an_empty_table() -> None:
    with pytest.raises(EvaluationError, match="at least one row"):
        Predictions([], [], np.zeros(0, dtype=int), np.zeros((0, 2)), ("x", "y"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ("id,label,p_0,p_1\na,0,1,0\n", "no column patient"),
        ("id,patient,label\na,p,0\n", "probability columns"),
        ("id,patient,label,p_0,p_2\na,p,0,1,0\n", "without a gap"),
        ("id,patient,label,p_0,p_1\na,p,glioma,1,0\n", "column label has a value that is no int"),
        ("id,patient,label,p_0,p_1\na,p,1.0,1,0\n", "column label"),
        ("id,patient,label,p_0,p_1\na,p,1,high,0\n", "column p_0"),
        ("id,patient,label,p_0,p_1\na,p,1,1\n", "column p_1 has a value"),
        ("id,patient,label,p_0,p_1\na,,1,1,0\n", "no patient"),
        ("id,patient,label,p_0,p_1\n", "at least one row"),
        ("id,patient,label,p_0,p_1\na,p,1,1,0\nb,p,1,1,0,5,6\n", "cannot be read"),
    ],
)
def test_refuses_a_file_with_its_path(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(EvaluationError, match=message) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_and_missing_folder(tmp_path: Path, predictions: Predictions) -> None:
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_predictions(tmp_path / "none.csv")
    with pytest.raises(EvaluationError, match="cannot be written"):
        write_predictions(tmp_path / "none" / "p.csv", predictions)


def test_failed_write_leaves_nothing_behind(tmp_path: Path, predictions: Predictions) -> None:
    (tmp_path / "p.csv").mkdir()  # a folder cannot be replaced by a file
    with pytest.raises(EvaluationError, match="cannot be written"):
        write_predictions(tmp_path / "p.csv", predictions)
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]
