"""Sensitivity at a stated specificity, with the threshold chosen on other images than the test's.

A threshold chosen on the test images flatters. Here it is the lowest at which the validation images
reach the specificity; sensitivity and specificity are then counted on the test images. Their
intervals are those of the bootstrap over test patients and do not cover the choice of threshold,
which wavers where validation negatives are few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from medqnn.errors import EvaluationError
from medqnn.evaluation.intervals import cluster_bootstrap
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import AnyPredictions
from medqnn.evaluation.ratios import ratio

SPECIFICITIES = (0.8, 0.9, 0.95)


class _Point(NamedTuple):
    """A threshold on a column of probabilities; NaN where validation has no negatives."""

    column: int
    wanted: float
    threshold: float
    reached: float
    negatives: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without the column."""
        known = self.negatives > 0
        return {
            "wanted": self.wanted,
            "threshold": self.threshold if known else None,
            "validation_specificity": self.reached if known else None,
            "validation_negatives": self.negatives,
        }


def operating_points(
    validation: AnyPredictions,
    test: AnyPredictions,
    specificities: Sequence[float] = SPECIFICITIES,
    resamples: int = 1000,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Sensitivity and specificity on the test images at thresholds chosen on validation images.

    With two classes the last one is positive; with more each against the rest; findings each on
    their own. An image is called positive where its probability is above the threshold.

    Args:
        validation: predictions of the model for images that are not the test's.
        test: predictions of the same model for the test images.
        specificities: wanted of the validation images, each between 0 and 1.
        resamples: of the bootstrap over test patients.
        seed: of the same.

    Returns:
        One dictionary for each class and wanted specificity, ready for JSON: class, wanted,
        threshold, validation_specificity, validation_negatives, sensitivity and specificity {
        estimate, low, high}, positives, negatives (counts of test images). None: a threshold
        without validation negatives, and what follows from it; a share of no images; bounds where
        there is one patient.

    Raises:
        EvaluationError: if the two differ in task or classes, share an image, or an argument is
            out of range.
    """
    _check(validation, test, specificities)
    chosen = [
        _chosen(validation, k, wanted) for k in _classes(validation) for wanted in specificities
    ]
    table = cluster_bootstrap(
        lambda weights: _rates(test, chosen, weights), test.patients, resamples, seed=seed
    )
    shares = table.astype(object).where(table.notna(), None).to_dict("index")
    return [
        {
            "class": test.classes[point.column],
            **point.as_dict(),
            "sensitivity": shares[f"sensitivity {i}"],
            "specificity": shares[f"specificity {i}"],
            "positives": int(_positive(test, point.column).sum()),
            "negatives": int((~_positive(test, point.column)).sum()),
        }
        for i, point in enumerate(chosen)
    ]


def mean_sensitivities(points: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Mean sensitivity over classes at each specificity, as "sensitivity@0.90".

    Args:
        points: of `operating_points`. A class without test images or without validation negatives
            is left out; None if all are.
    """
    found: dict[str, list[float]] = {}
    for point in points:
        estimate = point["sensitivity"]["estimate"]
        own = found.setdefault(f"sensitivity@{point['wanted']:.2f}", [])
        own.extend([] if estimate is None else [estimate])
    return {name: float(np.mean(own)) if own else None for name, own in found.items()}


def _check(
    validation: AnyPredictions, test: AnyPredictions, specificities: Sequence[float]
) -> None:
    if type(validation) is not type(test) or validation.classes != test.classes:
        raise EvaluationError(
            f"the classes differ, {validation.classes} and {test.classes}: give validation and "
            "test predictions of one model"
        )
    shared = np.intersect1d(validation.ids, test.ids)
    if len(shared):
        raise EvaluationError(
            f"{len(shared)} images are in validation and test, the first is '{shared[0]}': choose "
            "thresholds on other images than the test's"
        )
    if not specificities or not all(0 < wanted < 1 for wanted in specificities):
        raise EvaluationError(
            f"specificities are {tuple(specificities)}: give one or more between 0 and 1, "
            "such as 0.9"
        )


def _classes(predictions: AnyPredictions) -> Sequence[int]:
    """The columns that are positive in turn."""
    count = len(predictions.classes)
    if isinstance(predictions, MultiLabelPredictions) or count > 2:
        return range(count)
    return [1]


def _positive(predictions: AnyPredictions, k: int) -> np.ndarray:
    """(n,) bool: the image is of class k, or shows finding k."""
    if isinstance(predictions, MultiLabelPredictions):
        return predictions.labels[:, k]
    positive: np.ndarray = predictions.labels == k
    return positive


def _chosen(validation: AnyPredictions, k: int, wanted: float) -> _Point:
    """The lowest score of a negative not above which the wanted share of negatives lies."""
    negatives = validation.probabilities[~_positive(validation, k), k]
    if not len(negatives):
        return _Point(k, wanted, np.nan, np.nan, 0)
    shares = np.arange(1, len(negatives) + 1) / len(negatives)
    threshold = float(np.sort(negatives)[np.argmax(shares >= wanted)])
    return _Point(k, wanted, threshold, float((negatives <= threshold).mean()), len(negatives))


def _rates(test: AnyPredictions, points: Sequence[_Point], weights: np.ndarray) -> pd.DataFrame:
    """Sensitivity and specificity at each point, for weights (R, n) of the images."""
    columns: dict[str, np.ndarray] = {}
    for i, point in enumerate(points):
        positive, score = _positive(test, point.column), test.probabilities[:, point.column]
        hits, rejected = (
            positive & (score > point.threshold),
            ~positive & (score <= point.threshold),
        )
        known = 1.0 if point.negatives else np.nan
        columns[f"sensitivity {i}"] = known * ratio(weights @ hits, weights @ positive)
        columns[f"specificity {i}"] = known * ratio(weights @ rejected, weights @ ~positive)
    return pd.DataFrame(columns)
