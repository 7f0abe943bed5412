"""Two models on the same images: McNemar's test and the paired bootstrap over patients."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from medqnn.errors import EvaluationError
from medqnn.evaluation.intervals import cluster_bootstrap
from medqnn.evaluation.metrics import weighted_scores
from medqnn.evaluation.predictions import AnyPredictions


class McNemar(NamedTuple):
    """Images by which of the two models is right, and the two-sided exact p-value."""

    both_right: int
    only_a: int
    only_b: int
    both_wrong: int
    p: float


def mcnemar(a: AnyPredictions, b: AnyPredictions) -> McNemar:
    """McNemar's exact test of equal accuracy.

    Given that just one model is right, each is so with probability 1/2: a two-sided binomial test
    on the discordant images. With none, p = 1. The test takes images for independent; where
    patients have several, `paired_bootstrap` is the one to go by.

    Raises:
        EvaluationError: if the two are not predictions of the same images.
    """
    right_a, right_b = a.correct, aligned(a, b).correct
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    discordant = only_a + only_b
    p = float(binomtest(only_a, discordant).pvalue) if discordant else 1.0
    both_right, both_wrong = int((right_a & right_b).sum()), int((~right_a & ~right_b).sum())
    return McNemar(both_right, only_a, only_b, both_wrong, p)


def paired_bootstrap(
    a: AnyPredictions, b: AnyPredictions, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Differences of all scores, a − b, with intervals over resampled patients.

    Each draw of patients scores both models, so what they share cancels.

    Returns:
        One row a score of `weighted_scores`; columns a, b, difference, low, high (of the
        difference; NaN if all images are of one patient).

    Raises:
        EvaluationError: if the two are not predictions of the same images, or resamples or level
            are out of range.
    """
    b = aligned(a, b)
    result = cluster_bootstrap(
        lambda weights: weighted_scores(a, weights) - weighted_scores(b, weights),
        a.patients,
        resamples,
        level,
        seed,
    ).rename(columns={"estimate": "difference"})
    once = np.ones((1, len(a)))
    result.insert(0, "a", weighted_scores(a, once).iloc[0])
    result.insert(1, "b", weighted_scores(b, once).iloc[0])
    return result


def aligned(a: AnyPredictions, b: AnyPredictions) -> AnyPredictions:
    """The rows of b in the order of a's ids.

    Raises:
        EvaluationError: if kind, classes, ids, labels or patients of the two differ.
    """
    if type(a) is not type(b):
        raise EvaluationError(
            "one table is of classes that exclude each other, the other of findings that may "
            "occur together: compare predictions of the same task"
        )
    if a.classes != b.classes:
        raise EvaluationError(
            f"the classes differ, {a.classes} and {b.classes}: "
            "compare models that were trained on the same classes in the same order"
        )
    unshared = np.setxor1d(a.ids, b.ids)
    if len(unshared):
        raise EvaluationError(
            f"{len(unshared)} images are in one table of predictions only, the first is "
            f"'{unshared[0]}': compare predictions of the same test images"
        )
    order = np.argsort(b.ids)
    rows = order[np.searchsorted(b.ids, a.ids, sorter=order)]
    b = replace(
        b,
        ids=b.ids[rows],
        patients=b.patients[rows],
        labels=b.labels[rows],
        probabilities=b.probabilities[rows],
    )
    for name in ("labels", "patients"):
        differ = (getattr(a, name) != getattr(b, name)).reshape(len(a), -1).any(axis=1)
        if differ.any():
            raise EvaluationError(
                f"the {name} of {differ.sum()} images differ between the two tables, the first is "
                f"'{a.ids[differ.argmax()]}': compare predictions made from the same data set"
            )
    return b
