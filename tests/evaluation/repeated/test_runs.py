from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluation.conftest import simulate, simulate_findings
from tests.evaluation.repeated.simulated import in_fold, simulated_runs

from medqnn.errors import EvaluationError
from medqnn.evaluation.predictions import AnyPredictions
from medqnn.evaluation.repeated.runs import Run, ordered

SIZES = {0: 480, 1: 240, 2: 120}


def test_pairs_have_the_same_fold_and_seed() -> None:
    runs = simulated_runs({"dense": 1, "hybrid": 1.5, "none": 1})
    del runs[Run("dense", 1, 2)], runs[Run("hybrid", 0, 0)]
    study = ordered(runs, SIZES, "hybrid")
    assert (study.twins, study.folds, study.seeds) == (("dense", "none"), (0, 1, 2), (0, 1, 2))
    pairs = study.pairs("dense")
    assert len(pairs) == 7
    assert all(a[1:] == b[1:] and (a[0], b[0]) == ("hybrid", "dense") for a, b in pairs)
    assert study.missing("dense") == [Run("dense", 1, 2)]
    assert study.missing("hybrid") == [Run("hybrid", 0, 0)]


def test_ratio_is_the_mean_over_folds() -> None:
    study = ordered(simulated_runs({"hybrid": 1, "dense": 1}), SIZES, "hybrid")
    assert study.test_over_train == pytest.approx((120 / 480 + 120 / 240 + 1) / 3)


def test_rows_of_a_fold_stand_in_one_order() -> None:
    runs = simulated_runs({"hybrid": 1, "dense": 1}, folds=1, seeds=1)
    run = Run("dense", 0, 0)
    rows = np.random.default_rng(0).permutation(120)
    names = ("ids", "patients", "labels", "probabilities")
    shuffled = {name: getattr(runs[run], name)[rows] for name in names}
    study = ordered({**runs, run: replace(runs[run], **shuffled)}, SIZES, "hybrid")
    for name in names:
        kept = getattr(study.by_fold[0][run], name)
        np.testing.assert_array_equal(kept, getattr(runs[run], name))


def test_setting_counts_patients_once() -> None:
    runs = simulated_runs({"hybrid": 1, "dense": 1}, folds=2, patients=30)
    setting = ordered(runs, SIZES, "hybrid").setting()
    patients = set().union(*(set(p.patients) for p in runs.values()))
    assert setting["images"] == 240
    assert setting["patients"] == len(patients)
    assert setting["units"] == "patients"


def refused(
    runs: dict[Run, AnyPredictions], message: str, sizes: dict[int, int] | None = None
) -> None:
    with pytest.raises(EvaluationError, match=message):
        ordered(runs, SIZES if sizes is None else sizes, "hybrid")


def test_refuses() -> None:
    runs = simulated_runs({"hybrid": 1, "dense": 1}, folds=2, seeds=1)
    refused({}, "give runs of 'hybrid'")
    refused(simulated_runs({"dense": 1, "none": 1}), "give runs of 'hybrid'")
    refused(simulated_runs({"hybrid": 1}), "at least one twin")
    refused(runs, "train_sizes lacks fold 1", {0: 10})
    refused(runs, "train_sizes lacks fold 0", {0: 0, 1: 10})
    run = Run("dense", 1, 0)
    other = in_fold(simulate(seed=5), 7)
    refused({**runs, run: other}, r"Run\(variant='dense', fold=1.*in one table of predictions")
    again = {Run(r.variant, 2, r.seed): p for r, p in runs.items() if r.fold == 0}
    refused({**runs, **again}, "in the test parts of 2 folds")
    findings = {Run(name, 1, 0): in_fold(simulate_findings(), 1) for name in ("hybrid", "dense")}
    refused({**runs, **findings}, "2 tasks")
