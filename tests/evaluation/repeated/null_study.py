"""Studies in which two ways of training are equally good, and how often each test denies it.

Two nearest-mean classifiers see two halves of the features that are alike in distribution, so their
expected accuracies are equal over all patients and seeds. A seed draws the images that its run
learns from. `python -m tests.evaluation.repeated.null_study` prints the table of
docs/statistics.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from medqnn.evaluation.repeated.corrected_t import corrected_t
from medqnn.evaluation.repeated.hierarchical import combined, intervals

FEATURES, SHIFT = 5, 0.45


class NullStudy(NamedTuple):
    """Differences in accuracy (F, S), and of each fold those of its test images, (S, n)."""

    differences: np.ndarray
    by_image: list[np.ndarray]


def null_study(
    rng: np.random.Generator, patients: int, folds: int, seeds: int, sample: int | None
) -> NullStudy:
    """Draw a study; `sample` training images are drawn for each run, None: all, no seed noise.

    One fold: the last fifth of the patients is the test part.
    """
    truth = rng.permutation(np.arange(patients) % 2).astype(bool)
    images = rng.normal(size=(patients, 2 * FEATURES)) + SHIFT * (2.0 * truth[:, None] - 1)
    part = rng.permutation(np.arange(patients) % (5 if folds == 1 else folds))
    by_image = []
    for fold in range(folds):
        train, test = np.flatnonzero(part != fold), np.flatnonzero(part == fold)
        drawn = _draws(rng, train, truth, seeds, sample)
        by_image.append(np.array([_gain(images, truth, some, test) for some in drawn]))
    return NullStudy(np.array([rows.mean(axis=1) for rows in by_image]), by_image)


def _draws(
    rng: np.random.Generator, train: np.ndarray, truth: np.ndarray, seeds: int, sample: int | None
) -> list[np.ndarray]:
    """The images that each seed learns from, as many of both classes."""
    if sample is None:
        return [train] * seeds
    classes = train[truth[train]], train[~truth[train]]
    half = sample // 2
    return [np.concatenate([rng.choice(c, half) for c in classes]) for _ in range(seeds)]


def _gain(x: np.ndarray, truth: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Of each test image whether the one is right less whether the other is, (n,)."""
    one, zero = x[train[truth[train]]].mean(axis=0), x[train[~truth[train]]].mean(axis=0)
    score = (x[test] - (one + zero) / 2) * (one - zero)
    right = (score.reshape(-1, 2, FEATURES).sum(axis=2) > 0) == truth[test][:, None]
    gain: np.ndarray = right[:, 0].astype(float) - right[:, 1]
    return gain


def hierarchical_rejects(study: NullStudy, rng: np.random.Generator, resamples: int) -> bool:
    """Whether the 95 % interval of the difference in accuracy leaves zero out."""
    tables = {}
    for fold, rows in enumerate(study.by_image):
        n = rows.shape[1]
        weights = np.vstack([np.ones(n), rng.multinomial(n, np.full(n, 1 / n), size=resamples)])
        scored = weights @ rows.T / n
        tables[fold] = [pd.DataFrame({"accuracy": column}) for column in scored.T]
    row = intervals(combined(tables, int(rng.integers(2**31)))).iloc[0]
    return bool(row["low"] > 0 or row["high"] < 0)


def t_rejections(study: NullStudy) -> dict[str, bool]:
    """Which t tests find a difference at the 5 % level."""
    d = study.differences
    ratio = 1 / ((len(d) if len(d) > 1 else 5) - 1)
    se = np.sqrt((1 / d.size + ratio) * d.var(ddof=1))
    return {
        "t over all runs": _t_rejects(d.mean(), d.std(ddof=1) / np.sqrt(d.size), d.size),
        "runs as n, corrected": _t_rejects(d.mean(), se, d.size),
        "corrected t": corrected_t(d, ratio).p < 0.05,
    }


def rejections(
    studies: int, patients: int, folds: int, seeds: int, sample: int | None, resamples: int = 300
) -> dict[str, float]:
    """Share of null studies in which each test finds a difference; no resamples, no bootstrap."""
    rng, found = np.random.default_rng(0), []
    for _ in range(studies):
        study = null_study(rng, patients, folds, seeds, sample)
        answers = t_rejections(study)
        if resamples:
            answers["hierarchical"] = hierarchical_rejects(study, rng, resamples)
            answers["both"] = answers["corrected t"] and answers["hierarchical"]
        found.append(answers)
    return {name: float(rate) for name, rate in pd.DataFrame(found).mean().items()}


def _t_rejects(mean: float, se: float, n: int) -> bool:
    return bool(abs(mean) > stats.t.ppf(0.975, n - 1) * se)


if __name__ == "__main__":
    rows = {}
    for patients, folds, seeds, sample in (
        (100, 5, 4, 80),
        (100, 5, 10, 80),
        (100, 5, 10, 20),
        (100, 5, 10, None),
        (300, 5, 5, 240),
        (100, 10, 3, 90),
        (100, 3, 5, 66),
        (100, 1, 5, 80),
        (100, 1, 10, 20),
        (400, 1, 10, 320),
    ):
        case = f"{patients} patients, {folds} folds, {seeds} seeds, {sample or 'all'} drawn"
        rows[case] = rejections(1000, patients, folds, seeds, sample)
        print(case, rows[case], flush=True)
    print(pd.DataFrame(rows).T.round(3).to_string())
