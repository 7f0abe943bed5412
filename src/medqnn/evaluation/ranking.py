"""The ROC curve; its area and average precision for many weightings of the images at once."""

from __future__ import annotations

import numpy as np

from medqnn.evaluation.ratios import ratio


def rank_scores(
    score: np.ndarray, positive: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """AUROC and average precision of one class against the rest.

    Images of equal score share one point of the curve, as in scikit-learn: AUROC counts such a pair
    as half right, average precision is Σ (R_i − R_{i−1}) P_i over the distinct scores.

    Args:
        score: (n,) float, higher for more likely positive.
        positive: (n,) bool.
        weights: (R, n) float, each row one weighting of the images.

    Returns:
        Two (R,) float arrays in [0, 1]. AUROC is NaN where positives or negatives have no weight,
        average precision where positives have none.
    """
    order = np.argsort(-score, kind="stable")
    hits = np.flatnonzero(positive[order])
    # Only the points of the curve that hold positives count; where these are few, little is left.
    _, first, size = np.unique(-score[order], return_index=True, return_counts=True)
    point = np.searchsorted(first, hits, side="right") - 1
    points, begins = np.unique(point, return_index=True)
    gained = np.add.reduceat(weights[:, order[hits]], begins, axis=1)
    seen = np.pad(weights[:, order].cumsum(axis=1), ((0, 0), (1, 0)))
    before, flagged = seen[:, first[points]], seen[:, first[points] + size[points]]

    true_positives = gained.cumsum(axis=1)
    positives = gained.sum(axis=1)
    negatives = seen[:, -1] - positives
    tied = flagged - before - gained
    outranked = negatives[:, None] - (flagged - true_positives) + tied / 2
    auroc = ratio((gained * outranked).sum(axis=1), positives * negatives)
    precision = ratio(true_positives, flagged, undefined=0.0)
    return auroc, ratio((gained * precision).sum(axis=1), positives)


def roc_curve(score: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the ROC curve of one class against the rest, from (0, 0) to (1, 1).

    Args:
        score: (n,) float, higher for more likely positive.
        positive: (n,) bool.

    Returns:
        False positive rate and true positive rate, (m,) each, rising; the line between neighbours
        is the curve. NaN throughout where there are no negatives or no positives.
    """
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.diff(score[order], append=-np.inf))
    counts = [np.append(0, members[order].cumsum()[last]) for members in (~positive, positive)]
    right, up = (np.diff(count) for count in counts)
    turns = right[:-1] * up[1:] != right[1:] * up[:-1]
    corners = np.concatenate([[True], turns, [True]])
    false_rate, true_rate = (
        ratio(count[corners], np.full(corners.sum(), count[-1])) for count in counts
    )
    return false_rate, true_rate
