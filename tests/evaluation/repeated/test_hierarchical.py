from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.evaluation.repeated.simulated import answers, in_fold

from medqnn.errors import EvaluationError
from medqnn.evaluation.intervals import cluster_bootstrap
from medqnn.evaluation.metrics import scores, weighted_scores
from medqnn.evaluation.paired_tests import paired_bootstrap
from medqnn.evaluation.predictions import Predictions
from medqnn.evaluation.repeated.hierarchical import (
    combined,
    hierarchical_difference,
    hierarchical_mean,
    intervals,
    resampled_scores,
)

Maker = Callable[..., Predictions]
Pairs = dict[tuple[int, int], tuple[Predictions, Predictions]]


def some_pairs(make: Maker, folds: int = 3, seeds: int = 3, images: int = 60) -> Pairs:
    return {
        (f, s): (
            in_fold(make(images=images, seed=10 * f + s, skill=1.6), f),
            in_fold(make(images=images, seed=100 + 10 * f + s, skill=1.2), f),
        )
        for f in range(folds)
        for s in range(seeds)
    }


def test_one_run_is_the_paired_bootstrap(make_predictions: Maker) -> None:
    a, b = make_predictions(seed=1), make_predictions(seed=2)
    given = hierarchical_difference({(0, 7): (a, b)}, resamples=200, seed=3)
    draws = int(np.random.SeedSequence([3, 0]).generate_state(1)[0])
    expected = paired_bootstrap(a, b, 200, seed=draws)
    np.testing.assert_allclose(given["estimate"], expected["difference"])
    np.testing.assert_allclose(given[["low", "high"]], expected[["low", "high"]])


def test_estimate_is_the_mean_over_folds_of_the_mean_over_seeds(make_predictions: Maker) -> None:
    pairs = some_pairs(make_predictions)
    del pairs[1, 0], pairs[1, 1]  # a fold with fewer seeds weighs as much
    by_fold: dict[int, list[float]] = {}
    for (fold, _), (a, b) in pairs.items():
        by_fold.setdefault(fold, []).append(scores(a)["macro_f1"] - scores(b)["macro_f1"])
    expected = np.mean([np.mean(values) for values in by_fold.values()])
    given = hierarchical_difference(pairs, resamples=20)
    assert given.loc["macro_f1", "estimate"] == pytest.approx(expected)


def test_agrees_with_the_textbooks_way(make_predictions: Maker) -> None:
    """Loops that draw folds, then seeds, then patients, and count right answers."""
    pairs, rng = some_pairs(make_predictions), np.random.default_rng(0)
    gain = {key: a.correct.astype(float) - b.correct for key, (a, b) in pairs.items()}
    rows = {
        f: [
            np.flatnonzero(pairs[f, 0][0].patients == name) for name in set(pairs[f, 0][0].patients)
        ]
        for f in range(3)
    }
    drawn = []
    for _ in range(4000):
        folds = []
        for f in rng.integers(0, 3, 3):
            chosen = rng.integers(0, len(rows[f]), len(rows[f]))
            images = np.concatenate([rows[f][i] for i in chosen])
            folds.append(np.mean([gain[f, s][images].mean() for s in rng.integers(0, 3, 3)]))
        drawn.append(np.mean(folds))
    given = hierarchical_difference(pairs, resamples=4000).loc["accuracy"]
    expected = np.percentile(drawn, [2.5, 97.5])
    half = (expected[1] - expected[0]) / 2
    np.testing.assert_allclose(given[["low", "high"]].astype(float), expected, atol=0.06 * half)


def test_both_variants_see_the_same_patients(make_predictions: Maker) -> None:
    rows = np.random.default_rng(5).permutation(60)
    pairs = {}
    for key, (a, _) in some_pairs(make_predictions).items():
        names = ("ids", "patients", "labels", "probabilities")
        pairs[key] = (a, replace(a, **{name: getattr(a, name)[rows] for name in names}))
    given = hierarchical_difference(pairs, resamples=30)
    assert np.abs(given.to_numpy()).max() < 1e-12


def test_a_fold_drawn_twice_gets_other_patients(make_predictions: Maker) -> None:
    p = make_predictions(patients=10**6)
    right = answers(p, np.arange(len(p)) % 2 == 0)
    tables = {f: {0: in_fold(right, f)} for f in (0, 1)}  # two folds alike in all but the draws
    scored = resampled_scores(tables, 4000, seed=0)
    draws = combined({f: list(by_run.values()) for f, by_run in scored.items()}, seed=0)
    variance = draws.drawn["accuracy"].var()
    alone = 0.25 / len(p)
    assert variance == pytest.approx(alone / 2, rel=0.08)  # with the same patients it were 3/4
    # and two folds have patients of their own
    assert draws.patients_alone["accuracy"].var() == pytest.approx(alone / 2, rel=0.08)


