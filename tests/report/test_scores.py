from __future__ import annotations

import pytest

from medqnn.report.scores import scores, task_of


@pytest.mark.parametrize(
    ("evaluation", "task"),
    [
        ({"task": "multi-label", "classes": ["a", "b"]}, "multi-label"),
        ({"classes": ["a", "b"]}, "binary"),  # as older runs have it
        ({"classes": ["a", "b", "c"]}, "multi-class"),
    ],
)
def test_task_is_the_given_or_that_of_so_many_classes(evaluation: dict, task: str) -> None:
    assert task_of(evaluation) == task


def test_two_classes_add_sensitivity_of_the_last_and_specificity_of_the_first() -> None:
    given = {score.key: score for score in scores({"classes": ["rest", "x"]})}
    assert given["recall[x]"].title == "Sensitivity (recall of x)"
    assert given["recall[rest]"].title == "Specificity (recall of rest)"
    assert given["recall[x]"].main
    assert given["auroc"].title == "AUROC"


def test_scores_of_more_classes_and_of_findings_are_their_own() -> None:
    classes = {score.key for score in scores({"classes": ["a", "b", "c"]})}
    findings = {s.key for s in scores({"task": "multi-label", "classes": ["a", "b", "c"]})}
    assert {"accuracy", "mcc", "ece"} <= classes
    assert findings == {"auroc", "average_precision", "macro_f1", "label_accuracy", "exact_match"}
