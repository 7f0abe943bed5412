from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from medqnn.errors import EvaluationError
from medqnn.evaluation.repeated.corrected_t import corrected_t

FIVE = np.array([[0.02], [0.04], [0.01], [0.03], [0.05]])


def test_worked_example_of_five_folds() -> None:
    # mean 0.03, s² = 0.001/4 = 0.00025, factor 1/5 + 1/4 = 0.45
    given = corrected_t(FIVE, 0.25)
    assert given.mean == pytest.approx(0.03)
    assert given.se == pytest.approx(0.0106066, rel=1e-5)
    assert given.t == pytest.approx(2.828427, rel=1e-6)
    assert (given.df, given.pairs) == (4, 5)
    assert given.p == pytest.approx(0.04742, abs=1e-5)
    assert (given.low, given.high) == pytest.approx((0.03 - 0.0294486, 0.03 + 0.0294486), abs=1e-6)
    assert given.covers == "training seeds and the choice of patients"


def test_without_the_correction_it_is_the_t_test_of_fold_means() -> None:
    differences = np.random.default_rng(0).normal(0.1, 1, (6, 3))
    given, plain = corrected_t(differences, 1e-12), stats.ttest_1samp(differences.mean(axis=1), 0)
    assert (given.t, given.p) == pytest.approx((plain.statistic, plain.pvalue))
    assert (given.low, given.high) == pytest.approx(tuple(plain.confidence_interval()))


def test_one_fold_is_the_t_test_over_seeds_and_says_so() -> None:
    differences = np.random.default_rng(1).normal(0.3, 1, (1, 9))
    given, plain = corrected_t(differences, 0.25, level=0.9), stats.ttest_1samp(differences[0], 0)
    assert (given.t, given.p, given.df) == pytest.approx((plain.statistic, plain.pvalue, 8))
    assert (given.low, given.high) == pytest.approx(tuple(plain.confidence_interval(0.9)))
    assert given.covers == "training seeds"


def test_seeds_that_say_the_same_add_nothing() -> None:
    once, thrice = corrected_t(FIVE, 0.25), corrected_t(np.repeat(FIVE, 3, axis=1), 0.25)
    assert thrice.pairs == 15
    assert thrice[:7] == pytest.approx(once[:7])


def test_failed_runs_are_left_out() -> None:
    whole = np.random.default_rng(2).normal(size=(4, 3))
    holes = np.vstack([whole, np.full((1, 3), np.nan)])
    assert corrected_t(holes, 0.2) == corrected_t(whole, 0.2)
    holes[0, 1] = np.nan
    means = [whole[0, [0, 2]].mean(), *whole[1:].mean(axis=1)]
    given = corrected_t(holes, 0.2)
    assert given.pairs == 11
    assert given[:7] == pytest.approx(corrected_t(np.array(means)[:, None], 0.2)[:7])


def test_one_fold_left_is_one_fold() -> None:
    row = np.array([0.1, 0.3, 0.2])
    holes = np.vstack([np.full(3, np.nan), row])
    assert corrected_t(holes, 0.25) == corrected_t(row[None], 0.25)


def test_without_spread() -> None:
    same = corrected_t(np.zeros((3, 2)), 0.5)
    assert (same.t, same.p, same.low, same.high) == (0, 1, 0, 0)
    constant = corrected_t(np.full((3, 2), 0.25), 0.5)
    assert np.isnan([constant.t, constant.p]).all()
    alone = corrected_t(np.array([[0.1]]), 0.5)
    assert alone.mean == 0.1
    assert np.isnan([alone.se, alone.low, alone.high, alone.t, alone.p]).all()


@given(st.lists(st.lists(st.floats(-1, 1), min_size=2, max_size=2), min_size=2, max_size=6))
def test_turning_the_sign_turns_the_interval(rows: list[list[float]]) -> None:
    there, back = corrected_t(np.array(rows), 0.3), corrected_t(-np.array(rows), 0.3)
    assert (back.mean, back.low, back.high) == pytest.approx((-there.mean, -there.high, -there.low))
    assert back.p == pytest.approx(there.p, nan_ok=True)


@pytest.mark.parametrize(
    ("differences", "ratio", "message"),
    [
        (np.zeros(3), 0.2, "array of folds and seeds"),
        (np.full((2, 2), np.nan), 0.2, "array of folds and seeds"),
        (np.zeros((2, 2)), 0.0, "test_over_train=0"),
        (np.zeros((2, 2)), np.nan, "test_over_train=nan"),
    ],
)
def test_refuses(differences: np.ndarray, ratio: float, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        corrected_t(differences, ratio)
