from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medqnn.evaluation.repeated.effect import effect


@pytest.mark.parametrize(("m", "c"), [(2, 0.5642), (3, 0.7236), (5, 0.8408), (10, 0.9228)])
def test_hedges_correction_is_that_of_his_table(m: int, c: float) -> None:
    differences = np.random.default_rng(m).normal(1, 1, m + 1)
    plain = differences.mean() / differences.std(ddof=1)
    assert effect(differences).d_z / plain == pytest.approx(c, abs=6e-5)


def test_rank_biserial_is_that_of_the_rank_sums() -> None:
    differences = np.random.default_rng(0).normal(0.5, 1, 15)
    positive = stats.wilcoxon(differences, alternative="greater").statistic
    total = 15 * 16 / 2
    assert effect(differences).rank_biserial == pytest.approx((2 * positive - total) / total)


def test_superiority_counts_ties_half() -> None:
    given = effect(np.array([[0.1, 0.0, -0.1], [0.2, 0.0, np.nan]]))
    assert given.superiority == 3 / 5
    wilson = stats.binomtest(3, 5).proportion_ci(method="wilson")
    assert (given.low, given.high) == pytest.approx((wilson.low, wilson.high))


def test_where_all_runs_agree_the_interval_keeps_a_width() -> None:
    given = effect(np.array([0.1, 0.2, 0.3]))
    assert (given.superiority, given.rank_biserial) == (1, 1)
    assert given.low < 0.5 < given.high == pytest.approx(1)


def test_what_is_not_defined() -> None:
    assert np.isnan(effect(np.array([0.1, 0.2])).d_z)  # the correction would be zero
    assert np.isnan(effect(np.full(5, 0.1)).d_z)
    same = effect(np.zeros(4))
    assert same.superiority == 0.5
    assert np.isnan([same.d_z, same.rank_biserial]).all()
