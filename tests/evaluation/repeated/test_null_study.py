"""Whether the tests hold what they promise, where two ways of training are equally good."""

from __future__ import annotations

from tests.evaluation.repeated.null_study import rejections


def test_false_positives_over_folds_and_seeds() -> None:
    rates = rejections(120, patients=100, folds=5, seeds=4, sample=80, resamples=150)
    assert rates["t over all runs"] > 0.2  # why runs are not taken for independent
    assert rates["corrected t"] <= 0.05
    assert rates["hierarchical"] <= 0.07
    assert rates["both"] <= 0.04


def test_runs_as_n_fail_where_seeds_hardly_matter() -> None:
    rates = rejections(400, patients=100, folds=5, seeds=10, sample=None, resamples=0)
    assert rates["runs as n, corrected"] > 0.08  # why seeds of a fold are averaged first
    assert rates["corrected t"] <= 0.05
