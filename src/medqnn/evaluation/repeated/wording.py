"""Names and amounts of scores in sentences."""

from __future__ import annotations

from collections.abc import Sequence

POINTS = ("accuracy", "balanced_accuracy", "macro_f1", "label_accuracy", "exact_match")  # shares
NAMES = {
    "macro_f1": "macro F1",
    "auroc": "mean AUROC",
    "brier": "Brier score",
    "ece": "calibration error",
}


def named(score: str) -> str:
    """A score's name as a reader knows it."""
    return NAMES.get(score, score.replace("_", " "))


def amount(value: float, score: str) -> str:
    """A difference in a score: points for shares of images, else three decimals."""
    return f"{100 * value:.1f} points" if score in POINTS else f"{value:.3f}"


def span(low: float, high: float, score: str) -> str:
    """An interval of a difference, with signs."""
    if score in POINTS:
        return f"{100 * low:+.1f} to {100 * high:+.1f} points"
    return f"{low:+.3f} to {high:+.3f}"


def listed(names: Sequence[str]) -> str:
    """One, two and three."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
