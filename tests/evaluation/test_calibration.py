from __future__ import annotations

import numpy as np
import pytest

from medqnn.evaluation.calibration import ece, reliability
from medqnn.evaluation.metrics import scores
from medqnn.evaluation.predictions import Predictions


def loop_ece(p: Predictions, weights: np.ndarray, bins: int = 15) -> float:
    """Image by image, as the definition reads."""
    total = 0.0
    for b in range(bins):
        right = confidence = 0.0
        for row, label, weight in zip(p.probabilities, p.labels, weights, strict=True):
            if b / bins < max(row) <= (b + 1) / bins:
                right += weight * (list(row).index(max(row)) == label)
                confidence += weight * max(row)
        total += abs(right - confidence)
    return total / sum(weights)


def test_ece_agrees_with_the_definition(predictions: Predictions) -> None:
    weights = np.random.default_rng(0).integers(0, 4, (3, len(predictions))).astype(float)
    expected = [loop_ece(predictions, row) for row in weights]
    np.testing.assert_allclose(ece(predictions, weights), expected)
    assert scores(predictions)["ece"] == pytest.approx(loop_ece(predictions, np.ones(120)))


def test_worked_example() -> None:
    p = np.array([0.9, 0.92, 0.6, 1.0])
    table = Predictions(
        list("abcd"), list("abcd"), [0, 1, 0, 0], np.stack([p, 1 - p], axis=1), ("x", "y")
    )
    curve = reliability(table)
    assert curve["count"].tolist() == [0] * 8 + [1] + [0] * 4 + [2, 1]
    assert curve.loc[8, ["low", "high", "confidence", "accuracy"]].tolist() == pytest.approx(
        [8 / 15, 9 / 15, 0.6, 1]  # a confidence on the edge belongs to the bin below it
    )
    assert curve.loc[13, ["confidence", "accuracy"]].tolist() == pytest.approx([0.91, 0.5])
    assert curve.loc[14, ["confidence", "accuracy"]].tolist() == [1, 1]
    assert curve.loc[0, ["confidence", "accuracy"]].isna().all()
    assert scores(table)["ece"] == pytest.approx((0.4 + 2 * 0.41 + 0) / 4)


def test_curve_adds_up_to_the_error(predictions: Predictions) -> None:
    curve = reliability(predictions)
    gaps = (curve["accuracy"] - curve["confidence"]).abs() * curve["count"]
    assert gaps.sum() / len(predictions) == pytest.approx(scores(predictions)["ece"])
    assert curve["count"].sum() == len(predictions)
