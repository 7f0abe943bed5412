"""The score of the MedMNIST benchmark, so that its published tables can be held against ours.

ACC and AUC as the benchmark's own evaluator defines them (MedMNIST v2 and v3,
`medmnist/evaluator.py`; Yang et al. 2023). Two classes are its "binary-class" task; its
"multi-class" and "ordinal-regression" tasks are scored alike. In multi-label tasks the evaluator of
the first releases counted a probability of exactly 1/2 as present; today's does not, nor do we.
"""

from __future__ import annotations

import numpy as np

from medqnn.evaluation.multilabel import THRESHOLD, MultiLabelPredictions
from medqnn.evaluation.predictions import AnyPredictions
from medqnn.evaluation.ranking import rank_scores


def medmnist_score(predictions: AnyPredictions) -> dict[str, float | None]:
    """ACC and AUC of MedMNIST, ready for JSON.

    Two classes: AUC of the last one's probability; an answer is right if that is above 1/2 where
    the last class is true, and not above elsewhere. More classes: mean of their one-vs-rest AUCs;
    the most probable class is the answer. Findings: means over them of the AUC and of the share of
    right answers at a probability above 1/2.

    Returns:
        acc and auc in [0, 1]. auc is None if a class does not occur, or no other does: the mean is
        over all classes, and one of them has no AUC then (our own `auroc` leaves it out).
    """
    score, truth, right = _columns(predictions)
    once = np.ones((1, len(predictions)))
    areas = [rank_scores(s, t, once)[0] for s, t in zip(score.T, truth.T, strict=True)]
    auc = float(np.mean(areas))
    return {"acc": float(right.mean()), "auc": None if np.isnan(auc) else auc}


def _columns(predictions: AnyPredictions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The columns whose AUCs are averaged (scores and truth), and which answers are right."""
    score = predictions.probabilities
    if isinstance(predictions, MultiLabelPredictions):
        return score, predictions.labels, predictions.predicted == predictions.labels
    truth = predictions.labels[:, None] == np.arange(len(predictions.classes))
    if len(predictions.classes) > 2:
        return score, truth, predictions.correct
    score, truth = score[:, 1:], truth[:, 1:]
    return score, truth, (score > THRESHOLD) == truth
