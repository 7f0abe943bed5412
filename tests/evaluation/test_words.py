from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medqnn.evaluation.evaluate import compare
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import Predictions
from medqnn.evaluation.words import in_words


def comparison(low: float | None, high: float | None, p: float) -> dict[str, object]:
    difference = 0.05 if low is None or high is None else (low + high) / 2
    accuracy = {"a": 0.9, "b": 0.9 - difference, "difference": difference, "low": low, "high": high}
    return {
        "a": "hybrid",
        "b": "dense",
        "task": "multi-class",
        "images": 500,
        "patients": 60,
        "patients_known": True,
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


def test_unknown_patients_are_not_spoken_of() -> None:
    words = in_words(comparison(0.02, 0.08, 0.2) | {"patients_known": False})
    assert "of 500 images, a difference" in words
    assert "the choice of test images" in words
    assert "names no patients, so the interval is too narrow" in words
    assert "patients" not in words.replace("names no patients", "")


def findings_compared(low: float, high: float) -> dict[str, object]:
    auroc = {"a": 0.781, "b": 0.752, "difference": 0.029, "low": low, "high": high}
    by_finding = {"auroc[x]": {"a": 0.7}, "auroc[y]": {"a": 0.8}, "auroc[z]": {"a": None}}
    differences = {"auroc": auroc, **by_finding}
    found = {"task": "multi-label", "classes": ["x", "y", "z"], "differences": differences}
    return {key: value for key, value in comparison(0, 0, 1).items() if key != "mcnemar"} | found


def test_findings_are_told_by_mean_auroc() -> None:
    words = in_words(findings_compared(0.011, 0.045))
    assert words.startswith(
        "hybrid has a mean AUROC of 0.781 and dense of 0.752 over 2 findings on 500 images of 60 "
        "patients, a difference of +0.029 (95% interval +0.011 to +0.045): the interval excludes "
        "zero, so hybrid ranks the findings better here."
    )
    assert "McNemar" not in words
    assert "do not tell the two apart" in in_words(findings_compared(-0.011, 0.045))


def test_findings_without_any_auroc_are_not_compared(findings: MultiLabelPredictions) -> None:
    absent = replace(findings, labels=np.zeros_like(findings.labels))
    assert "nothing to compare" in in_words(compare(absent, absent, "hybrid", "dense", 20))
