from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics as sk

from medqnn.errors import EvaluationError
from medqnn.evaluation.metrics import (
    class_report,
    commonest_answer,
    confusion_matrix,
    scores,
    share_right,
    weighted_scores,
)
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import Predictions

Maker = Callable[..., Predictions]


def scikit_learn_scores(p: Predictions, weights: np.ndarray) -> dict[str, float]:
    """The same scores by scikit-learn, where every class occurs."""
    y, said, k = p.labels, p.predicted, np.arange(len(p.classes))
    options = {"labels": k, "sample_weight": weights, "zero_division": 0}
    truth = np.eye(len(k))[y]
    expected = {
        "accuracy": sk.accuracy_score(y, said, sample_weight=weights),
        "balanced_accuracy": sk.balanced_accuracy_score(y, said, sample_weight=weights),
        "macro_f1": sk.f1_score(y, said, average="macro", **options),
        "weighted_f1": sk.f1_score(y, said, average="weighted", **options),
        "auroc": sk.roc_auc_score(truth, p.probabilities, average="macro", sample_weight=weights),
        "average_precision": sk.average_precision_score(
            truth, p.probabilities, average="macro", sample_weight=weights
        ),
        "mcc": sk.matthews_corrcoef(y, said, sample_weight=weights),
        "brier": sum(
            sk.mean_squared_error(truth[:, i], p.probabilities[:, i], sample_weight=weights)
            for i in k
        ),
    }
    by_class = sk.precision_recall_fscore_support(y, said, **options)
    for name, values in zip(("precision", "recall", "f1"), by_class, strict=False):
        expected |= {f"{name}[{c}]": v for c, v in zip(p.classes, values, strict=True)}
    return expected


@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("skill", [-1.0, 0.0, 1.5])
@pytest.mark.parametrize("weighted", [False, True])
def test_scores_agree_with_scikit_learn(
    make_predictions: Maker, classes: int, skill: float, weighted: bool
) -> None:
    p = make_predictions(classes=classes, skill=skill, seed=classes)
    rng = np.random.default_rng(1)
    weights = rng.uniform(0.1, 3, len(p)) if weighted else np.ones(len(p))
    given = scores(p, weights if weighted else None)
    assert isinstance(given.pop("ece"), float)  # has its own test
    assert given == pytest.approx(scikit_learn_scores(p, weights), abs=1e-12)


def test_many_weightings_are_many_scores(predictions: Predictions) -> None:
    weights = np.random.default_rng(0).integers(0, 4, (5, len(predictions))).astype(float)
    together = weighted_scores(predictions, weights)
    for r in range(5):
        assert together.iloc[r].to_dict() == pytest.approx(scores(predictions, weights[r]))


def test_worked_example_with_a_class_that_never_occurs(five_images: Predictions) -> None:
    given = scores(five_images)
    # Confusion: x → 2 x, 1 y; y → 2 y. F1 of x is 2·2/(3+2), of y 2·2/(2+3).
    assert given["accuracy"] == pytest.approx(4 / 5)
    assert given["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert given["macro_f1"] == pytest.approx(0.8)
    assert given["weighted_f1"] == pytest.approx(0.8)
    assert given["precision[x]"] == 1
    assert given["precision[y]"] == pytest.approx(2 / 3)
    assert np.isnan([given[f"{name}[z]"] for name in ("precision", "recall", "f1")]).all()
    # Of x's 3·2 pairs all are in order; of y's 2·3, b and d are above c's equal, e ties with c.
    assert given["auroc"] == pytest.approx((1 + 5.5 / 6) / 2)
    assert given["average_precision"] == pytest.approx((1 + (1 / 2 + 1 / 2 * 2 / 3)) / 2)
    assert given["mcc"] == pytest.approx((4 * 5 - 12) / 12)
    squared = [0.04 + 0.01 + 0.01, 0.16 + 0.09 + 0.01, 0.36 + 0.25 + 0.01, 0.18, 0.04 + 0.25 + 0.09]
    assert given["brier"] == pytest.approx(np.mean(squared))


def test_one_class_only_leaves_ranking_undefined() -> None:
    table = Predictions(["a", "b"], ["p", "q"], [1, 1], [[0.2, 0.8], [0.6, 0.4]], ("x", "y"))
    given = scores(table)
    assert np.isnan(given["auroc"])
    assert given["mcc"] == 0
    assert given["average_precision"] == 1
    assert given["balanced_accuracy"] == 0.5


def test_weight_zero_is_absence(five_images: Predictions) -> None:
    given = scores(five_images, np.array([1, 1, 1, 0, 0]))
    assert np.isnan(given["recall[y]"])
    assert given["balanced_accuracy"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("weights", [[1, 1], [1, 1, 1, 1, -1], [0] * 5, [1, 1, 1, 1, np.nan]])
def test_refuses_weights(five_images: Predictions, weights: list[float]) -> None:
    with pytest.raises(EvaluationError, match="one finite weight for each image"):
        scores(five_images, np.array(weights))


def test_report_is_table_1(predictions: Predictions) -> None:
    report = class_report(predictions)
    expected = sk.classification_report(
        predictions.labels,
        predictions.predicted,
        target_names=predictions.classes,
        output_dict=True,
    )
    names = {"macro average": "macro avg", "weighted average": "weighted avg"}
    assert list(report.index) == [*predictions.classes, "macro average", "weighted average"]
    for name, row in report.iterrows():
        values = list(expected[names.get(name, name)].values())
        assert row.to_list() == pytest.approx(values)
    assert report["support"].dtype == np.int64


def test_report_leaves_an_absent_class_out_of_the_averages(five_images: Predictions) -> None:
    report = class_report(five_images)
    assert report.loc["z", ["precision", "recall", "f1"]].isna().all()
    assert report["support"].to_list() == [3, 2, 0, 5, 5]
    assert report.loc["macro average", "precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert report.loc["weighted average", "precision"] == pytest.approx((3 + 2 * 2 / 3) / 5)


def test_confusion_matrix(five_images: Predictions, predictions: Predictions) -> None:
    assert confusion_matrix(five_images).to_numpy().tolist() == [[2, 1, 0], [0, 2, 0], [0, 0, 0]]
    matrix = confusion_matrix(predictions)
    expected = sk.confusion_matrix(predictions.labels, predictions.predicted)
    np.testing.assert_array_equal(matrix, expected)
    assert tuple(matrix.index) == tuple(matrix.columns) == predictions.classes
    assert (matrix.index.name, matrix.columns.name) == ("true", "predicted")


def test_shares_of_right_answers_and_of_the_commonest(five_images: Predictions) -> None:
    assert share_right(five_images).tolist() == five_images.correct.tolist()
    present = np.array([[True, False], [True, True], [False, False]])
    told = np.array([[0.9, 0.9], [0.9, 0.9], [0.1, 0.1]])
    ids = np.array(["a", "b", "c"])
    findings = MultiLabelPredictions(ids, ids, present, told, ("x", "y"))
    assert share_right(findings).tolist() == [0.5, 1.0, 1.0]
    assert commonest_answer(np.array([0, 1, 1, 2])) == 0.5
    assert commonest_answer(present) == pytest.approx(2 / 3)
