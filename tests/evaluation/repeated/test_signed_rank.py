from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medqnn.evaluation.repeated.signed_rank import signed_rank


@pytest.mark.parametrize("n", [1, 3, 6, 20, 60])
def test_agrees_with_scipy_without_ties(n: int) -> None:
    differences = np.random.default_rng(n).normal(0.3, 1, (n, 1))
    scipy = stats.wilcoxon(differences[:, 0], method="exact")
    given = signed_rank(differences)
    assert (given.statistic, given.p) == pytest.approx((scipy.statistic, scipy.pvalue))
    assert (given.pairs, given.zeros) == (n, 0)


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_all_signs_gone_through_where_there_are_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    differences = rng.integers(1, 4, 7) * rng.choice([-1, 1, 1], 7)
    all_signs = stats.PermutationMethod(n_resamples=2**7)
    scipy = stats.wilcoxon(differences, method=all_signs)
    given = signed_rank(differences.astype(float))
    assert (given.statistic, given.p) == pytest.approx((scipy.statistic, scipy.pvalue))


def test_smallest_p_is_that_of_all_on_one_side() -> None:
    given = signed_rank(np.array([0.1, 0.2, 0.2, 0.4, 0.5]))
    assert given.p == given.smallest_p == 2 / 2**5


def test_zeros_are_left_out_and_counted() -> None:
    given = signed_rank(np.array([[0.0, 0.3, np.nan], [0.1, 0.0, -0.2]]))
    assert given == signed_rank(np.array([0.3, 0.1, -0.2]))._replace(zeros=2)
    assert signed_rank(np.zeros(4)) == (0, 1, 1, 0, 4)
