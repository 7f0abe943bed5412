"""Scores of findings that may occur together, for one or many weightings of the images at once.

Each finding is a question of its own: present or not. As in `metrics`, a finding that no image with
weight shows has no precision, recall, F1, AUROC or average precision (NaN), one that all show has
no specificity or AUROC, and the means over findings leave it out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.ranking import rank_scores
from medqnn.evaluation.ratios import average, ratio

MEASURES = ("precision", "recall", "specificity", "f1")


def weighted_multilabel_scores(
    predictions: MultiLabelPredictions, weights: np.ndarray
) -> pd.DataFrame:
    """Scores for R weightings of n images.

    Args:
        predictions: n images, L findings.
        weights: (R, n) float, not negative, no row all zero.

    Returns:
        R rows with the columns
        auroc, average_precision, macro_f1: means over the findings for which they are defined;
        label_accuracy: share of right answers among all findings of all images;
        exact_match: share of images with all findings right;
        auroc[f], average_precision[f], precision[f], recall[f], specificity[f], f1[f] of each
        finding f.
        What is not a ranking is of the answers at a probability of 1/2.
    """
    by_finding = {**_ranking(predictions, weights), **_answers(predictions, weights)}
    means = {name: average(values, ~np.isnan(values)) for name, values in by_finding.items()}
    total = weights.sum(axis=1)
    told = (predictions.predicted == predictions.labels).mean(axis=1)
    columns = {
        "auroc": means["auroc"],
        "average_precision": means["average_precision"],
        "macro_f1": means["f1"],
        "label_accuracy": weights @ told / total,
        "exact_match": weights @ predictions.correct / total,
    }
    for k, finding in enumerate(predictions.classes):
        columns |= {f"{name}[{finding}]": values[:, k] for name, values in by_finding.items()}
    return pd.DataFrame(columns)


def multilabel_report(predictions: MultiLabelPredictions) -> pd.DataFrame:
    """Answers at a probability of 1/2, by finding.

    Returns:
        Rows: each finding, then "macro average" (over the findings for which a measure is defined).
        Columns: precision, recall (sensitivity), specificity, f1 in [0, 1], support (images with
        the finding, int; in the last row their sum).
    """
    by_finding = np.concatenate(
        list(_answers(predictions, np.ones((1, len(predictions)))).values())
    )
    rows = np.column_stack([by_finding, average(by_finding, ~np.isnan(by_finding))]).T
    report = pd.DataFrame(rows, [*predictions.classes, "macro average"], MEASURES)
    support = predictions.labels.sum(axis=0)
    report["support"] = np.append(support, support.sum()).astype(np.int64)
    return report


def _answers(predictions: MultiLabelPredictions, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Each of `MEASURES`, (R, L)."""
    said, true = predictions.predicted, predictions.labels
    hits, called, positives = weights @ (said & true), weights @ said, weights @ true
    rejected, negatives = weights @ ~(said | true), weights @ ~true
    occurs = positives > 0
    precision = np.where(occurs, ratio(hits, called, undefined=0.0), np.nan)
    f1 = np.where(occurs, ratio(2 * hits, called + positives), np.nan)
    values = (precision, ratio(hits, positives), ratio(rejected, negatives), f1)
    return dict(zip(MEASURES, values, strict=True))


def _ranking(predictions: MultiLabelPredictions, weights: np.ndarray) -> dict[str, np.ndarray]:
    """AUROC and average precision, (R, L)."""
    by_finding = [
        rank_scores(score, present, weights)
        for score, present in zip(predictions.probabilities.T, predictions.labels.T, strict=True)
    ]
    auroc, precision = (np.stack(values, axis=1) for values in zip(*by_finding, strict=True))
    return {"auroc": auroc, "average_precision": precision}
