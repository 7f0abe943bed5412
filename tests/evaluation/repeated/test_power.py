from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from medqnn.evaluation.repeated.corrected_t import corrected_t
from medqnn.evaluation.repeated.power import power


def draw(folds: int, seeds: int, mean: float, between: float, within: float) -> np.ndarray:
    rng = np.random.default_rng(5)
    by_fold = mean + between * rng.normal(size=(folds, 1))
    return by_fold + within * rng.normal(size=(folds, seeds))


@pytest.mark.parametrize("comparisons", [1, 5])
@pytest.mark.parametrize("mean", [0.4, 1.0, 2.0])
def test_one_fold_agrees_with_statsmodels(mean: float, comparisons: int) -> None:
    differences = draw(1, 12, mean, 0, 1)
    size = abs(differences.mean()) / differences.std(ddof=1)
    needed = TTestPower().solve_power(size, alpha=0.05 / comparisons, power=0.8)
    given = power(differences, 0.25, 0.5, comparisons)
    assert given.for_difference == math.ceil(needed)
    assert (given.se_floor, given.seeds) == (0, 12)


def test_one_fold_interval_becomes_narrower_than_the_margin() -> None:
    differences = draw(1, 12, 0.4, 0, 1)
    given = power(differences, 0.25, 0.8).for_margin
    assert given is not None

    def width(n: int) -> float:
        return float(2 * stats.t.ppf(0.975, n - 1) * differences.std(ddof=1) / np.sqrt(n))

    assert width(given) < 0.8 <= width(given - 1)


def test_folds_put_a_floor_under_the_standard_error() -> None:
    differences = draw(5, 6, 0.3, 1, 0.5)
    within = differences.var(axis=1, ddof=1).mean()
    between = differences.mean(axis=1).var(ddof=1) - within / 6
    given = power(differences, 0.25, 1.0)
    assert given.se_floor == pytest.approx(np.sqrt(0.45 * between))
    assert (given.for_margin, given.for_difference) == (None, None)


def test_seeds_help_where_seeds_are_what_it_varies_by() -> None:
    differences = draw(5, 4, 0.5, 0.05, 1.5)
    given = power(differences, 0.25, 1.0)
    assert given.for_difference is not None
    assert given.for_margin is not None
    within = differences.var(axis=1, ddof=1).mean()
    between = max(differences.mean(axis=1).var(ddof=1) - within / 4, 0)

    def chance(seeds: int) -> float:
        """By drawing: the corrected t of fold means with that spread."""
        rng = np.random.default_rng(0)
        draws = 40_000
        # standard error as the formula has it, so the mean varies by the corrected variance
        variance = between + within / seeds
        spread = variance * rng.chisquare(4, draws) / 4
        means = rng.normal(differences.mean(), np.sqrt(0.45 * variance), draws)
        return float((np.abs(means) > stats.t.ppf(0.975, 4) * np.sqrt(0.45 * spread)).mean())

    assert chance(given.for_difference) == pytest.approx(0.8, abs=0.02)
    width = 2 * stats.t.ppf(0.975, 4) * np.sqrt(0.45 * (between + within / given.for_margin))
    assert width < 1.0


def test_present_seeds_give_the_standard_error_of_the_test() -> None:
    # A margin just above the width now needs the seeds there are, just below it more.
    differences = draw(5, 6, 0.3, 1, 1)
    test = corrected_t(differences, 0.25)
    width = test.high - test.low
    assert power(differences, 0.25, width * 1.0001).for_margin == 6
    more = power(differences, 0.25, width * 0.99).for_margin
    assert more is not None
    assert more > 6


def test_failed_runs() -> None:
    differences = draw(2, 4, 0.3, 0.2, 1)
    differences[0, 0] = np.nan
    assert power(differences, 1.0, 1.0).seeds == 3.5


def test_no_difference_is_never_found_and_one_seed_tells_nothing() -> None:
    assert power(np.array([[0.1, -0.1], [0.1, -0.1]]), 1.0, 1.0).for_difference is None
    alone = power(draw(5, 1, 0.3, 0.2, 1), 0.25, 1.0)
    assert (alone.for_margin, alone.for_difference) == (None, None)
    assert np.isnan(alone.se_floor)
    assert power(np.array([[0.1]]), 0.25, 1.0).for_margin is None


def test_runs_without_spread_need_no_more() -> None:
    assert power(np.full((1, 3), 0.1), 0.25, 0.02).for_difference == 2
