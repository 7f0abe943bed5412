"""Scores of a table of predictions, computed for one or many weightings of its images at once.

The bootstrap asks for each score a thousand times under other weights. So all scores are written
for a matrix of weights (R, n): what rests on counts is one matrix product, and R = 1 with weights
of one is the plain score.

A class that no image of the table (or no image with weight) belongs to cannot be scored: its own
precision, recall and F1 are NaN, and macro and weighted averages leave it out. A class that occurs
but is never predicted has precision 0. Findings that may occur together are scored by
`multilabel_metrics`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from medqnn.errors import EvaluationError
from medqnn.evaluation.calibration import ece
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.multilabel_metrics import multilabel_report, weighted_multilabel_scores
from medqnn.evaluation.predictions import AnyPredictions, Predictions
from medqnn.evaluation.ranking import rank_scores
from medqnn.evaluation.ratios import average, ratio


def scores(predictions: AnyPredictions, weights: np.ndarray | None = None) -> dict[str, float]:
    """All scores of `weighted_scores` for one weighting of the images.

    Args:
        predictions: n images.
        weights: (n,) non-negative finite numbers, not all zero; None: each image counts once.

    Raises:
        EvaluationError: if the weights are not of that kind.
    """
    given = np.ones(len(predictions)) if weights is None else np.asarray(weights, dtype=np.float64)
    sound = given.shape == (len(predictions),) and np.isfinite(given).all() and (given >= 0).all()
    if not sound or given.sum() == 0:
        raise EvaluationError(
            f"weights of shape {given.shape} for {len(predictions)} images: "
            "give one finite weight for each image, none negative, not all zero"
        )
    row = weighted_scores(predictions, given[None]).iloc[0]
    return {str(name): float(value) for name, value in row.items()}


def weighted_scores(predictions: AnyPredictions, weights: np.ndarray) -> pd.DataFrame:
    """Scores for R weightings of n images.

    Args:
        predictions: n images of K classes; for findings see `weighted_multilabel_scores`.
        weights: (R, n) float, not negative, no row all zero.

    Returns:
        R rows with the columns
        accuracy;
        balanced_accuracy: mean recall of the classes that occur;
        macro_f1, weighted_f1: mean F1 of the classes that occur, plain and weighted by support;
        auroc, average_precision: one class against the rest, mean over the classes for which it is
        defined (with two classes, each is the positive one in turn); NaN if only one class occurs
        (auroc);
        mcc: Matthews' coefficient for K classes (Gorodkin 2004), 0 if all images have one label or
        one prediction;
        brier: mean over images of Σ_k (p_k − y_k)², so from 0 to 2 (Brier 1950; for two classes
        twice the one-sided form);
        ece: expected calibration error, 15 bins;
        precision[c], recall[c], f1[c] for each class c, NaN if it does not occur.
    """
    if isinstance(predictions, MultiLabelPredictions):
        return weighted_multilabel_scores(predictions, weights)
    confusion = weighted_confusion(predictions, weights)
    precision, recall, f1 = _class_scores(confusion)
    support, total = confusion.sum(axis=2), confusion.sum(axis=(1, 2))
    occurs = (support > 0).astype(np.float64)
    auroc, average_precision = _ranking(predictions, weights)
    truth = np.eye(len(predictions.classes))[predictions.labels]
    squared_error = ((predictions.probabilities - truth) ** 2).sum(axis=1)
    columns = {
        "accuracy": np.trace(confusion, axis1=1, axis2=2) / total,
        "balanced_accuracy": average(recall, occurs),
        "macro_f1": average(f1, occurs),
        "weighted_f1": average(f1, support),
        "auroc": auroc,
        "average_precision": average_precision,
        "mcc": _matthews(confusion),
        "brier": weights @ squared_error / total,
        "ece": ece(predictions, weights),
    }
    for k, name in enumerate(predictions.classes):
        columns[f"precision[{name}]"] = precision[:, k]
        columns[f"recall[{name}]"] = recall[:, k]
        columns[f"f1[{name}]"] = f1[:, k]
    return pd.DataFrame(columns)


def share_right(predictions: AnyPredictions) -> np.ndarray:
    """Share of each image's questions answered rightly, float64 (n,); of classes there is one."""
    if isinstance(predictions, MultiLabelPredictions):
        return np.asarray((predictions.predicted == predictions.labels).mean(axis=1))
    return predictions.correct.astype(np.float64)


