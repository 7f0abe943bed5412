from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medqnn.errors import EvaluationError
from medqnn.evaluation.intervals import cluster_bootstrap
from medqnn.evaluation.metrics import weighted_scores
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.operating_points import mean_sensitivities, operating_points
from medqnn.evaluation.predictions import Predictions

Maker = Callable[..., Predictions]


def table(scores: list[float], labels: list[int], prefix: str) -> Predictions:
    ids = np.array([f"{prefix}{i}" for i in range(len(scores))])
    p = np.array(scores)
    return Predictions(ids, ids, np.array(labels), np.column_stack([1 - p, p]), ("no", "yes"))


def renamed(p: Predictions, prefix: str = "v") -> Predictions:
    return replace(p, ids=np.char.add(prefix, p.ids))


VALIDATION = table(
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.55, 0.65], [0] * 10 + [1] * 2, "v"
)
TEST = table([0.1, 0.8, 0.85, 0.9, 0.7, 0.81, 0.95], [0, 0, 0, 0, 1, 1, 1], "t")


def test_worked_example() -> None:
    (point,) = operating_points(VALIDATION, TEST, [0.8], resamples=50)
    # 8 of the 10 negatives are not above 0.8; on the test 0.81 and 0.95 of 3 positives are, and
    # 0.1 and 0.8 of 4 negatives are not.
    assert (point["class"], point["threshold"]) == ("yes", 0.8)
    assert point["validation_specificity"] == 0.8
    assert point["sensitivity"]["estimate"] == pytest.approx(2 / 3)
    assert point["specificity"]["estimate"] == 0.5
    assert (point["positives"], point["negatives"]) == (3, 4)
    assert point["validation_negatives"] == 10


def test_rising_specificity_raises_the_threshold() -> None:
    points = operating_points(VALIDATION, TEST, resamples=20)
    assert [point["wanted"] for point in points] == [0.8, 0.9, 0.95]
    assert [point["threshold"] for point in points] == [0.8, 0.9, 0.95]
    assert [point["validation_specificity"] for point in points] == [0.8, 0.9, 1]


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=12),
    st.sampled_from([0.5, 0.8, 0.9, 0.95]),
)
def test_threshold_is_the_lowest_that_will_do(negatives: list[int], wanted: float) -> None:
    validation = table([score / 10 for score in negatives] + [0.5], [0] * len(negatives) + [1], "v")
    (point,) = operating_points(validation, TEST, [wanted], resamples=1)
    held = np.array([score / 10 for score in negatives])
    assert point["validation_specificity"] == (held <= point["threshold"]).mean() >= wanted
    lower = held[held < point["threshold"]]
    if len(lower):
        assert (held <= lower.max()).mean() < wanted


def test_intervals_are_those_of_the_bootstrap_over_patients(make_predictions: Maker) -> None:
    validation = renamed(make_predictions(seed=1, classes=2))
    test = make_predictions(seed=2, classes=2)
    (point,) = operating_points(validation, test, [0.9], resamples=200, seed=4)
    said = (test.probabilities[:, 1] > point["threshold"]).astype(int)
    decided = replace(test, probabilities=np.eye(2)[said])
    expected = cluster_bootstrap(
        lambda weights: weighted_scores(decided, weights), test.patients, 200, seed=4
    )
    names = test.classes
    assert point["sensitivity"] == pytest.approx(dict(expected.loc[f"recall[{names[1]}]"]))
    assert point["specificity"] == pytest.approx(dict(expected.loc[f"recall[{names[0]}]"]))


def test_classes_in_turn(make_predictions: Maker) -> None:
    validation, test = renamed(make_predictions(seed=1)), make_predictions(seed=2)
    points = operating_points(validation, test, resamples=20)
    assert [p["class"] for p in points[::3]] == list(test.classes)
    assert len(points) == 12
    last = points[-1]
    positive = test.labels == 3
    above = test.probabilities[:, 3] > last["threshold"]
    assert last["sensitivity"]["estimate"] == pytest.approx(above[positive].mean())
    assert last["specificity"]["estimate"] == pytest.approx((~above[~positive]).mean())


def test_findings(make_findings: Callable[..., MultiLabelPredictions]) -> None:
    test = make_findings(seed=2)
    points = operating_points(renamed(make_findings(seed=1)), test, [0.9], resamples=20)
    assert [p["class"] for p in points] == list(test.classes)
    assert [p["positives"] for p in points] == test.labels.sum(axis=0).tolist()


def test_no_validation_negatives() -> None:
    validation = table([0.2, 0.4], [1, 1], "v")
    (point,) = operating_points(validation, TEST, [0.9], resamples=20)
    nothing = {"estimate": None, "low": None, "high": None}
    assert point["threshold"] is None
    assert point["validation_specificity"] is None
    assert point["sensitivity"] == point["specificity"] == nothing
    assert point["validation_negatives"] == 0


def test_no_test_positives() -> None:
    test = table([0.2, 0.4], [0, 0], "t")
    (point,) = operating_points(VALIDATION, test, [0.9], resamples=20)
    assert point["sensitivity"] == {"estimate": None, "low": None, "high": None}
    assert point["specificity"]["estimate"] == 1
    assert point["positives"] == 0


def test_refuses(make_predictions: Maker) -> None:
    other = renamed(make_predictions(classes=3))
    with pytest.raises(EvaluationError, match="the classes differ"):
        operating_points(other, TEST)
    with pytest.raises(EvaluationError, match="in validation and test, the first is 't0'"):
        operating_points(TEST, TEST)
    for wrong in ([], [1.0], [0.9, 90]):
        with pytest.raises(EvaluationError, match="specificities are"):
            operating_points(VALIDATION, TEST, wrong)


def test_mean_over_classes_leaves_out_what_is_undefined() -> None:
    def point(wanted: float, estimate: float | None) -> dict[str, object]:
        return {"wanted": wanted, "sensitivity": {"estimate": estimate}}

    points = [point(0.9, 0.2), point(0.95, None), point(0.9, None), point(0.9, 0.6)]
    expected = {"sensitivity@0.90": pytest.approx(0.4), "sensitivity@0.95": None}
    assert mean_sensitivities(points) == expected
    assert mean_sensitivities([]) == {}
