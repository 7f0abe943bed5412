"""How large a paired difference over runs is, beside whether it is there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special, stats


class Effect(NamedTuple):
    """Sizes of a paired effect; NaN where it is not defined.

    Attributes:
        d_z: mean over standard deviation of the differences, times Hedges' correction; NaN with
            fewer than two runs or no spread.
        rank_biserial: from −1 to 1, of the non-zero differences; NaN if there are none.
        superiority: share of the runs with a positive difference, those at zero counted half.
        low, high: 95 % interval of `superiority`.
    """

    d_z: float
    rank_biserial: float
    superiority: float
    low: float
    high: float


def effect(differences: np.ndarray) -> Effect:
    """Sizes of the effect that makes paired differences positive.

    d_z = mean/s · J with J = Γ(m/2) / (√(m/2) Γ((m−1)/2)), m = n − 1 (Hedges 1981), is free of the
    bias of small n. The matched-pairs rank-biserial correlation is the rank sum of the positive
    minus that of the negative differences over the sum of all ranks (Kerby 2014). The interval of
    `superiority` is Wilson's: it stays inside [0, 1] and keeps a width where all runs agree, where
    a bootstrap would have none. All take runs for independent and describe these runs; they are no
    tests.

    Args:
        differences: any shape, with at least one number; NaN is left out.
    """
    from statsmodels.stats.proportion import proportion_confint  # takes a second to import

    d = differences[np.isfinite(differences)]
    won = float((d > 0).sum() + (d == 0).sum() / 2)
    low, high = proportion_confint(won, len(d), method="wilson")
    return Effect(_d_z(d), _rank_biserial(d), won / len(d), float(low), float(high))


def _d_z(d: np.ndarray) -> float:
    m = len(d) - 1
    if m < 2 or d.std() == 0:  # J of two runs is zero
        return np.nan
    log_j = special.gammaln(m / 2) - np.log(m / 2) / 2 - special.gammaln((m - 1) / 2)
    return float(d.mean() / d.std(ddof=1) * np.exp(log_j))


def _rank_biserial(d: np.ndarray) -> float:
    kept = d[d != 0]
    if not len(kept):
        return np.nan
    ranks = stats.rankdata(np.abs(kept))
    return float((ranks * np.sign(kept)).sum() / ranks.sum())
