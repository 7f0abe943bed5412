"""Wilcoxon's signed-rank test over runs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats


class SignedRank(NamedTuple):
    """The smaller of the two rank sums, the two-sided p, and the smallest p that could occur.

    Both p are 1 where all differences are zero.
    """

    statistic: float
    p: float
    smallest_p: float
    pairs: int
    zeros: int


def signed_rank(differences: np.ndarray) -> SignedRank:
    """Wilcoxon's test (1945) that differences lie symmetrically about zero.

    Zeros are left out, as Wilcoxon did, and counted; equal sizes share a mean rank. The p-value is
    exact with ties too, which accuracies often have and for which SciPy goes through all 2^n signs.
    With n pairs no p below 2/2^n can occur: 5 runs can never give p < 0.05. The test takes runs for
    independent, which those of one fold are not; no verdict rests on it.

    Args:
        differences: any shape; NaN is left out.
    """
    given = differences[np.isfinite(differences)]
    kept = given[given != 0]
    n, zeros = len(kept), len(given) - len(kept)
    doubled = np.rint(2 * stats.rankdata(np.abs(kept))).astype(np.int64)  # mean ranks are halves
    positive = int(doubled[kept > 0].sum())
    smaller = min(positive, int(doubled.sum()) - positive)
    p = min(1.0, 2 * float(_null(doubled)[: smaller + 1].sum()))
    return SignedRank(smaller / 2, p, min(1.0, 2.0 ** (1 - n)), n, zeros)


def _null(ranks: np.ndarray) -> np.ndarray:
    """Chance of each rank sum from 0 on, if each sign is + or − with probability 1/2."""
    chance = np.zeros(ranks.sum() + 1)
    chance[0] = 1
    for rank in ranks:
        shifted = np.zeros_like(chance)
        shifted[rank:] = chance[:-rank]
        chance = (chance + shifted) / 2
    return chance
