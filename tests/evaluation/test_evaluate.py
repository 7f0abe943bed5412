from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from medqnn.evaluation.calibration import reliability
from medqnn.evaluation.evaluate import compare, evaluate, in_words
from medqnn.evaluation.intervals import bootstrap
from medqnn.evaluation.metrics import class_report, confusion_matrix
from medqnn.evaluation.paired_tests import mcnemar, paired_bootstrap
from medqnn.evaluation.predictions import Predictions

Maker = Callable[..., Predictions]


def test_evaluation_survives_json_and_holds_every_part(predictions: Predictions) -> None:
    result = json.loads(json.dumps(evaluate(predictions, 50, seed=7), allow_nan=False))
    assert (result["images"], result["patients"]) == (120, predictions.patient_count)
    assert result["classes"] == list(predictions.classes)
    assert result["interval"]["level"] == 0.95
    assert (result["interval"]["resamples"], result["interval"]["seed"]) == (50, 7)
    assert result["scores"] == bootstrap(predictions, 50, seed=7).to_dict("index")
    assert result["class_report"] == class_report(predictions).to_dict("index")
    assert result["confusion"] == confusion_matrix(predictions).to_numpy().tolist()
    curve = reliability(predictions)
    assert len(result["reliability"]) == len(curve)
    assert result["reliability"][-1] == curve.iloc[-1].to_dict()
    assert result["reliability"][0]["accuracy"] is None  # no confidence below 1/4


def test_undefined_scores_become_null(five_images: Predictions) -> None:
    result = json.loads(json.dumps(evaluate(five_images, 50), allow_nan=False))
    assert result["scores"]["f1[z]"] == {"estimate": None, "low": None, "high": None}
    assert result["class_report"]["z"] == {
        "precision": None,
        "recall": None,
        "f1": None,
        "support": 0,
    }


def test_comparison_survives_json_and_holds_every_part(make_predictions: Maker) -> None:
    a, b = make_predictions(seed=1), make_predictions(seed=2)
    result = json.loads(json.dumps(compare(a, b, "hybrid", "dense", 50, 3), allow_nan=False))
    assert (result["a"], result["b"], result["images"]) == ("hybrid", "dense", 120)
    assert result["mcnemar"] == mcnemar(a, b)._asdict()
    assert result["differences"] == paired_bootstrap(a, b, 50, seed=3).to_dict("index")
    assert result["interval"]["resamples"] == 50


def comparison(low: float | None, high: float | None, p: float) -> dict[str, object]:
    difference = 0.05 if low is None or high is None else (low + high) / 2
    accuracy = {"a": 0.9, "b": 0.9 - difference, "difference": difference, "low": low, "high": high}
    return {
        "a": "hybrid",
        "b": "dense",
        "images": 500,
        "patients": 60,
        "interval": {"level": 0.95},
        "mcnemar": {"p": p},
        "differences": {"accuracy": accuracy},
    }


@pytest.mark.parametrize(
    ("low", "high", "p", "verdict", "disagree"),
    [
        (0.01, 0.09, 0.01, "hybrid is the more accurate here", False),
        (-0.09, -0.01, 0.01, "dense is the more accurate here", False),
        (-0.02, 0.06, 0.3, "do not tell the two apart", False),
        (-0.02, 0.06, 0.01, "do not tell the two apart", True),
        (0.01, 0.09, 0.2, "hybrid is the more accurate here", True),
        (0.0, 0.0, 1.0, "do not tell the two apart", False),
    ],
)
def test_words_follow_the_interval(
    low: float, high: float, p: float, verdict: str, disagree: bool
) -> None:
    words = in_words(comparison(low, high, p))
    assert verdict in words
    assert ("disagree" in words) == disagree
    assert "This is one seed" in words
    assert "not of training seeds" in words


def test_words_give_the_figures() -> None:
    words = in_words(comparison(0.02, 0.08, 0.00001))
    for part in ("90.0%", "85.0%", "500 images", "60 patients", "+5.0", "+2.0 to +8.0", "< 0.0001"):
        assert part in words
    assert "p = 0.035" in in_words(comparison(0.02, 0.08, 0.03512))


def test_one_patient_gives_no_verdict(five_images: Predictions) -> None:
    alone = replace(five_images, patients=np.array(["P"] * 5))
    words = in_words(compare(alone, alone, "hybrid", "dense", 20))
    assert "no interval" in words
    assert "one seed" in words
    assert "more accurate" not in words
