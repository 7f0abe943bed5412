"""Which scores are shown for which task, by what names, and in what form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from medqnn.report.formatting import decimal, percent

AUROC = "AUROC (one-vs-rest)"


class Score(NamedTuple):
    """A score: its key in the metrics, its title, how it is printed, whether it is a main one."""

    key: str
    title: str
    text: Callable[[float | None], str]
    main: bool = False


CLASSES = (
    Score("accuracy", "Accuracy", percent, main=True),
    Score("balanced_accuracy", "Balanced accuracy", percent),
    Score("macro_f1", "Macro F1", decimal, main=True),
    Score("weighted_f1", "Weighted F1", decimal),
    Score("auroc", AUROC, decimal, main=True),
    Score("average_precision", "Average precision", decimal),
    Score("mcc", "Matthews correlation", decimal),
    Score("brier", "Brier score (lower is better)", decimal),
    Score("ece", "Expected calibration error (lower is better)", decimal),
)
FINDINGS = (
    Score("auroc", "Mean AUROC", decimal, main=True),
    Score("average_precision", "Mean average precision", decimal, main=True),
    Score("macro_f1", "Mean F1", decimal, main=True),
    Score("label_accuracy", "Right answers, all findings", percent),
    Score("exact_match", "Images with all findings right", percent),
)
MEDMNIST = {"acc": ("MedMNIST's ACC", percent), "auc": ("MedMNIST's AUC", decimal)}


def task_of(evaluation: dict[str, Any]) -> str:
    """Task of `evaluate`'s or `compare`'s result: "binary", "multi-class" or "multi-label"."""
    binary = len(evaluation["classes"]) == 2
    task: str = evaluation.get("task", "binary" if binary else "multi-class")  # older runs lack it
    return task


def scores(evaluation: dict[str, Any]) -> tuple[Score, ...]:
    """The scores of `evaluate`'s or `compare`'s result, main ones and others.

    Two classes have sensitivity and specificity, the names that medicine knows their recalls by.
    """
    task = task_of(evaluation)
    if task == "multi-label":
        return FINDINGS
    if task == "multi-class":
        return CLASSES
    negative, positive = evaluation["classes"]
    recalls = (
        Score(f"recall[{positive}]", f"Sensitivity (recall of {positive})", percent, main=True),
        Score(f"recall[{negative}]", f"Specificity (recall of {negative})", percent, main=True),
    )
    renamed = tuple(s._replace(title="AUROC") if s.key == "auroc" else s for s in CLASSES)
    return renamed[:1] + recalls + renamed[1:]
