from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from medqnn.errors import EvaluationError
from medqnn.evaluation.calibration import reliability
from medqnn.evaluation.evaluate import compare, evaluate
from medqnn.evaluation.intervals import bootstrap
from medqnn.evaluation.metrics import class_report, confusion_matrix, scores
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.paired_tests import mcnemar, paired_bootstrap
from medqnn.evaluation.predictions import Predictions

Maker = Callable[..., Predictions]


def test_evaluation_survives_json_and_holds_every_part(predictions: Predictions) -> None:
    result = json.loads(json.dumps(evaluate(predictions, 50, seed=7), allow_nan=False))
    assert (result["images"], result["patients"]) == (120, predictions.patient_count)
    assert result["patients_known"] is True
    assert result["task"] == "multi-class"
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


def test_two_classes_are_a_binary_task(make_predictions: Maker) -> None:
    assert evaluate(make_predictions(classes=2), 20)["task"] == "binary"


def test_findings_have_scores_and_report_but_no_confusion(findings: MultiLabelPredictions) -> None:
    result = json.loads(json.dumps(evaluate(findings, 50, seed=7), allow_nan=False))
    assert result["task"] == "multi-label"
    assert (result["images"], result["patients"]) == (120, findings.patient_count)
    assert result["classes"] == list(findings.classes)
    intervals = bootstrap(findings, 50, seed=7).astype(object)
    assert result["scores"] == intervals.where(intervals.notna(), None).to_dict("index")
    assert result["scores"]["auroc"]["low"] < result["scores"]["auroc"]["high"]
    assert result["class_report"] == class_report(findings).to_dict("index")
    assert {"confusion", "reliability"}.isdisjoint(result)


def test_findings_of_two_models_are_compared(
    make_findings: Callable[..., MultiLabelPredictions],
) -> None:
    a, b = make_findings(seed=1), make_findings(seed=2)
    order = np.random.default_rng(0).permutation(len(b))
    names = ("ids", "patients", "labels", "probabilities")
    b = replace(b, **{name: getattr(b, name)[order] for name in names})
    result = json.loads(json.dumps(compare(a, b, "hybrid", "dense", 50, 3), allow_nan=False))
    assert result["task"] == "multi-label"
    assert "mcnemar" not in result
    assert result["differences"] == paired_bootstrap(a, b, 50, seed=3).to_dict("index")
    auroc = result["differences"]["auroc"]
    assert auroc["a"] == scores(a)["auroc"]
    assert auroc["b"] == pytest.approx(scores(b)["auroc"])
    assert auroc["low"] < auroc["difference"] < auroc["high"]


def test_what_cannot_be_paired_is_refused(
    findings: MultiLabelPredictions, predictions: Predictions
) -> None:
    as_classes = replace(predictions, classes=findings.classes)
    with pytest.raises(EvaluationError, match="exclude each other"):
        compare(as_classes, findings, "a", "b")
    labels = findings.labels.copy()
    labels[7, 2] = not labels[7, 2]
    other = replace(findings, labels=labels)
    with pytest.raises(EvaluationError, match=r"labels of 1 images differ .* 'image0007'"):
        compare(findings, other, "a", "b")


def test_the_method_names_what_was_resampled(predictions: Predictions) -> None:
    assert evaluate(predictions, 20)["interval"]["method"] == "percentile bootstrap over patients"
    alone = evaluate(replace(predictions, patients=predictions.ids), 20)
    assert alone["interval"]["method"] == "percentile bootstrap over images"
    assert alone["patients_known"] is False