def test_seeds_are_drawn_within_a_fold(make_predictions: Maker) -> None:
    p = make_predictions()
    always, never = answers(p, np.ones(120, dtype=bool)), answers(p, np.zeros(120, dtype=bool))
    scored = resampled_scores({0: {0: always, 1: never}}, 2000, seed=0)
    draws = combined({0: list(scored[0].values())}, seed=0)
    share = draws.drawn["accuracy"].value_counts(normalize=True)
    assert share[0.5] == pytest.approx(0.5, abs=0.05)
    assert share[0.0] == pytest.approx(0.25, abs=0.05)
    assert (draws.patients_alone["accuracy"] == 0.5).all()


def test_folds_are_drawn_in_balance(make_predictions: Maker) -> None:
    p = make_predictions()
    tables = {f: {0: in_fold(answers(p, np.full(120, f == 0)), f)} for f in (0, 1)}
    scored = resampled_scores(tables, 2000, seed=0)
    draws = combined({f: list(by_run.values()) for f, by_run in scored.items()}, seed=0)
    assert draws.drawn["accuracy"].mean() == pytest.approx(0.5, abs=1e-12)
    share = draws.drawn["accuracy"].value_counts(normalize=True)
    assert share[1.0] == pytest.approx(0.25, abs=0.05)
    assert (draws.patients_alone["accuracy"] == 0.5).all()


def test_patients_alone_is_the_cluster_bootstrap_of_the_mean(make_predictions: Maker) -> None:
    tables = {s: make_predictions(seed=s) for s in range(3)}
    scored = resampled_scores({0: tables}, 400, seed=1)
    draws = combined({0: list(scored[0].values())}, seed=1)
    seed = int(np.random.SeedSequence([1, 0]).generate_state(1)[0])

    def mean(weights: np.ndarray) -> pd.DataFrame:
        return sum(weighted_scores(p, weights) for p in tables.values()) / 3

    expected = cluster_bootstrap(mean, tables[0].patients, 400, seed=seed)
    quantiles = draws.patients_alone.quantile([0.025, 0.975]).T
    np.testing.assert_allclose(quantiles, expected[["low", "high"]])


def test_one_variant_alone(make_predictions: Maker) -> None:
    runs = {key: a for key, (a, _) in some_pairs(make_predictions).items()}
    given = hierarchical_mean(runs, resamples=100)
    mean = np.mean([scores(p)["auroc"] for p in runs.values()])
    assert given.loc["auroc", "estimate"] == pytest.approx(mean)
    assert given.loc["auroc", "low"] < mean < given.loc["auroc", "high"]


def test_seed_decides(make_predictions: Maker) -> None:
    pairs = some_pairs(make_predictions)
    once = hierarchical_difference(pairs, resamples=50, seed=1)
    pd.testing.assert_frame_equal(once, hierarchical_difference(pairs, resamples=50, seed=1))
    assert not once.equals(hierarchical_difference(pairs, resamples=50, seed=2))


def test_a_class_that_one_fold_lacks(make_predictions: Maker) -> None:
    pairs = some_pairs(make_predictions, folds=2)
    for key in [key for key in pairs if key[0] == 1]:
        pairs[key] = tuple(replace(p, labels=np.minimum(p.labels, 2)) for p in pairs[key])
    given = hierarchical_difference(pairs, resamples=200)
    expected = np.mean(
        [
            scores(a)["recall[pituitary]"] - scores(b)["recall[pituitary]"]
            for (f, _), (a, b) in pairs.items()
            if f == 0
        ]
    )
    assert given.loc["recall[pituitary]", "estimate"] == pytest.approx(expected)
    assert given.loc["recall[pituitary]"].notna().all()


def test_one_patient_has_no_interval(make_predictions: Maker) -> None:
    p = make_predictions()
    alone = replace(p, patients=np.full(len(p), "P"))
    given = hierarchical_mean({(0, 0): alone, (0, 1): alone}, resamples=20)
    assert given.loc["accuracy", "estimate"] == scores(p)["accuracy"]
    assert given[["low", "high"]].isna().to_numpy().all()


def test_refuses(make_predictions: Maker) -> None:
    p = make_predictions()
    with pytest.raises(EvaluationError, match="at least 1 resample"):
        hierarchical_mean({(0, 0): p}, resamples=0)
    with pytest.raises(EvaluationError, match="between 0 and 1"):
        hierarchical_mean({(0, 0): p}, resamples=5, level=95)
    with pytest.raises(EvaluationError, match="no run to resample"):
        hierarchical_mean({})
    with pytest.raises(EvaluationError, match="in one table of predictions only"):
        hierarchical_difference({(0, 0): (p, in_fold(p, 1))}, resamples=5)
    with pytest.raises(EvaluationError, match="no run to resample"):
        intervals(combined({0: []}, seed=0))
