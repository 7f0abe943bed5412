from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medqnn.errors import EvaluationError
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import read_predictions, write_predictions


def two_images() -> MultiLabelPredictions:
    return MultiLabelPredictions(
        ids=np.array(["a", "b"]),
        patients=np.array(["p", "p"]),
        labels=np.array([[True, False, True], [False, False, False]]),
        probabilities=np.array([[0.9, 0.2, 0.6], [0.5, 0.4, 0.1]]),
        classes=("effusion", "mass", "hernia"),
    )


def test_a_finding_is_called_above_one_half() -> None:
    table = two_images()
    assert table.predicted.tolist() == [[True, False, True], [False, False, False]]
    assert table.correct.tolist() == [True, True]
    wrong = replace(table, labels=~table.labels & [True, False, False])
    assert wrong.correct.tolist() == [False, False]
    assert [table.answer(row) for row in range(2)] == ["effusion, hernia", "no finding"]
    assert (len(table), table.patient_count, table.patients_known) == (2, 1, True)
    assert not replace(table, patients=table.ids).patients_known


def test_file_gives_back_every_bit(tmp_path: Path, findings: MultiLabelPredictions) -> None:
    names = ("a, b", "c:d", *findings.classes[2:])
    awkward = replace(findings, ids=np.array(["007", "NA", *findings.ids[2:]]), classes=names)
    write_predictions(tmp_path / "p.csv", awkward)
    given = read_predictions(tmp_path / "p.csv")
    assert isinstance(given, MultiLabelPredictions)
    assert given.classes == names
    assert given.labels.dtype == np.bool_
    for name in ("ids", "patients", "labels", "probabilities"):
        np.testing.assert_array_equal(getattr(given, name), getattr(awkward, name))


def test_reads_a_hand_written_file(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("p_1,p_0,y_1,y_0,patient,id,note\n0.75,0.25,1,0,q,i1,x\n1,1,0,1,q,i2,y\n")
    table = read_predictions(path)
    assert table.classes == ("0", "1")
    assert table.labels.tolist() == [[False, True], [True, False]]
    assert table.probabilities.tolist() == [[0.25, 0.75], [1, 1]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.array([[1, 0, 1], [0, 0, 0]])}, "labels are int64, not bool"),
        ({"labels": np.array([[True, False], [True, False]])}, r"labels have shape \(2, 2\)"),
        ({"labels": np.array([True, False])}, r"labels have shape \(2,\), expected \(2, 3\)"),
        ({"probabilities": np.full((2, 2), 0.5)}, r"expected \(2, 3\)"),
        ({"probabilities": np.array([[0, 0, 0], [0, 1.01, 0]])}, "'b' has prob.*apply sigmoid"),
        ({"probabilities": np.array([[0, -0.1, 0], [0, 1, 0]])}, "'a' has probabilities"),
        ({"probabilities": np.array([[0, np.nan, 0], [0, 1, 0]])}, "'a' has probabilities"),
        ({"ids": np.array(["a", "a"])}, "'a' occurs 2 times"),
        ({"patients": np.array(["p", ""])}, "row 1 has no id or no patient"),
        ({"classes": ("x", "x", "y")}, "one or more, all different"),
    ],
)
def test_refuses_what_is_no_table_of_findings(change: dict[str, object], message: str) -> None:
    with pytest.raises(EvaluationError, match=message) as caught:
        replace(two_images(), **change)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,y_0,p_0\na,1,0.5\n", "no column patient"),
        ("id,patient,y_0,y_2,p_0,p_1\na,p,1,0,1,0\n", "label columns .* without a gap"),
        ("id,patient,y_0,p_0,p_1\na,p,1,1,0\n", "one of each kind for each finding"),
        ("id,patient,y_0:x,y_1:y,p_0:y,p_1:x\na,p,1,0,1,0\n", "in the same order"),
        ("id,patient,y_0,p_0\na,p,2,1\n", r"label columns hold \[2\]"),
        ("id,patient,y_0,p_0\na,p,yes,1\n", "column y_0 has a value that is no int"),
        ("id,patient,y_0,p_0\na,p,1,1.5\n", "apply sigmoid"),
        ("id,patient,y_0,p_0\n", "at least one row"),
    ],
)
def test_refuses_a_file_with_its_path(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(EvaluationError, match=message) as caught:
        read_predictions(path)
    assert str(caught.value).count(str(path)) == 1
    assert "\n" not in str(caught.value)
