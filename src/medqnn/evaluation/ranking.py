"""Area under the ROC curve and average precision, for many weightings of the images at once."""

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
    starts = np.flatnonzero(np.diff(score[order], prepend=np.inf))
    weights = weights[:, order]
    gained = np.add.reduceat(weights * positive[order], starts, axis=1)
    lost = np.add.reduceat(weights * ~positive[order], starts, axis=1)
    true_positives, false_positives = gained.cumsum(axis=1), lost.cumsum(axis=1)
    positives, negatives = true_positives[:, -1], false_positives[:, -1]

    area = (lost * (true_positives - gained / 2)).sum(axis=1)
    flagged = true_positives + false_positives
    precision = ratio(true_positives, flagged, undefined=0.0)
    auroc = ratio(area, positives * negatives)
    return auroc, ratio((gained * precision).sum(axis=1), positives)
