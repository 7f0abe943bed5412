"""Calibration: whether predictions made with confidence c are right in a fraction c of cases."""

from __future__ import annotations

import numpy as np
import pandas as pd

from medqnn.evaluation.predictions import Predictions

BINS = 15  # of equal width on [0, 1], as in Guo et al. 2017


def ece(predictions: Predictions, weights: np.ndarray) -> np.ndarray:
    """Expected calibration error of the top label (Guo et al. 2017, eq. 3), for R weightings.

    Mean over the bins, weighted by the images in them, of |accuracy − confidence|.

    Args:
        predictions: n images.
        weights: (R, n) float, each row one weighting of the images.

    Returns:
        (R,) float in [0, 1].
    """
    gap = predictions.correct - predictions.probabilities.max(axis=1)
    gaps = weights @ (_bin_membership(predictions) * gap[:, None])
    error: np.ndarray = np.abs(gaps).sum(axis=1) / weights.sum(axis=1)
    return error


def reliability(predictions: Predictions) -> pd.DataFrame:
    """Reliability curve of the top label: one row for each of 15 bins (low, high] of confidence.

    Returns:
        Columns low, high (the bin), count (images), confidence and accuracy (means over the bin's
        images, NaN in an empty bin).
    """
    edges = np.linspace(0, 1, BINS + 1)
    members = _bin_membership(predictions)
    count = members.sum(axis=0)
    images = np.where(count > 0, count, np.nan)
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "count": count.astype(np.int64),
            "confidence": predictions.probabilities.max(axis=1) @ members / images,
            "accuracy": predictions.correct @ members / images,
        }
    )


def _bin_membership(predictions: Predictions) -> np.ndarray:
    """(n, 15) float, 1 where the image's highest probability lies in the bin."""
    upper_edges = np.linspace(0, 1, BINS + 1)[1:]
    bins = np.searchsorted(upper_edges, predictions.probabilities.max(axis=1), side="left")
    members: np.ndarray = np.eye(BINS)[bins]
    return members
