from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from medqnn.errors import EvaluationError
from medqnn.evaluation import intervals
from medqnn.evaluation.intervals import bootstrap, cluster_bootstrap
from medqnn.evaluation.metrics import scores
from medqnn.evaluation.predictions import Predictions

RESAMPLES = 60


def repeated_rows_bootstrap(p: Predictions, seed: int) -> pd.DataFrame:
    """The textbook's way: copy the rows of the patients drawn, then ask scikit-learn."""
    rng = np.random.default_rng(seed)
    names = sorted(set(p.patients))
    rows = {name: np.flatnonzero(p.patients == name) for name in names}
    truth = np.eye(len(p.classes))
    drawn = []
    for _ in range(RESAMPLES):
        times = rng.multinomial(len(names), [1 / len(names)] * len(names))
        sample = np.concatenate([np.tile(rows[n], t) for n, t in zip(names, times, strict=True)])
        y, said = p.labels[sample], p.predicted[sample]
        drawn.append(
            {
                "accuracy": accuracy_score(y, said),
                "macro_f1": f1_score(y, said, average="macro"),
                "auroc": roc_auc_score(truth[y], p.probabilities[sample], average="macro"),
            }
        )
    return pd.DataFrame(drawn)


def test_interval_is_that_of_repeated_rows(predictions: Predictions) -> None:
    interval = bootstrap(predictions, RESAMPLES, level=0.9, seed=3)
    drawn = repeated_rows_bootstrap(predictions, seed=3)
    for name in drawn:
        expected = np.percentile(drawn[name], [5, 95])
        np.testing.assert_allclose(interval.loc[name, ["low", "high"]].astype(float), expected)


def test_estimates_are_the_plain_scores(predictions: Predictions) -> None:
    interval = bootstrap(predictions, RESAMPLES)
    assert interval["estimate"].to_dict() == pytest.approx(scores(predictions))
    assert (interval["low"] < interval["high"]).all()


def test_seed_decides_and_block_size_does_not(
    predictions: Predictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = bootstrap(predictions, RESAMPLES, seed=1)
    monkeypatch.setattr(intervals, "BLOCK", 7 * len(predictions))  # 60 is no multiple of 7
    pd.testing.assert_frame_equal(once, bootstrap(predictions, RESAMPLES, seed=1))
    assert not once.equals(bootstrap(predictions, RESAMPLES, seed=2))


def test_interval_covers_the_truth_when_images_of_a_patient_are_alike() -> None:
    rng = np.random.default_rng(0)
    patients, slices, runs = 40, 6, 150
    of_patient, of_image = np.repeat(np.arange(patients), slices), np.arange(patients * slices)
    covered = np.zeros(2)
    for run in range(runs):
        # Chance of being right differs by patient, Beta(2, 1): 2/3 on average.
        right = rng.random(patients * slices) < rng.beta(2, 1, patients)[of_patient]

        def accuracy(weights: np.ndarray, right: np.ndarray = right) -> pd.DataFrame:
            return pd.DataFrame({"accuracy": weights @ right / weights.sum(axis=1)})

        for way, clusters in enumerate((of_patient, of_image)):
            interval = cluster_bootstrap(accuracy, clusters, resamples=400, seed=run)
            covered[way] += interval["low"].iloc[0] <= 2 / 3 <= interval["high"].iloc[0]
    by_patient, by_image = covered / runs
    assert 0.89 <= by_patient <= 0.99
    assert by_image < 0.86  # why patients are resampled, not images


def test_one_patient_has_no_interval(five_images: Predictions) -> None:
    alone = Predictions(
        five_images.ids, ["P"] * 5, five_images.labels, five_images.probabilities, ("x", "y", "z")
    )
    interval = bootstrap(alone)
    assert interval.loc["accuracy", "estimate"] == 0.8
    assert interval[["low", "high"]].isna().to_numpy().all()


def test_what_is_undefined_in_some_resamples(
    five_images: Predictions, make_predictions: Callable[..., Predictions]
) -> None:
    interval = bootstrap(five_images, 200)  # resamples of R alone hold no image of class x
    assert interval.loc["f1[x]"].notna().all()
    assert interval.loc["f1[z]"].isna().all()
    assert interval.loc["auroc"].notna().all()


@pytest.mark.parametrize("wrong", [{"resamples": 0}, {"level": 1.0}, {"level": 95}])
def test_refuses_arguments(five_images: Predictions, wrong: dict[str, float]) -> None:
    with pytest.raises(EvaluationError, match="at least 1 resample"):
        bootstrap(five_images, **wrong)
