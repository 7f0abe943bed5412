"""Intervals of scores over folds, seeds and patients, by a bootstrap of all three.

A draw takes as many folds as there are, with replacement (where there are several), in each as many
seeds as it has, and as many patients as its test part has, with all images of each. Both variants
and all seeds of a fold see the same patients, so what they share cancels. A fold that is drawn
twice gets other patients the second time. Folds are drawn in balance (Davison, Hinkley and
Schechtman 1986): over all resamples each comes up as often as any other.

The score of a draw is the mean over its folds of the mean over its seeds; where a score is
undefined (NaN), that fold or seed is left out of it. Intervals are percentile intervals. A
bootstrap over few folds or seeds is too narrow in these, by √((S−1)/S) for S seeds; patients drawn
within folds that are themselves drawn make it wider. docs/statistics.md says how often the
interval held the truth in simulations.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd

from medqnn.errors import EvaluationError
from medqnn.evaluation.intervals import patient_weights
from medqnn.evaluation.metrics import weighted_scores
from medqnn.evaluation.paired_tests import aligned
from medqnn.evaluation.predictions import AnyPredictions
from medqnn.evaluation.ratios import average

K = TypeVar("K", bound=Hashable)
FoldSeed = tuple[int, int]


class Draws(NamedTuple):
    """Means over folds and seeds; one column a score, one row a resample.

    Attributes:
        plain: one row, nothing resampled.
        drawn: folds, seeds and patients resampled.
        patients_alone: patients resampled, folds and seeds as they are.
    """

    plain: pd.DataFrame
    drawn: pd.DataFrame
    patients_alone: pd.DataFrame


def hierarchical_difference(
    pairs: Mapping[FoldSeed, tuple[AnyPredictions, AnyPredictions]],
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """All scores of two variants, a − b, with intervals.

    Args:
        pairs: of each (fold, seed) what a and what b predicted for that fold's test part.
        resamples: how often folds, seeds and patients are drawn.
        level: coverage aimed at, between 0 and 1.
        seed: of the draws.

    Returns:
        One row a score of `weighted_scores`; columns estimate, low, high. The bounds are NaN where
        there is one patient only.

    Raises:
        EvaluationError: if there are no pairs, predictions of a fold are not of the same images, or
            resamples or level are out of range.
    """
    tables: dict[int, dict[FoldSeed, AnyPredictions]] = {}
    for (fold, run), pair in pairs.items():
        tables.setdefault(fold, {}).update({(run, side): p for side, p in enumerate(pair)})
    scored = resampled_scores(tables, resamples, seed)
    differences = {
        fold: [by_run[run, 0] - by_run[run, 1] for run, side in by_run if side == 0]
        for fold, by_run in scored.items()
    }
    return intervals(combined(differences, seed), level)


def hierarchical_mean(
    runs: Mapping[FoldSeed, AnyPredictions],
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """All scores of one variant, the mean over its runs; otherwise as `hierarchical_difference`."""
    tables: dict[int, dict[int, AnyPredictions]] = {}
    for (fold, run), predictions in runs.items():
        tables.setdefault(fold, {})[run] = predictions
    scored = resampled_scores(tables, resamples, seed)
    means = {fold: list(by_run.values()) for fold, by_run in scored.items()}
    return intervals(combined(means, seed), level)


def resampled_scores(
    tables: Mapping[int, Mapping[K, AnyPredictions]], resamples: int, seed: int
) -> dict[int, dict[K, pd.DataFrame]]:
    """Scores of all runs of each fold, under the same draws of that fold's patients.

    Returns:
        Of each fold and run a table of 1 + resamples rows, one column a score; the first row counts
        each image once.

    Raises:
        EvaluationError: if predictions of a fold are not of the same images, or resamples < 1.
    """
    if resamples < 1:
        raise EvaluationError(
            f"resamples={resamples}: give at least 1 resample of folds, seeds and patients; 1000 "
            "is usual"
        )
    return {
        fold: _fold_scores(by_run, resamples, _fold_seed(seed, fold))
        for fold, by_run in tables.items()
    }


def combined(scored: Mapping[int, list[pd.DataFrame]], seed: int) -> Draws:
    """Means over folds and seeds of what `resampled_scores` gave, folds and seeds resampled.

    Args:
        scored: of each fold a table for each of its seeds, all of one shape. A fold without any is
            left out.
        seed: of the draws of folds and seeds.

    Raises:
        EvaluationError: if no fold has a table.
    """
    folds = [tables for tables in scored.values() if tables]
    if not folds:
        raise EvaluationError("no run to resample: give at least one fold and seed")
    rng = np.random.default_rng(seed)
    names = folds[0][0].columns
    by_seed = [np.stack([table.to_numpy() for table in tables], axis=-1) for tables in folds]
    means = np.stack([_mean(values) for values in by_seed])  # (F, 1 + R, scores)
    drawn = np.stack([_drawn_seeds(values[1:], rng) for values in by_seed])  # (F, R, scores)
    order = rng.permutation(drawn.shape[0] * drawn.shape[1]).reshape(drawn.shape[:2])
    redrawn = drawn.reshape(-1, len(names))[order]  # every row of every fold once
    plain, patients_alone, everything = (
        pd.DataFrame(_mean(np.moveaxis(values, 0, -1)), columns=names)
        for values in (means[:, :1], means[:, 1:], redrawn)
    )
    return Draws(plain, everything, patients_alone)


def intervals(draws: Draws, level: float = 0.95) -> pd.DataFrame:
    """Percentile intervals: one row a score; columns estimate, low, high.

    Raises:
        EvaluationError: if level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise EvaluationError(f"level={level}: give a coverage between 0 and 1, such as 0.95")
    result = draws.plain.iloc[0].rename("estimate").to_frame()
    result[["low", "high"]] = draws.drawn.quantile([(1 - level) / 2, (1 + level) / 2]).T.to_numpy()
    return result


def _fold_scores(
    tables: Mapping[K, AnyPredictions], resamples: int, seed: int
) -> dict[K, pd.DataFrame]:
    """Block after block of weights, so that memory does not grow with the number of images."""
    first = next(iter(tables.values()))
    same_order = {key: aligned(first, table) for key, table in tables.items()}
    once = np.ones((1, len(first)))
    blocks: dict[K, list[pd.DataFrame]] = {
        key: [weighted_scores(table, once)] for key, table in same_order.items()
    }
    for weights in patient_weights(first.patients, resamples, seed):
        for key, table in same_order.items():
            blocks[key].append(weighted_scores(table, weights))
    scored = {key: pd.concat(parts, ignore_index=True) for key, parts in blocks.items()}
    if first.patient_count == 1:  # nothing can be resampled
        for drawn in scored.values():
            drawn.iloc[1:] = np.nan
    return scored


def _fold_seed(seed: int, fold: int) -> int:
    """Folds draw their patients independently of each other."""
    return int(np.random.SeedSequence([seed, fold]).generate_state(1)[0])


def _drawn_seeds(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Means (R, scores) of (R, scores, S), each row over seeds drawn anew."""
    seeds = values.shape[-1]
    times = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=len(values))
    return _mean(values, times[:, None])


def _mean(values: np.ndarray, times: np.ndarray | int = 1) -> np.ndarray:
    """Mean over the last axis of what is not NaN, each entry counted `times` over."""
    return average(values, ~np.isnan(values) * times)
