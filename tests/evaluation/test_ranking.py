from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.metrics import average_precision_score, roc_auc_score

from medqnn.evaluation.ranking import rank_scores, roc_curve


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 3)), min_size=1))
def test_agrees_with_pairs_counted_and_scikit_learn(rows: list[tuple[int, bool, int]]) -> None:
    score, positive, weight = (np.array(column) for column in zip(*rows, strict=True))
    auroc, precision = rank_scores(score.astype(float), positive, weight[None].astype(float))
    # The definition: of all pairs of a positive and a negative, the share ranked rightly.
    pairs = np.outer(weight * positive, weight * ~positive)
    won = (score[:, None] > score) + 0.5 * (score[:, None] == score)
    if pairs.sum():
        np.testing.assert_allclose(auroc, (pairs * won).sum() / pairs.sum())
        np.testing.assert_allclose(auroc, roc_auc_score(positive, score, sample_weight=weight))
    else:
        assert np.isnan(auroc).all()
    if (weight * positive).sum():
        expected = average_precision_score(positive, score, sample_weight=weight)
        np.testing.assert_allclose(precision, expected)
    else:
        assert np.isnan(precision).all()


def test_each_weighting_has_its_own_scores() -> None:
    score = np.array([0.9, 0.8, 0.7, 0.6])
    positive = np.array([True, False, True, False])
    weights = np.array([[1.0, 1, 1, 1], [1, 0, 1, 1], [0, 1, 1, 0]])
    auroc, precision = rank_scores(score, positive, weights)
    np.testing.assert_allclose(auroc, [3 / 4, 1, 0])
    np.testing.assert_allclose(precision, [(1 + 2 / 3) / 2, 1, 1 / 2])


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2))
def test_curve_agrees_with_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    score, positive = (np.array(column) for column in zip(*rows, strict=True))
    false_rate, true_rate = roc_curve(score.astype(float), positive)
    if positive.all() or not positive.any():
        assert np.isnan(true_rate if not positive.any() else false_rate).all()
        return
    assert (false_rate[0], true_rate[0], false_rate[-1], true_rate[-1]) == (0, 0, 1, 1)
    x, y, _ = sk.roc_curve(positive, score, drop_intermediate=False)
    corners = set(zip(false_rate, true_rate, strict=True))
    assert corners <= set(zip(x, y, strict=True))
    np.testing.assert_allclose(np.trapezoid(true_rate, false_rate), sk.auc(x, y))


def test_curve_keeps_corners_only() -> None:
    score = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    false_rate, true_rate = roc_curve(score, np.array([True, True, False, False, True, False]))
    assert false_rate.tolist() == [0, 0, 2 / 3, 2 / 3, 1]
    assert true_rate.tolist() == [0, 2 / 3, 2 / 3, 1, 1]
