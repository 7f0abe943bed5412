from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from medqnn.errors import EvaluationError
from medqnn.evaluation.failures import failures, shared_errors
from medqnn.evaluation.predictions import Predictions


@pytest.fixture
def predictions() -> Predictions:
    return Predictions(
        ids=np.array(["b", "a", "c", "d", "e"]),
        patients=np.array(["p", "p", "q", "r", "s"]),
        labels=np.array([0, 0, 1, 1, 0]),
        probabilities=np.array([[0.3, 0.7], [0.3, 0.7], [0.9, 0.1], [0.1, 0.9], [0.8, 0.2]]),
        classes=("healthy", "ill"),
    )


def test_errors_stand_surest_first_and_equals_by_id(predictions: Predictions) -> None:
    table = failures(predictions)
    assert list(table) == ["id", "patient", "label", "predicted", "confidence"]
    assert table.to_numpy().tolist() == [
        ["c", "q", "ill", "healthy", 0.9],
        ["a", "p", "healthy", "ill", 0.7],
        ["b", "p", "healthy", "ill", 0.7],
    ]


def test_no_errors_are_an_empty_table(predictions: Predictions) -> None:
    right = replace(predictions, labels=predictions.predicted)
    assert failures(right).empty
    assert shared_errors(right, right) == (0, 0, 0, 0)


def test_shared_errors_are_counted_beside_those_of_chance(predictions: Predictions) -> None:
    other = replace(  # wrong on a and d; rows in another order
        predictions,
        ids=predictions.ids[::-1],
        patients=predictions.patients[::-1],
        labels=predictions.labels[::-1],
        probabilities=np.eye(2)[[0, 0, 1, 1, 0]],
    )
    shared = shared_errors(predictions, other)
    assert shared == (3, 2, 1, pytest.approx(3 * 2 / 5))


def test_errors_made_independently_meet_as_often_as_expected(
    make_predictions: Callable[..., Predictions],
) -> None:
    pairs = [
        shared_errors(
            make_predictions(images=400, skill=1.0, seed=2 * n),
            make_predictions(images=400, skill=2.0, seed=2 * n + 1),
        )
        for n in range(40)
    ]
    both, expected = (np.mean([getattr(p, key) for p in pairs]) for key in ("both", "expected"))
    assert both == pytest.approx(expected, rel=0.05)


def test_other_images_are_refused(predictions: Predictions) -> None:
    with pytest.raises(EvaluationError, match="one table of predictions only"):
        shared_errors(predictions, replace(predictions, ids=np.array(list("abcdx"))))
