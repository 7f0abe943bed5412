"""DeLong's test beside a published example and beside pairs that are counted.

The subarachnoid haemorrhage data (113 patients) are those of the R package pROC, as ranks: equal
values, and neighbours with no patient of the other group between them, share one. The expected
figures are those of pROC's own tests. The ovarian cancer data of DeLong, DeLong and Clarke-Pearson
(1988; 43 patients) are those of SAS's PROC LOGISTIC documentation; the expected figures follow from
the formulas of 1988 by counting pairs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from medqnn.errors import EvaluationError
from medqnn.evaluation.metrics import scores
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import Predictions
from medqnn.evaluation.repeated.delong import delong, delong_by_class

# albumin, total protein, K-G score, surgery would help
OVARIAN = np.fromstring(
    """3.0 5.8 10 0   3.2 6.3  5 1   3.9 6.8  3 1   2.8 4.8  6 0   3.2 5.8  3 1   0.9 4.0  5 0
    2.5 5.7  8 0   1.6 5.6  5 1   3.8 5.7  5 1   3.7 6.7  6 1   3.2 5.4  4 1   3.8 6.6  6 1
    4.1 6.6  5 1   3.6 5.7  5 1   4.3 7.0  4 1   3.6 6.7  4 0   2.3 4.4  6 1   4.2 7.6  4 0
    4.0 6.6  6 0   3.5 5.8  6 1   3.8 6.8  7 1   3.0 4.7  8 0   4.5 7.4  5 1   3.7 7.4  5 1
    3.1 6.6  6 1   4.1 8.2  6 1   4.3 7.0  5 1   4.3 6.5  4 1   3.2 5.1  5 1   2.6 4.7  6 1
    3.3 6.8  6 0   1.7 4.0  7 0   3.7 6.1  5 1   3.3 6.3  7 1   4.2 7.7  6 1   3.5 6.2  5 1
    2.9 5.7  9 0   2.1 4.8  7 1   2.8 6.2  8 0   4.0 7.0  7 1   3.3 5.7  6 1   3.7 6.9  5 1
    3.6 6.6  5 1""",
    sep=" ",
).reshape(-1, 4)
# First the 41 patients with a poor outcome, then the 72 with a good one.
WFNS = np.fromstring(
    (
        "5 3 7 9 9 9 9 3 9 3 1 3 9 7 7 3 9 9 9 3 9 3 9 3 7 9 7 7 1 7 7 3 3 9 9 3 3 9 9 9 9 1 1 1 1 "
        "9 1 3 3 1 3 3 1 1 1 3 1 3 1 1 5 7 1 7 1 9 9 1 1 3 7 1 1 3 3 1 3 1 3 3 1 1 1 1 3 1 3 1 1 5 "
        "3 7 3 1 7 1 1 9 7 3 3 1 1 1 5 1 3 3 7 7 1 1 1"
    ),
    sep=" ",
)
S100B = np.fromstring(
    (
        "13 9 19 12 36 42 40 3 29 7 3 34 32 39 42 24 42 42 42 3 42 26 0 7 22 42 24 42 5 24 13 9 11 "
        "22 42 15 42 27 42 42 36 13 15 9 1 37 21 9 9 1 5 1 7 11 3 21 3 11 13 21 1 19 15 31 7 41 37 "
        "19 3 35 37 11 5 7 5 1 13 9 15 17 1 1 7 1 7 5 19 7 5 29 11 25 3 9 27 3 1 23 33 9 17 5 15 9 "
        "3 1 21 17 37 21 17 41 39"
    ),
    sep=" ",
)
Maker = Callable[..., Predictions]


def test_published_example() -> None:
    poor = np.arange(113) < 41
    given = delong(WFNS, S100B, poor)
    assert given.auc_a == pytest.approx(0.823678861788618)
    assert given.auc_b == pytest.approx(0.731368563685637)
    assert given.z == pytest.approx(2.20898359144091)
    assert given.p == pytest.approx(0.0271757822291882)
    assert given.low == pytest.approx(0.0104061769564846)
    assert given.high == pytest.approx(0.174214419249478)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (0, (0.7366, 0.7258, 0.0108, 0.0953, -0.1761, 0.1976, 0.9102)),
        (1, (0.6478, 0.7258, -0.0780, 0.1046, -0.2830, 0.1271, 0.4561)),
    ],
)
def test_ovarian_cancer(column: int, expected: tuple[float, ...]) -> None:
    helped = OVARIAN[:, 3] == 1
    result = delong(OVARIAN[:, column], 10 - OVARIAN[:, 2], helped)
    shown = (*result[:6], result.p)
    np.testing.assert_allclose(shown, expected, atol=5e-5)


def counted(a: np.ndarray, b: np.ndarray, positive: np.ndarray) -> tuple[float, float, float]:
    """AUROCs and standard error of their difference by going through all pairs."""
    wins = [
        (s[positive][:, None] > s[~positive]) + 0.5 * (s[positive][:, None] == s[~positive])
        for s in (a, b)
    ]
    gap = wins[0] - wins[1]
    m, n = gap.shape
    variance = gap.mean(axis=1).var(ddof=1) / m + gap.mean(axis=0).var(ddof=1) / n
    return wins[0].mean(), wins[1].mean(), np.sqrt(variance)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=8),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=8),
)
def test_agrees_with_counting(
    positives: list[tuple[int, int]], negatives: list[tuple[int, int]]
) -> None:
    a, b = np.array([*positives, *negatives], dtype=float).T
    positive = np.arange(len(a)) < len(positives)
    result, (auc_a, auc_b, se) = delong(a, b, positive), counted(a, b, positive)
    assert result[:2] == pytest.approx((auc_a, auc_b))
    assert result.se == pytest.approx(se, abs=1e-9)
    if result.se > 1e-9:
        assert result.p == pytest.approx(2 * stats.norm.sf(abs(auc_a - auc_b) / se))


def test_a_score_and_itself() -> None:
    score = np.random.default_rng(0).random(20)
    result = delong(score, score, np.arange(20) < 8)
    assert (result.difference, result.se, result.z, result.p) == (0, 0, 0, 1)


def test_what_is_not_defined() -> None:
    score = np.arange(4.0)
    assert np.isnan(delong(score, -score, np.ones(4, dtype=bool))).all()
    one = delong(score, -score, np.array([False, False, True, False]))
    assert one[:3] == pytest.approx((2 / 3, 1 / 3, 1 / 3))
    assert np.isnan(one[3:]).all()
    perfect = delong(score, -score, score > 1)  # no variance, yet a difference
    assert (perfect.difference, perfect.se) == (1, 0)
    assert np.isnan([perfect.z, perfect.p]).all()


def test_classes_in_turn(make_predictions: Maker) -> None:
    a, b = make_predictions(seed=1), make_predictions(seed=2, skill=0.5)
    tests = delong_by_class(a, b)
    assert list(tests) == list(a.classes)
    assert np.mean([test.auc_a for test in tests.values()]) == pytest.approx(scores(a)["auroc"])
    assert np.mean([test.auc_b for test in tests.values()]) == pytest.approx(scores(b)["auroc"])


def test_two_classes_are_one_test(make_predictions: Maker) -> None:
    a, b = make_predictions(seed=1, classes=2), make_predictions(seed=2, classes=2)
    tests = delong_by_class(a, b)
    assert list(tests) == [a.classes[1]]
    assert tests[a.classes[1]].auc_a == pytest.approx(scores(a)["auroc"])


def test_findings(make_findings: Callable[..., MultiLabelPredictions]) -> None:
    a, b = make_findings(seed=1), make_findings(seed=2)
    tests, of_a = delong_by_class(a, b), scores(a)
    assert {f"auroc[{name}]": test.auc_a for name, test in tests.items()} == pytest.approx(
        {name: value for name, value in of_a.items() if name.startswith("auroc[")}
    )


def test_refuses_other_lengths() -> None:
    with pytest.raises(EvaluationError, match="one number for each image"):
        delong(np.zeros(3), np.zeros(4), np.ones(3, dtype=bool))
