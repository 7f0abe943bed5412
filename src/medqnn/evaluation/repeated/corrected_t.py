"""Nadeau and Bengio's corrected t for differences over folds and seeds.

The runs of a study are not independent. Folds share most of their training images, and seeds share
both parts of their fold. Nadeau and Bengio (2003, Machine Learning 52) put
(1/n + n_test/n_train)·s² in the place of s²/n for n splits of the same data. Bouckaert and Frank
(2004) keep this for repeated cross-validation with n = folds × repeats, but there each repeat draws
new folds. Where seeds repeat the *same* folds, n = F·S would count each fold S times: what the
folds have in common would be divided by S for no reason. So here the seeds of a fold are averaged
first and the n of the formula is the number of folds, F − 1 the degrees of freedom. More seeds then
help only as far as seeds are what the differences vary by, which is true. docs/statistics.md has
the false positives of both ways.

With one fold there is one training part and one test part. The correction describes what new parts
would do and cannot be estimated from one; what is left is the plain t over seeds. Its interval
covers the randomness of training alone, not the choice of patients: `covers` says so.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from medqnn.errors import EvaluationError

SEEDS_ALONE = "training seeds"
SEEDS_AND_PATIENTS = "training seeds and the choice of patients"


class CorrectedT(NamedTuple):
    """A mean difference, its interval and its two-sided test.

    NaN: se, low, high, t and p where one run (or one fold of several) has a difference; t and p
    where all differences are one number other than zero, for which no spread can be told.
    """

    mean: float
    se: float
    low: float
    high: float
    t: float
    df: int
    p: float
    pairs: int
    covers: str


def corrected_t(differences: np.ndarray, test_over_train: float, level: float = 0.95) -> CorrectedT:
    """The corrected t of paired differences.

    Args:
        differences: (F, S) float, one of each fold and seed; NaN where a run is lacking.
        test_over_train: images of a fold's test part over those of its training part, above 0;
            read only where two folds or more have differences.
        level: coverage aimed at by the interval, between 0 and 1.

    Raises:
        EvaluationError: if `differences` is not such an array or the ratio is not positive.
    """
    units = independent_units(differences)
    if not test_over_train > 0:
        raise EvaluationError(
            f"test_over_train={test_over_train}: give the images of a fold's test part over those "
            "of its training part, 0.25 for five folds"
        )
    several = folds_with_runs(differences) > 1
    mean, df = float(units.mean()), len(units) - 1
    se = standard_error(units.var(ddof=1), len(units), test_over_train, several) if df else np.nan
    half = stats.t.ppf((1 + level) / 2, df) * se if df else np.nan
    t, p = _test(mean, se, df)
    return CorrectedT(
        mean,
        float(se),
        float(mean - half),
        float(mean + half),
        t,
        df,
        p,
        int(np.isfinite(differences).sum()),
        SEEDS_AND_PATIENTS if several else SEEDS_ALONE,
    )


def independent_units(differences: np.ndarray) -> np.ndarray:
    """What the test counts: the mean of each fold, or with one fold the seeds, NaN left out.

    Raises:
        EvaluationError: if `differences` is not (F, S) or holds no number.
    """
    if np.ndim(differences) != 2 or not np.isfinite(differences).any():
        raise EvaluationError(
            f"differences of shape {np.shape(differences)} without NaN in "
            f"{np.isfinite(differences).sum()} places: give an array of folds and seeds with at "
            "least one run of both variants"
        )
    folds = [row[np.isfinite(row)] for row in differences if np.isfinite(row).any()]
    return folds[0] if len(folds) == 1 else np.array([row.mean() for row in folds])


def folds_with_runs(differences: np.ndarray) -> int:
    """How many folds have a difference at all."""
    return int(np.isfinite(differences).any(axis=1).sum())


def standard_error(variance: float, units: int, test_over_train: float, folds: bool) -> float:
    """Of the mean of `units` numbers of that variance; corrected where they are folds."""
    return float(np.sqrt(variance * (1 / units + (test_over_train if folds else 0.0))))


def _test(mean: float, se: float, df: int) -> tuple[float, float]:
    if not df:
        return np.nan, np.nan
    if se == 0:  # all differences alike
        return (0.0, 1.0) if mean == 0 else (np.nan, np.nan)
    t = mean / se
    return float(t), float(2 * stats.t.sf(abs(t), df))
