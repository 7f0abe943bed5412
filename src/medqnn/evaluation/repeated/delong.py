"""DeLong's test of two AUROCs on the same images.

DeLong, DeLong and Clarke-Pearson (1988), computed by mid-ranks as Sun and Xu (2014) do. The test
takes images for independent; where patients have several, the bootstrap over patients is the one to
go by.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from medqnn.errors import EvaluationError
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.paired_tests import aligned
from medqnn.evaluation.predictions import AnyPredictions


class DeLong(NamedTuple):
    """Both AUROCs, a − b with its standard error and 95 % interval, z and two-sided p.

    All NaN where a class is empty; se, low, high, z and p NaN where it has one image only; z and p
    NaN where the difference is not zero but its standard error is.
    """

    auc_a: float
    auc_b: float
    difference: float
    se: float
    low: float
    high: float
    z: float
    p: float

    @classmethod
    def of(cls, auc_a: float, auc_b: float, se: float) -> DeLong:
        """The test that two AUROCs and the standard error of their difference give."""
        difference, half = auc_a - auc_b, float(stats.norm.ppf(0.975)) * se
        if se == 0:
            z, p = (0.0, 1.0) if difference == 0 else (np.nan, np.nan)
        else:
            z = difference / se
            p = float(2 * stats.norm.sf(abs(z)))
        return cls(auc_a, auc_b, difference, se, difference - half, difference + half, z, p)


def delong(score_a: np.ndarray, score_b: np.ndarray, positive: np.ndarray) -> DeLong:
    """DeLong's test for two scores of the same images.

    Args:
        score_a: (n,) float, higher for more likely positive.
        score_b: the same of the other model.
        positive: (n,) bool.

    Raises:
        EvaluationError: if the three are not of one length.
    """
    shapes = {np.shape(score_a), np.shape(score_b), np.shape(positive)}
    if len(shapes) > 1 or np.ndim(positive) != 1:
        raise EvaluationError(
            f"scores and labels have shapes {sorted(shapes)}: give one number for each image"
        )
    m, n = int(positive.sum()), int((~positive).sum())
    if not (m and n):
        return DeLong(*[np.nan] * 8)
    of_positives, of_negatives = _placements(np.stack([score_a, score_b]), positive)
    auc_a, auc_b = (float(auc) for auc in of_positives.mean(axis=1))
    if min(m, n) == 1:
        return DeLong.of(auc_a, auc_b, np.nan)
    variance = _variance(of_positives) / m + _variance(of_negatives) / n
    return DeLong.of(auc_a, auc_b, float(np.sqrt(variance)))


def delong_by_class(a: AnyPredictions, b: AnyPredictions) -> dict[str, DeLong]:
    """DeLong's test of each class against the rest, or of each finding.

    With two classes the last one alone: the other would say the same.

    Raises:
        EvaluationError: if the two are not predictions of the same images.
    """
    b = aligned(a, b)
    finds = isinstance(a, MultiLabelPredictions)
    chosen = range(len(a.classes)) if finds or len(a.classes) > 2 else [1]
    return {
        a.classes[k]: delong(
            a.probabilities[:, k],
            b.probabilities[:, k],
            a.labels[:, k] if finds else a.labels == k,
        )
        for k in chosen
    }


def _placements(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Structural components of both scores (Sun and Xu); equal scores count half.

    Returns:
        Of each positive the share of negatives below it, (2, m); of each negative that of positives
        above it, (2, n).
    """
    overall = stats.rankdata(scores, axis=1)
    among_positives = stats.rankdata(scores[:, positive], axis=1)
    among_negatives = stats.rankdata(scores[:, ~positive], axis=1)
    m, n = among_positives.shape[1], among_negatives.shape[1]
    of_positives = (overall[:, positive] - among_positives) / n
    return of_positives, 1 - (overall[:, ~positive] - among_negatives) / m


def _variance(placements: np.ndarray) -> float:
    """Sample variance of the difference of the two rows."""
    return float((placements[0] - placements[1]).var(ddof=1))
