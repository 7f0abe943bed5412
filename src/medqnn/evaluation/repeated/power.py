"""How many seeds it would take, on the standard error of the corrected t.

The fold means vary by s² = b + w/S: w is the variance of seeds within a fold, estimated from the
runs, b what is left, which belongs to folds and patients. More seeds shrink w/S alone, and the
corrected standard error, √((1/F + n_test/n_train)(b + w/S)), does not fall below
√((1/F + n_test/n_train)·b). Where that floor is too high, no number of seeds will do and more data
is needed. With one fold the plain standard error √(w/S) has no floor, but speaks of seeds alone.

All of this takes the spread that was seen for the true one. With few runs that is a rough guess.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

from medqnn.evaluation.repeated.corrected_t import (
    folds_with_runs,
    independent_units,
    standard_error,
)

POWER, ALPHA = 0.8, 0.05
MOST = 10_000  # seeds; more is not advice


class Power(NamedTuple):
    """Seeds a fold; None: no number up to 10,000 would do, or the spread of seeds is unknown.

    Attributes:
        seeds: in each fold now (the mean, where runs failed).
        for_margin: seeds at which the 95 % interval is narrower than the margin; it then either
            leaves zero out or lies within ±margin, so the question is settled either way.
        for_difference: seeds at which a true difference of the size seen is told from zero with a
            probability of 0.8 at the 5 % level, that many comparisons being made.
        se_floor: what the standard error comes to with seeds without end; NaN if unknown.
    """

    seeds: float
    for_margin: int | None
    for_difference: int | None
    se_floor: float


def power(
    differences: np.ndarray, test_over_train: float, margin: float, comparisons: int = 1
) -> Power:
    """How many seeds a fold would settle the comparison.

    Args:
        differences: (F, S) float as in `corrected_t`.
        test_over_train: as in `corrected_t`.
        margin: the largest difference that would not matter, above 0.
        comparisons: tests that Holm's correction is over; the hardest of its steps is reckoned
            with, α over their number.

    Raises:
        EvaluationError: as `corrected_t`.
    """
    units, folds = independent_units(differences), folds_with_runs(differences)
    seeds = np.isfinite(differences).sum() / folds
    within = _within(differences)
    if len(units) < 2 or np.isnan(within):
        return Power(float(seeds), None, None, np.nan)
    # A variance cannot be negative: where seeds alone explain the spread, folds add none.
    between = max(float(units.var(ddof=1)) - within / seeds, 0.0) if folds > 1 else 0.0

    def error(many: float) -> tuple[float, int]:
        """Standard error and degrees of freedom with so many seeds."""
        if folds == 1:
            return np.sqrt(within / many), int(many) - 1
        return standard_error(between + within / many, folds, test_over_train, True), folds - 1

    mean = abs(float(units.mean()))
    floor = standard_error(between, folds, test_over_train, True) if folds > 1 else 0.0
    return Power(
        float(seeds),
        _fewest(lambda many: _width(*error(many)) < margin),
        _fewest(lambda many: _chance(mean, *error(many), ALPHA / comparisons) >= POWER),
        floor,
    )


def _within(differences: np.ndarray) -> float:
    """Variance of seeds within folds, pooled; NaN if no fold has two."""
    rows = [row[np.isfinite(row)] for row in differences]
    freedom = sum(len(row) - 1 for row in rows if len(row))
    squares = sum(float(((row - row.mean()) ** 2).sum()) for row in rows if len(row))
    return squares / freedom if freedom else np.nan


def _width(se: float, df: int) -> float:
    return float(2 * stats.t.ppf(1 - ALPHA / 2, df) * se)


def _chance(difference: float, se: float, df: int, alpha: float) -> float:
    """That a two-sided t test at level α finds this difference in its direction."""
    if difference == 0 or se == 0:
        return float(difference > 0)
    limit, shift = stats.t.ppf(1 - alpha / 2, df), difference / se
    if shift > 2 * limit + 10:  # as good as certain; SciPy's noncentral t fails far out
        return 1.0
    return float(stats.nct.sf(limit, df, shift))


def _fewest(enough: Callable[[int], bool]) -> int | None:
    """The smallest number of seeds from 2 to `MOST` that is enough; more are never worse."""
    if not enough(MOST):
        return None
    low, high = 1, MOST  # high is enough, low is not known to be
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
