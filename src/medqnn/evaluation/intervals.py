"""Intervals by the bootstrap over patients.

Several slices of one patient resemble each other, so resampling images would give intervals that
are too narrow. The cluster bootstrap draws as many patients as there are, with replacement, and
takes all images of each; an image's weight is the number of times its patient was drawn. The
interval is the percentile interval (Efron and Tibshirani 1993, ch. 13). With few patients
(below about 30) it is still somewhat too narrow. It covers the choice of test patients; it says
nothing of other training seeds. For the expected calibration error, which noise raises, it lies
somewhat high.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from medqnn.errors import EvaluationError
from medqnn.evaluation.metrics import weighted_scores
from medqnn.evaluation.predictions import AnyPredictions

BLOCK = 2**19  # weights in memory at once (4 MiB), whatever the number of images


def bootstrap(
    predictions: AnyPredictions,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Every score of `weighted_scores` with its interval; see `cluster_bootstrap`."""
    return cluster_bootstrap(
        lambda weights: weighted_scores(predictions, weights),
        predictions.patients,
        resamples,
        level,
        seed,
    )


def cluster_bootstrap(
    statistics: Callable[[np.ndarray], pd.DataFrame],
    patients: np.ndarray,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Statistics of n images with their percentile intervals over resampled patients.

    Args:
        statistics: from weights (R, n) to a table of R rows, one column a statistic.
        patients: (n,) the patient of each image.
        resamples: how often patients are drawn.
        level: coverage aimed at, between 0 and 1.
        seed: of the draws; the same seed gives the same interval.

    Returns:
        One row a statistic; columns estimate, low, high. Resamples in which a statistic is
        undefined (NaN) are left out of its interval. With one patient only, low and high are NaN:
        nothing can be resampled.

    Raises:
        EvaluationError: if resamples or level are out of range.
    """
    if resamples < 1 or not 0 < level < 1:
        raise EvaluationError(
            f"resamples={resamples} and level={level}: "
            "give at least 1 resample (1000 is usual) and a level between 0 and 1"
        )
    result = statistics(np.ones((1, len(patients)))).iloc[0].rename("estimate").to_frame()
    if len(np.unique(patients)) == 1:
        return result.assign(low=np.nan, high=np.nan)
    drawn = pd.concat(
        [statistics(weights) for weights in patient_weights(patients, resamples, seed)]
    )
    tails = [(1 - level) / 2, (1 + level) / 2]
    result[["low", "high"]] = drawn.quantile(tails).T.to_numpy()
    return result


def patient_weights(patients: np.ndarray, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Weights (block, n) of the images, block after block, `resamples` rows in all."""
    rng = np.random.default_rng(seed)
    names, patient_of_image = np.unique(patients, return_inverse=True)
    block = max(1, BLOCK // len(patients))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        times_drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=size)
        yield times_drawn[:, patient_of_image].astype(np.float64)
