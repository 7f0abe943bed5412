from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from medqnn.errors import EvaluationError
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import Predictions
from medqnn.evaluation.subgroups import subgroups

Maker = Callable[..., Predictions]


def of(predictions: Predictions, values: Any, resamples: int = 20) -> list[dict[str, Any]]:
    table = pd.DataFrame({"id": predictions.ids, "x": values})
    return subgroups(predictions, table.sample(frac=1, random_state=0), resamples)


def names(predictions: Predictions, values: Any) -> list[str]:
    (found,) = of(predictions, values, 1)
    return [group["group"] for group in found["groups"]]


@pytest.fixture
def predictions(make_predictions: Maker) -> Predictions:
    return make_predictions(images=300, patients=60, classes=3)


@pytest.fixture
def sexes(predictions: Predictions) -> np.ndarray:
    """By patient; some unknown."""
    sex = {p: ("F", "M", None)[n % 3] for n, p in enumerate(np.unique(predictions.patients))}
    return np.array([sex[patient] for patient in predictions.patients], dtype=object)


def test_scores_are_those_of_scikit_learn_on_the_group(
    predictions: Predictions, sexes: np.ndarray
) -> None:
    (found,) = of(predictions, sexes)
    assert (found["attribute"], found["cuts"]) == ("x", None)
    assert found["unknown"] == pd.isna(sexes).sum() > 0
    assert [group["group"] for group in found["groups"]] == ["F", "M"]
    expected = []
    for name in ("F", "M"):
        own = sexes == name
        labels, p = predictions.labels[own], predictions.probabilities[own]
        expected.append(
            {
                "accuracy": accuracy_score(labels, p.argmax(1)),
                "balanced_accuracy": balanced_accuracy_score(labels, p.argmax(1)),
                "auroc": roc_auc_score(labels, p, multi_class="ovr"),
            }
        )
    for i, group in enumerate(found["groups"]):
        own = sexes == group["group"]
        assert group["images"] == own.sum()
        assert group["patients"] == len(set(predictions.patients[own]))
        for score, value in expected[i].items():
            assert group["scores"][score]["estimate"] == pytest.approx(value)
            difference = value - expected[1 - i][score]  # those of unknown sex are no rest
            assert group["differences"][score]["estimate"] == pytest.approx(difference)
    json.dumps(found, allow_nan=False)


def test_intervals_are_those_of_resampled_patients(
    predictions: Predictions, sexes: np.ndarray
) -> None:
    """The oracle draws patients one by one and scores by hand; all of a patient is right or not."""
    people = np.unique(predictions.patients)
    wrong = np.isin(predictions.patients, np.random.default_rng(1).choice(people, 20, False))
    said = (predictions.labels + wrong) % 3
    predictions = replace(predictions, probabilities=np.eye(3)[said])
    (found,) = of(predictions, sexes, 2000)
    rng, known = np.random.default_rng(5), pd.notna(sexes)
    images = {p: np.flatnonzero(predictions.patients == p) for p in predictions.patients[known]}
    known_people, drawn = sorted(images), []
    for _ in range(2000):
        rows = np.concatenate([images[p] for p in rng.choice(known_people, len(known_people))])
        right, female = predictions.correct[rows], sexes[rows] == "F"
        drawn.append((right[female].mean(), right[female].mean() - right[~female].mean()))
    expected = np.quantile(drawn, [0.025, 0.975], axis=0)
    (group, _) = found["groups"]
    for i, kind in enumerate(("scores", "differences")):
        bounds = [group[kind]["accuracy"][end] for end in ("low", "high")]
        np.testing.assert_allclose(bounds, expected[:, i], atol=0.025)


def test_numbers_are_cut_at_terciles_each_image_once(predictions: Predictions) -> None:
    ages = np.arange(300) % 90 + 0.5
    ages[:30] = np.nan
    (found,) = of(predictions, ages)
    known = ages[30:]
    assert found["cuts"] == pytest.approx(np.quantile(known, [1 / 3, 2 / 3]).tolist())
    low, high = found["cuts"]
    counts = [(known <= low).sum(), ((known > low) & (known <= high)).sum(), (known > high).sum()]
    assert [group["images"] for group in found["groups"]] == counts
    texts = [f"{cut:.4g}" for cut in (low, high)]
    expected = [f"up to {texts[0]}", f"above {texts[0]} to {texts[1]}", f"above {texts[1]}"]
    assert [group["group"] for group in found["groups"]] == expected
    assert found["unknown"] == 30