def commonest_answer(labels: np.ndarray) -> float:
    """Mean of `share_right` if every image were given the commonest answer.

    Args:
        labels: Classes, int (n,), or findings, bool (n, K).
    """
    if labels.ndim == 2:
        present = labels.mean(axis=0)
        return float(np.maximum(present, 1 - present).mean())
    return float(np.bincount(labels).max() / len(labels))


def class_report(predictions: AnyPredictions) -> pd.DataFrame:
    """Table 1 of the HQCM-EBTC paper; for findings see `multilabel_report`.

    Returns:
        Rows: each class, then "macro average" and "weighted average" (over the classes that
        occur). Columns: precision, recall, f1 in [0, 1], support (images, int).
    """
    if isinstance(predictions, MultiLabelPredictions):
        return multilabel_report(predictions)
    confusion = weighted_confusion(predictions, np.ones((1, len(predictions))))
    support = confusion[0].sum(axis=1)
    by_class = np.concatenate(_class_scores(confusion))  # (3, K)
    rows = np.column_stack([by_class, average(by_class, support > 0), average(by_class, support)]).T
    names = [*predictions.classes, "macro average", "weighted average"]
    report = pd.DataFrame(rows, index=names, columns=["precision", "recall", "f1"])
    report["support"] = np.append(support, [support.sum()] * 2).astype(np.int64)
    return report


def confusion_matrix(predictions: Predictions) -> pd.DataFrame:
    """(K, K) counts of images: rows are true classes, columns predicted ones."""
    counts = weighted_confusion(predictions, np.ones((1, len(predictions))))[0]
    names = list(predictions.classes)
    return pd.DataFrame(
        counts.astype(np.int64),
        index=pd.Index(names, name="true"),
        columns=pd.Index(names, name="predicted"),
    )


def weighted_confusion(predictions: Predictions, weights: np.ndarray) -> np.ndarray:
    """Confusion matrices (R, K, K), [true, predicted], for R weightings (R, n) of the images."""
    k = len(predictions.classes)
    cells = np.eye(k * k)[predictions.labels * k + predictions.predicted]
    counts: np.ndarray = weights @ cells
    return counts.reshape(-1, k, k)


def _class_scores(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, recall and F1, each (R, K), of confusion matrices (R, K, K)."""
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    support, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
    precision = np.where(support > 0, ratio(hits, predicted, undefined=0.0), np.nan)
    recall = ratio(hits, support)
    f1 = np.where(support > 0, ratio(2 * hits, support + predicted), np.nan)
    return precision, recall, f1


def _ranking(predictions: Predictions, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One-vs-rest AUROC and average precision, each (R,), macro-averaged."""
    by_class = [
        rank_scores(score, predictions.labels == k, weights)
        for k, score in enumerate(predictions.probabilities.T)
    ]
    auroc, average_precision = (np.stack(values, axis=1) for values in zip(*by_class, strict=True))
    return (
        average(auroc, ~np.isnan(auroc)),
        average(average_precision, ~np.isnan(average_precision)),
    )


def _matthews(confusion: np.ndarray) -> np.ndarray:
    support, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
    total, hits = support.sum(axis=1), np.trace(confusion, axis1=1, axis2=2)
    covariance = hits * total - (support * predicted).sum(axis=1)
    spread_true = total**2 - (support**2).sum(axis=1)
    spread_predicted = total**2 - (predicted**2).sum(axis=1)
    spread = np.sqrt(np.maximum(spread_true * spread_predicted, 0))  # fractional weights round
    return ratio(covariance, spread, undefined=0.0)
