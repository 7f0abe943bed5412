"""The evaluator's definition on examples small enough for pencil and paper, and by scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from medqnn.evaluation.medmnist import medmnist_score
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import Predictions

IDS = np.array(list("abcdef"))


def predictions(labels: list[int], probabilities: list[list[float]]) -> Predictions:
    ids, classes = IDS[: len(labels)], tuple("stuvwxyz"[: len(probabilities[0])])
    return Predictions(ids, ids, np.array(labels), np.array(probabilities), classes)


def test_binary_by_hand() -> None:
    """Of 3·3 pairs 0.6 wins all three; each 0.5 beats 0.1 and 0.4 and ties with the third."""
    last = np.array([0.1, 0.4, 0.5, 0.5, 0.5, 0.6])
    table = predictions([0, 0, 0, 1, 1, 1], np.stack([1 - last, last], axis=1).tolist())
    # 0.5 is not above 1/2: right for the third image, wrong for the next two.
    assert medmnist_score(table) == {"acc": 4 / 6, "auc": pytest.approx(8 / 9)}


def test_binary_reads_the_last_column_alone() -> None:
    """Rows sum to 1 within a tolerance only, so the first column may rank otherwise."""
    table = predictions([0, 1], [[0.4999, 0.4996], [0.4998, 0.4997]])
    assert medmnist_score(table) == {"acc": 0.5, "auc": 1.0}
    above = predictions([0, 1], [[0.5003, 0.4992], [0.5004, 0.5001]])  # argmax says first twice
    assert medmnist_score(above) == {"acc": 1.0, "auc": 1.0}


@pytest.mark.parametrize("task", ["multi-class", "ordinal-regression"])
def test_more_classes_by_hand(task: str) -> None:
    """Order of the classes counts for nothing: both tasks have one definition."""
    table = predictions(
        [0, 1, 2, 2], [[0.6, 0.3, 0.1], [0.3, 0.4, 0.3], [0.5, 0.1, 0.4], [0.4, 0.4, 0.2]]
    )
    # First: 0.6 beats all three. Second: 0.4 beats 0.3 and 0.1, ties with 0.4. Third: of 2·2
    # pairs 0.4 beats 0.1 and 0.3, 0.2 beats 0.1. A tie for the highest goes to the first.
    expected = (1 + 2.5 / 3 + 3 / 4) / 3
    assert medmnist_score(table) == {"acc": 2 / 4, "auc": pytest.approx(expected)}


def test_multi_label_by_hand() -> None:
    labels = np.array([[1, 0], [0, 1], [1, 1]], dtype=bool)
    p = np.array([[0.5, 0.2], [0.4, 0.5], [0.9, 0.51]])
    table = MultiLabelPredictions(IDS[:3], IDS[:3], labels, p, ("effusion", "mass"))
    # At exactly 1/2 a finding is absent: wrong for the first image's effusion, the second's mass.
    assert medmnist_score(table) == {"acc": pytest.approx((2 / 3 + 2 / 3) / 2), "auc": 1.0}
    swapped = replace(table, probabilities=p[[1, 0, 2]])
    # Effusion: 0.4 loses to 0.5, 0.9 wins. Mass: 0.2 loses to 0.5, 0.51 wins.
    assert medmnist_score(swapped)["auc"] == pytest.approx((0.5 + 0.5) / 2)


def test_a_class_that_does_not_occur_leaves_no_auc() -> None:
    three = [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1]]
    assert medmnist_score(predictions([0, 1, 1], three)) == {"acc": 1.0, "auc": None}
    assert medmnist_score(predictions([1, 1], [[0.2, 0.8], [0.7, 0.3]])) == {
        "acc": 0.5,
        "auc": None,
    }
    labels = np.array([[True, False], [False, False]])
    table = MultiLabelPredictions(IDS[:2], IDS[:2], labels, np.full((2, 2), 0.1), ("x", "y"))
    assert medmnist_score(table) == {"acc": 0.75, "auc": None}


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_classes_agree_with_scikit_learn(
    make_predictions: Callable[..., Predictions], classes: int
) -> None:
    table = make_predictions(classes=classes, seed=3)
    y, p = table.labels, table.probabilities
    auc = (
        roc_auc_score(y, p[:, 1])
        if classes == 2
        else np.mean([roc_auc_score(y == k, p[:, k]) for k in range(classes)])
    )
    acc = accuracy_score(y, p[:, 1] > 0.5 if classes == 2 else p.argmax(axis=1))
    assert medmnist_score(table) == {"acc": pytest.approx(acc), "auc": pytest.approx(auc)}


def test_findings_agree_with_scikit_learn(findings: MultiLabelPredictions) -> None:
    pairs = list(zip(findings.labels.T, findings.probabilities.T, strict=True))
    assert medmnist_score(findings) == {
        "acc": pytest.approx(np.mean([accuracy_score(y, p > 0.5) for y, p in pairs])),
        "auc": pytest.approx(np.mean([roc_auc_score(y, p) for y, p in pairs])),
    }