def test_a_value_at_a_cut_is_in_the_lower_group(predictions: Predictions) -> None:
    values = np.repeat([1, 2, 3, 4, 5, 6], 50)
    values[:4] = (7, 7, 7, 8)
    (found,) = of(predictions, values)
    for group, cut in zip(found["groups"], found["cuts"], strict=False):
        assert (
            group["images"]
            == (values <= cut).sum()
            - (group is found["groups"][1]) * (values <= found["cuts"][0]).sum()
        )


def test_numbers_read_as_text_are_numbers(predictions: Predictions) -> None:
    ages = np.arange(300) % 90
    assert of(predictions, ages.astype(str)) == of(predictions, ages)


def test_few_different_numbers_are_groups_in_order(predictions: Predictions) -> None:
    strengths = np.array(["3", "1.5", "10"])[np.arange(300) % 3]
    assert names(predictions, strengths) == ["1.5", "3", "10"]


def test_terciles_that_fall_together_leave_no_empty_group(predictions: Predictions) -> None:
    values = np.where(np.arange(300) < 250, 0, np.arange(300))
    assert names(predictions, values) == ["up to 0", "above 0"]


def test_the_rarest_of_many_values_go_together(predictions: Predictions) -> None:
    letters = np.array([chr(97 + min(n // 12, 25)) for n in range(300)])
    groups = names(predictions, letters)
    assert len(groups) == 12
    assert groups[-1] == "all others"


def test_small_groups_are_marked(predictions: Predictions) -> None:
    people = np.unique(predictions.patients)
    for count in (9, 10):
        values = np.where(np.isin(predictions.patients, people[:count]), "a", "b")
        (found,) = of(predictions, values)
        assert [group["few"] for group in found["groups"]] == [count < 10, False]


def test_one_patient_gives_no_interval(predictions: Predictions) -> None:
    one = predictions.patients[0]
    (found,) = of(predictions, np.where(predictions.patients == one, "a", "b"))
    alone, rest = found["groups"]
    assert alone["patients"] == 1
    assert alone["scores"]["accuracy"]["low"] is None
    assert alone["differences"]["accuracy"]["high"] is None
    assert rest["scores"]["accuracy"]["low"] is not None
    assert rest["differences"]["accuracy"]["low"] is None


def test_a_group_of_one_class_has_no_auroc(predictions: Predictions) -> None:
    (found,) = of(predictions, np.where(predictions.labels == 1, "ill", "else"))
    ill = next(group for group in found["groups"] if group["group"] == "ill")
    assert ill["scores"]["auroc"] == {"estimate": None, "low": None, "high": None}
    assert ill["differences"]["auroc"]["estimate"] is None
    assert ill["scores"]["accuracy"]["low"] is not None


def test_what_tells_no_groups_apart_is_left_out(predictions: Predictions) -> None:
    assert of(predictions, "all alike") == of(predictions, None) == []


def test_findings_have_scores_of_their_own(make_findings: Any) -> None:
    findings: MultiLabelPredictions = make_findings()
    values = np.where(np.arange(len(findings)) % 2, "a", "b")
    (found,) = subgroups(findings, pd.DataFrame({"id": findings.ids, "x": values}), 20)
    own = values == "a"
    right = (findings.predicted == findings.labels)[own].mean()
    scores = found["groups"][0]["scores"]
    assert set(scores) == {"label_accuracy", "auroc"}
    assert scores["label_accuracy"]["estimate"] == pytest.approx(right)


def test_every_image_needs_its_row(predictions: Predictions) -> None:
    table = pd.DataFrame({"id": predictions.ids, "x": 1})
    with pytest.raises(EvaluationError, match="1 images have no row"):
        subgroups(predictions, table.iloc[1:])
    for broken in (table.drop(columns="id"), pd.concat([table, table.iloc[:1]])):
        with pytest.raises(EvaluationError, match="names each image once"):
            subgroups(predictions, broken)
    more = pd.concat([table, pd.DataFrame({"id": ["another"], "x": [2]})])
    assert subgroups(replace(predictions), more) == []
