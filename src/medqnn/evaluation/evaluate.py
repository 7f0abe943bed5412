"""Evaluate one table of predictions, or compare two, as dictionaries ready for JSON.

What is undefined (NaN) becomes None.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from medqnn.evaluation.calibration import reliability
from medqnn.evaluation.intervals import bootstrap
from medqnn.evaluation.metrics import class_report, confusion_matrix
from medqnn.evaluation.paired_tests import mcnemar, paired_bootstrap
from medqnn.evaluation.predictions import Predictions

LEVEL = 0.95


def evaluate(predictions: Predictions, resamples: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Everything that one table of predictions tells.

    Returns:
        images, patients (counts), classes (names), interval (level, resamples, seed, method),
        scores {score: {estimate, low, high}}, class_report {class or average: {precision, recall,
        f1, support}}, confusion (rows true, columns predicted), reliability (a list of bins: low,
        high, count, confidence, accuracy).
    """
    return {
        **_setting(predictions, resamples, seed),
        "scores": _records(bootstrap(predictions, resamples, LEVEL, seed)),
        "class_report": _records(class_report(predictions)),
        "confusion": confusion_matrix(predictions).to_numpy().tolist(),
        "reliability": list(_records(reliability(predictions)).values()),
    }


def compare(
    a: Predictions,
    b: Predictions,
    name_a: str,
    name_b: str,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Two models on the same images.

    Returns:
        a, b (the names), images, patients, classes, interval as in `evaluate`, mcnemar
        {both_right, only_a, only_b, both_wrong, p}, differences {score: {a, b, difference, low,
        high}} with difference = a − b.

    Raises:
        EvaluationError: if the two are not predictions of the same images.
    """
    return {
        "a": name_a,
        "b": name_b,
        **_setting(a, resamples, seed),
        "mcnemar": mcnemar(a, b)._asdict(),
        "differences": _records(paired_bootstrap(a, b, resamples, LEVEL, seed)),
    }


def in_words(comparison: dict[str, Any]) -> str:
    """A comparison as plain sentences.

    A model is called more accurate only if the interval of the difference in accuracy leaves zero
    out. Where McNemar's test (at 1 − level) says otherwise, that is said too.
    """
    accuracy, level = comparison["differences"]["accuracy"], comparison["interval"]["level"]
    p = comparison["mcnemar"]["p"]
    finding = (
        f"{comparison['a']} is right on {accuracy['a']:.1%} and {comparison['b']} on "
        f"{accuracy['b']:.1%} of {comparison['images']} images of {comparison['patients']} "
        f"patients, a difference of {100 * accuracy['difference']:+.1f} percentage points"
    )
    test = f"McNemar's exact test, which takes images for independent, gives p {_p_value(p)}"
    if accuracy["low"] is None:
        return f"{finding}; one patient alone gives no interval. {test}. This is one seed."
    excludes_zero = accuracy["low"] > 0 or accuracy["high"] < 0
    verdict = _verdict(comparison, excludes_zero)
    disagreement = (
        ", so test and interval disagree, and the interval is the one to go by"
        if excludes_zero != (p < 1 - level)
        else ""
    )
    return (
        f"{finding} ({level:.0%} interval {100 * accuracy['low']:+.1f} to "
        f"{100 * accuracy['high']:+.1f}): {verdict}. {test}{disagreement}. This is one seed; the "
        "interval covers the choice of test patients, not of training seeds."
    )


def _verdict(comparison: dict[str, Any], excludes_zero: bool) -> str:
    if not excludes_zero:
        return "the interval includes zero, so these images do not tell the two apart"
    better = "a" if comparison["differences"]["accuracy"]["difference"] > 0 else "b"
    return f"the interval excludes zero, so {comparison[better]} is the more accurate here"


def _p_value(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.2g}"


def _setting(predictions: Predictions, resamples: int, seed: int) -> dict[str, Any]:
    return {
        "images": len(predictions),
        "patients": predictions.patient_count,
        "classes": list(predictions.classes),
        "interval": {
            "level": LEVEL,
            "resamples": resamples,
            "seed": seed,
            "method": "percentile bootstrap over patients",
        },
    }


def _records(frame: pd.DataFrame) -> dict[Any, dict[Any, Any]]:
    """One dictionary a row, None for NaN."""
    return frame.astype(object).where(frame.notna(), None).to_dict("index")
