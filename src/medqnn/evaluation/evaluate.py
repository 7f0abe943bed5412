"""Evaluate one table of predictions, or compare two, as dictionaries ready for JSON.

What is undefined (NaN) becomes None. `words` puts a comparison into sentences.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from medqnn.evaluation.calibration import reliability
from medqnn.evaluation.intervals import bootstrap
from medqnn.evaluation.metrics import class_report, confusion_matrix
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.paired_tests import mcnemar, paired_bootstrap
from medqnn.evaluation.predictions import AnyPredictions, Predictions

LEVEL = 0.95


def evaluate(predictions: AnyPredictions, resamples: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Everything that one table of predictions tells.

    Returns:
        task ("binary", "multi-class" or "multi-label"), images, patients (counts), patients_known,
        classes (names), interval (level, resamples, seed, method), scores {score: {estimate, low,
        high}}, class_report {class or average: {precision, recall, f1, support}}, confusion (rows
        true, columns predicted), reliability (a list of bins: low, high, count, confidence,
        accuracy). Where findings may occur together, the report has specificity too, and there
        are neither confusion nor reliability, which are of one answer an image.
    """
    result = {
        **_setting(predictions, resamples, seed),
        "scores": _records(bootstrap(predictions, resamples, LEVEL, seed)),
        "class_report": _records(class_report(predictions)),
    }
    if isinstance(predictions, Predictions):
        result["confusion"] = confusion_matrix(predictions).to_numpy().tolist()
        result["reliability"] = list(_records(reliability(predictions)).values())
    return result


def compare(
    a: AnyPredictions,
    b: AnyPredictions,
    name_a: str,
    name_b: str,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Two models on the same images.

    Returns:
        a, b (the names), task, images, patients, patients_known, classes, interval as in
        `evaluate`, differences {score: {a, b, difference, low, high}} with difference = a − b, and
        mcnemar {both_right, only_a, only_b, both_wrong, p}, which is left out where findings may
        occur together: an image is then not simply right or wrong.

    Raises:
        EvaluationError: if the two are not predictions of the same images.
    """
    result = {
        "a": name_a,
        "b": name_b,
        **_setting(a, resamples, seed),
        "differences": _records(paired_bootstrap(a, b, resamples, LEVEL, seed)),
    }
    if isinstance(a, Predictions) and isinstance(b, Predictions):
        result["mcnemar"] = mcnemar(a, b)._asdict()
    return result


def _setting(predictions: AnyPredictions, resamples: int, seed: int) -> dict[str, Any]:
    units = "patients" if predictions.patients_known else "images"
    return {
        "task": _task(predictions),
        "images": len(predictions),
        "patients": predictions.patient_count,
        "patients_known": predictions.patients_known,
        "classes": list(predictions.classes),
        "interval": {
            "level": LEVEL,
            "resamples": resamples,
            "seed": seed,
            "method": f"percentile bootstrap over {units}",
        },
    }


def _task(predictions: AnyPredictions) -> str:
    if isinstance(predictions, MultiLabelPredictions):
        return "multi-label"
    return "binary" if len(predictions.classes) == 2 else "multi-class"


def _records(frame: pd.DataFrame) -> dict[Any, dict[Any, Any]]:
    """One dictionary a row, None for NaN."""
    return frame.astype(object).where(frame.notna(), None).to_dict("index")
