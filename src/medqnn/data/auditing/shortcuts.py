"""Shortcuts: classes that facts of no medical meaning tell apart.

A network may learn that one class was scanned larger, saved otherwise, cut closer or exposed
brighter. So a shallow decision tree is asked to tell each class from the rest by such facts alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from medqnn.data.table import NO_FINDING, indicators

FACTS = {
    "image size": ["width", "height"],
    "file format": ["format", "pixels"],
    "border": ["border_mean", "border_sd"],
    "mean intensity": ["mean"],
}
GAIN = 0.25  # a warning needs this part of the errors of the majority rule avoided ...
P_VALUE = 0.001  # ... and an accuracy that chance reaches with less than this probability
_DEPTH = 3
_FOLDS = 5
_MOST = 20_000  # images that the trees see


@dataclass(frozen=True)
class Shortcut:
    """How well one kind of fact tells one class from the rest.

    Attributes:
        fact: a key of `FACTS`.
        label: the class.
        accuracy: of a tree of depth 3, cross-validated in 5 folds that keep groups together.
        majority: accuracy of always saying the more frequent.
        gain: part of the majority rule's errors that the tree avoids, at most 1; below 0 it adds.
        warning: whether the gain is 0.25 or more and no play of chance.
    """

    fact: str
    label: str
    accuracy: float
    majority: float
    gain: float
    warning: bool


def shortcuts(
    facts: pd.DataFrame, labels: pd.Series, groups: np.ndarray, *, multilabel: bool = False
) -> list[Shortcut]:
    """Try each kind of fact on each class.

    Args:
        facts: of `examine`, the readable images alone.
        labels: their labels.
        groups: int (n,), images that must not stand on both sides: copies and patients.
        multilabel: whether labels are findings joined by "|".

    Returns:
        The best first. Classes with fewer than 10 groups inside or outside are left out, and so is
        a fact that is the same for all images. Of two classes, which tell the same, one is tried.
    """
    chosen = np.random.default_rng(0).permutation(len(facts))[:_MOST]
    facts, labels, groups = facts.iloc[chosen], labels.iloc[chosen], groups[chosen]
    members = indicators(labels, multilabel).drop(columns=NO_FINDING, errors="ignore")
    if not multilabel and members.shape[1] == 2:
        members = members.iloc[:, :1]
    found = [
        _shortcut(fact, str(name), _numbers(facts[columns]), held.to_numpy(), groups)
        for fact, columns in FACTS.items()
        if (facts[columns].nunique() > 1).any()
        for name, held in members.items()
        if min(len(np.unique(groups[held])), len(np.unique(groups[~held]))) >= 2 * _FOLDS
    ]
    return sorted(found, key=lambda shortcut: -shortcut.gain)


def _shortcut(
    fact: str, label: str, values: np.ndarray, held: np.ndarray, groups: np.ndarray
) -> Shortcut:
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(max_depth=_DEPTH, min_samples_leaf=5, random_state=0)
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=0)
    right = int((cross_val_predict(tree, values, held, groups=groups, cv=folds) == held).sum())
    count, often = len(held), int(max(held.sum(), (~held).sum()))
    gain = (right - often) / (count - often)
    # Groups, not images, are independent: the test counts them.
    units = len(np.unique(groups))
    chance = binom.sf(round(right / count * units) - 1, units, often / count)
    warning = gain >= GAIN and bool(chance < P_VALUE)
    return Shortcut(fact, label, right / count, often / count, gain, warning)


def _numbers(facts: pd.DataFrame) -> np.ndarray:
    """Numbers as they are, words as one column for each: float64 (n, columns)."""
    return pd.get_dummies(facts).to_numpy(dtype=np.float64)
