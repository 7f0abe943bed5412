from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from medqnn.evaluation.evaluate import evaluate
from medqnn.evaluation.predictions import Predictions, read_predictions
from medqnn.training.assess import (
    attention_maps,
    compare_variants,
    finite,
    jaccard_columns,
    localisation,
    score_variant,
)
from medqnn.training.folder import RunFolder
from medqnn.training.sections import Evaluation

SPEC = Evaluation(thresholds=(0.9, 0.5), resamples=100)
COLUMNS = ["jaccard@0.90", "jaccard@0.50", "jaccard@q0.90", "jaccard@q0.50"]


@pytest.fixture
def predictions() -> Predictions:
    return Predictions(
        ids=np.array(["a", "b", "c"]),
        patients=np.array(["p", "p", "q"]),
        labels=np.array([1, 0, 1]),
        probabilities=np.full((3, 2), 0.5),
        classes=("healthy", "glioma"),
    )


@pytest.fixture
def masks() -> np.ndarray:
    """The left half of images a and c; nothing in b."""
    masks = np.zeros((3, 16, 16), dtype=bool)
    masks[[0, 2], :, :8] = True
    return masks


@pytest.fixture
def run(tiny_run: Path, tmp_path: Path) -> RunFolder:
    """A run that may be changed."""
    return RunFolder(shutil.copytree(tiny_run, tmp_path / "run"))


def test_maps_are_upsampled_logits_through_the_sigmoid() -> None:
    logits = np.array([[[0, 4]], [[2, 2]]], dtype=np.float16).repeat(2, axis=1)
    maps = attention_maps(logits, 4)
    assert maps.shape == (2, 4, 4)
    assert maps.dtype == np.float32
    np.testing.assert_allclose(maps[0, 0], 1 / (1 + np.exp([0.0, -1, -3, -4])), rtol=1e-6)
    np.testing.assert_allclose(maps[1], 1 / (1 + np.exp(-2)), rtol=1e-6)


def test_many_maps_are_the_same_as_few() -> None:
    logits = np.random.default_rng(0).normal(size=(600, 2, 2)).astype(np.float16)
    alone = np.concatenate([attention_maps(logit[None], 8) for logit in logits[:520:130]])
    np.testing.assert_array_equal(attention_maps(logits, 8)[:520:130], alone)


def test_attention_on_the_tumour_scores_one_and_beside_it_zero(
    predictions: Predictions, masks: np.ndarray
) -> None:
    logits = np.full((3, 16, 16), -9, dtype=np.float16)
    logits[0, :, :8], logits[2, :, 8:] = 9, 9
    table = localisation(predictions, logits, masks, SPEC)
    assert table["id"].tolist() == ["a", "c"]
    assert table["patient"].tolist() == ["p", "q"]
    assert jaccard_columns(table) == COLUMNS
    assert table["jaccard@0.50"].tolist() == table["jaccard@0.90"].tolist() == [1, 0]


def test_no_tumour_gives_an_empty_table_that_can_be_read(
    run: RunFolder, predictions: Predictions, masks: np.ndarray
) -> None:
    table = localisation(predictions, np.zeros((3, 2, 2)), np.zeros_like(masks), SPEC)
    assert table.empty
    for variant in ("hybrid", "dense"):
        table.to_csv(run.path / variant / "localisation.csv", index=False)
    assert "localisation" not in score_variant(run, "hybrid", SPEC, 0)
    assert compare_variants(run, "hybrid", "dense", SPEC, 0)["localisation"] == []


def test_scores_are_those_of_the_predictions(run: RunFolder) -> None:
    predictions = read_predictions(run.path / "hybrid" / "predictions.csv")
    expected = evaluate(predictions, SPEC.resamples, 7)
    scores = score_variant(run, "hybrid", SPEC, 7)
    assert {key: scores[key] for key in expected} == expected
    indices = pd.read_csv(run.path / "hybrid" / "localisation.csv")
    assert list(scores["localisation"]) == jaccard_columns(indices)
    for column, row in scores["localisation"].items():
        assert row["estimate"] == pytest.approx(indices[column].mean())
        assert row["low"] <= row["estimate"] <= row["high"]


def test_attention_is_compared_image_by_image_and_patient_by_patient(run: RunFolder) -> None:
    """Indices written down beforehand; the oracle is SciPy."""
    random = np.random.default_rng(0)
    patients = [f"0{n // 3}" for n in range(24)]
    table = pd.DataFrame({"id": [f"{n:03d}" for n in range(24)], "patient": patients, "label": 1})
    a, b = table.assign(**{"jaccard@0.90": random.random(24)}), table.copy()
    b["jaccard@0.90"] = a["jaccard@0.90"] - random.random(24) + 0.3
    a.to_csv(run.path / "hybrid" / "localisation.csv", index=False)
    b.to_csv(run.path / "dense" / "localisation.csv", index=False)
    (row,) = compare_variants(run, "hybrid", "dense", SPEC, 0)["localisation"]
    assert row["column"] == "jaccard@0.90"
    assert row["hybrid"] == pytest.approx(a["jaccard@0.90"].mean())
    assert row["dense"] == pytest.approx(b["jaccard@0.90"].mean())
    by_image = stats.wilcoxon(a["jaccard@0.90"], b["jaccard@0.90"])
    means = [t.groupby("patient")["jaccard@0.90"].mean() for t in (a, b)]
    assert row["images"]["p"] == pytest.approx(by_image.pvalue)
    assert row["patients"]["p"] == pytest.approx(stats.wilcoxon(*means).pvalue)
    assert (row["images"]["n"], row["patients"]["n"]) == (24, 8)


def test_comparison_names_the_two_and_says_it_in_words(run: RunFolder) -> None:
    comparison = compare_variants(run, "hybrid", "dense", SPEC, 0)
    assert (comparison["a"], comparison["b"]) == ("hybrid", "dense")
    assert comparison["words"].startswith("hybrid is right on ")


def test_numbers_that_json_lacks_become_none() -> None:
    assert [finite(np.float32(0.5)), finite(np.nan), finite(np.inf)] == [0.5, None, None]
