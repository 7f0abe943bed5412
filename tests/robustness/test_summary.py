from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from torch import nn

from medqnn.evaluation.intervals import bootstrap
from medqnn.evaluation.metrics import scores as all_scores
from medqnn.evaluation.paired_tests import paired_bootstrap
from medqnn.evaluation.predictions import AnyPredictions, Predictions
from medqnn.robustness.measure import CLEAN, Answers, Setting
from medqnn.robustness.summary import Scores, mean_weights, no_better, summary, table
from medqnn.training.trained import Trained
from robustness.measured import fake_logits
from training.tiny import small_inputs, write_medmnist

SETTINGS = (
    CLEAN,
    Setting("corruption", "Blur", 1, 0.01),
    Setting("corruption", "Blur", 2, 0.02),
    Setting("corruption", "JPEG", 1, 50.0),
    Setting("attack", "FGSM", 1, 1 / 255),
)


def scored(trained: Trained, variants: tuple[str, ...] = ("hybrid", "dense")) -> Scores:
    """Scores of made-up answers; the mask's overlap is 0.5, and unknown in the first image."""
    rows = trained.inputs.rows("test")[:-1]  # so that one class is commoner
    overlap = {"jaccard@q0.99": np.r_[np.nan, np.full(len(rows) - 1, 0.5)]}
    answers = {
        (name, setting): Answers(fake_logits(trained, rows, 10 * i + j), overlap)
        for i, name in enumerate(variants)
        for j, setting in enumerate(SETTINGS)
    }
    return Scores(Trained(trained.inputs, dict.fromkeys(variants, nn.Identity())), rows, answers)


@pytest.fixture(scope="module")
def squares(folder: Path) -> Trained:
    return Trained(small_inputs(folder), {})


@pytest.fixture(scope="module")
def found(squares: Trained) -> Scores:
    return scored(squares)


def row(rows: pd.DataFrame, variant: str, setting: Setting) -> pd.Series:
    own = (rows["variant"] == variant) & (rows["corruption"] == setting.name)
    return rows[own & (rows["severity"] == setting.severity)].iloc[0]


@pytest.mark.parametrize("setting", SETTINGS)
def test_accuracy_and_interval_are_those_of_the_evaluation(found: Scores, setting: Setting) -> None:
    rows = table(found)
    for name in ("hybrid", "dense"):
        expected = bootstrap(found.predictions[name, setting], 100)
        one = row(rows, name, setting)
        assert [one["accuracy"], one["low"], one["high"]] == pytest.approx(
            expected.loc["accuracy"].tolist()
        )
        assert one["auroc"] == pytest.approx(expected.loc["auroc", "estimate"])
        assert one["value"] == setting.value
        assert one["kind"] == setting.kind
        assert one["jaccard@q0.99"] == 0.5


@pytest.mark.parametrize("setting", SETTINGS)
def test_differences_are_those_of_the_paired_bootstrap(found: Scores, setting: Setting) -> None:
    pair = [found.predictions[name, setting] for name in ("hybrid", "dense")]
    expected = paired_bootstrap(*pair, 100).loc["accuracy", ["difference", "low", "high"]]
    rows = table(found)
    ends = ["difference", "difference_low", "difference_high"]
    assert row(rows, "dense", setting)[ends].tolist() == pytest.approx(expected.tolist())
    assert row(rows, "hybrid", setting)[ends].isna().all()


def test_means_are_over_severities_and_leave_attacks_out(found: Scores) -> None:
    rows, means = table(found), summary(found)
    for name, of in means["variants"].items():
        values = [row(rows, name, setting)["accuracy"] for setting in SETTINGS]
        assert of["clean"]["estimate"] == pytest.approx(values[0])
        assert of["Blur"]["estimate"] == pytest.approx(np.mean(values[1:3]))
        assert of["JPEG"]["estimate"] == pytest.approx(values[3])
        assert of["mean corrupted"]["estimate"] == pytest.approx(np.mean(values[1:4]))
        assert of["FGSM"]["estimate"] == pytest.approx(values[4])
        assert of["Blur"]["relative"] == pytest.approx(np.mean(values[1:3]) / values[0])
        assert of["mean corrupted"]["low"] <= of["mean corrupted"]["estimate"]
    assert list(means["differences"]) == ["dense"]
    for key, difference in means["differences"]["dense"].items():
        ends = [means["variants"][name][key]["estimate"] for name in ("hybrid", "dense")]
        assert difference["estimate"] == pytest.approx(ends[0] - ends[1])
        assert difference["low"] <= difference["estimate"] <= difference["high"]


def test_mean_weights_sum_to_one() -> None:
    weights = mean_weights(SETTINGS)
    assert weights.sum().to_numpy() == pytest.approx(1)
    assert list(weights) == ["clean", "mean corrupted", "Blur", "JPEG", "FGSM"]
    assert weights.loc[4, "mean corrupted"] == 0


def test_the_summary_says_of_what_it_is(found: Scores) -> None:
    facts = summary(found)
    some = found.predictions["hybrid", CLEAN]
    assert facts["images"] == len(some)
    assert facts["patients"] == len(set(some.patients)) < len(some)
    assert facts["patients_known"]
    assert facts["interval"]["method"].endswith("patients")
    assert len(set(np.bincount(some.labels))) == 2
    assert facts["baseline"] == np.bincount(some.labels).max() / len(some)
    assert facts["reference"] == "hybrid"


def test_without_a_hybrid_the_first_network_is_the_reference(squares: Trained) -> None:
    found = scored(squares, ("matched", "dense"))
    assert summary(found)["reference"] == "matched"
    assert list(summary(found)["differences"]) == ["dense"]


def test_one_network_has_no_differences(squares: Trained) -> None:
    found = scored(squares, ("hybrid",))
    assert summary(found)["differences"] == {}
    assert table(found)["difference"].isna().all()


def test_a_network_no_better_than_the_commonest_answer_is_named() -> None:
    def ends(low: float | None) -> dict[str, dict[str, float | None]]:
        return {"clean": {"estimate": 0.8, "low": low, "high": 0.9}}

    variants = {"hybrid": ends(0.71), "dense": ends(0.7), "none": ends(None)}
    assert no_better({"baseline": 0.7, "variants": variants}) == ["dense", "none"]


def test_findings_are_scored_by_finding(tmp_path: Path) -> None:
    path = write_medmnist(tmp_path / "chestmnist.npz", findings=14)
    found = scored(Trained(small_inputs(path, "data.classes=[]"), {}))
    rows = table(found)
    for name in ("hybrid", "dense"):
        predictions: AnyPredictions = found.predictions[name, CLEAN]
        assert not isinstance(predictions, Predictions)
        expected = all_scores(predictions)
        assert row(rows, name, CLEAN)["accuracy"] == pytest.approx(expected["label_accuracy"])
        assert row(rows, name, CLEAN)["auroc"] == pytest.approx(expected["auroc"])
    share = found.predictions["hybrid", CLEAN].labels.mean(axis=0)
    assert summary(found)["baseline"] == pytest.approx(np.maximum(share, 1 - share).mean())
