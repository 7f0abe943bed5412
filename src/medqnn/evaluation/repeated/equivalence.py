"""Two one-sided tests: are two variants the same up to a margin? (Schuirmann 1987)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from medqnn.errors import EvaluationError
from medqnn.evaluation.repeated.corrected_t import CorrectedT

ALPHA = 0.05


class Equivalence(NamedTuple):
    """The larger p of the two tests, the 90 % interval that goes with them, and the answer."""

    margin: float
    p: float
    low: float
    high: float
    equivalent: bool


def equivalence(test: CorrectedT, margin: float) -> Equivalence:
    """Whether a mean difference lies within ±margin, on the standard error of the corrected t.

    The p-value is the larger of the one-sided ones against −margin and +margin; below 0.05 the
    90 % interval lies inside the margin, which is the same statement. What `test.covers` says of
    that test holds here. Without a standard error, p and interval are NaN and the answer is no.

    Args:
        test: from `corrected_t`.
        margin: the largest difference that would not matter, above 0.

    Raises:
        EvaluationError: if the margin is not above 0.
    """
    if not margin > 0:
        raise EvaluationError(
            f"margin={margin}: give the largest difference that would not matter, above 0 "
            "(0.02 is two points of accuracy)"
        )
    if np.isnan(test.p):
        return Equivalence(margin, np.nan, np.nan, np.nan, False)
    if test.se == 0:  # no run differs at all
        return Equivalence(margin, 0.0, test.mean, test.mean, True)
    above = stats.t.sf((test.mean + margin) / test.se, test.df)
    below = stats.t.cdf((test.mean - margin) / test.se, test.df)
    p, half = float(max(above, below)), stats.t.ppf(1 - ALPHA, test.df) * test.se
    return Equivalence(margin, p, float(test.mean - half), float(test.mean + half), p < ALPHA)
