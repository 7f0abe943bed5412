"""The runs of a study, ordered for comparison: variants, folds, seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from medqnn.errors import EvaluationError
from medqnn.evaluation.paired_tests import aligned
from medqnn.evaluation.predictions import AnyPredictions


class Run(NamedTuple):
    """One training: a variant on one fold with one seed."""

    variant: str
    fold: int
    seed: int


@dataclass(frozen=True)
class Runs:
    """What the runs of a study predicted.

    Attributes:
        by_fold: of each fold the predictions of its runs, all rows in the same order.
        hybrid: name of the variant that the others are compared with.
        twins: the other variants, in order of first appearance.
        folds: in rising order.
        seeds: in rising order.
        test_over_train: images of the test part over those of the training part, mean over folds.
        units: what a bootstrap over patients draws, in words.
        planned: all runs that there should be.
    """

    by_fold: dict[int, dict[Run, AnyPredictions]]
    hybrid: str
    twins: tuple[str, ...]
    folds: tuple[int, ...]
    seeds: tuple[int, ...]
    test_over_train: float
    units: str
    planned: tuple[Run, ...]

    @property
    def example(self) -> AnyPredictions:
        """Some predictions; task and classes are those of all."""
        return next(iter(next(iter(self.by_fold.values())).values()))

    def of(self, variant: str) -> list[Run]:
        """The runs of a variant, by fold and seed."""
        return sorted(r for by_run in self.by_fold.values() for r in by_run if r.variant == variant)

    def pairs(self, twin: str) -> list[tuple[Run, Run]]:
        """Runs of the hybrid and of a twin with the same fold and seed."""
        theirs = set(self.of(twin))
        ours = [(run, run._replace(variant=twin)) for run in self.of(self.hybrid)]
        return [(run, other) for run, other in ours if other in theirs]

    def missing(self, variant: str) -> list[Run]:
        """Runs that a variant lacks of those planned."""
        there = set(self.of(variant))
        return [run for run in self.planned if run.variant == variant and run not in there]

    def setting(self) -> dict[str, Any]:
        """Folds, seeds and sizes, and what stands for patients."""
        tables = [next(iter(by_run.values())) for by_run in self.by_fold.values()]
        return {
            "folds": self.folds,
            "seeds": self.seeds,
            "images": sum(len(table) for table in tables),
            "patients": len(np.unique(np.concatenate([table.patients for table in tables]))),
            "units": self.units,
            "test_over_train": self.test_over_train,
        }


def ordered(
    runs: Mapping[Run, AnyPredictions],
    train_sizes: Mapping[int, int],
    hybrid: str,
    units: str | None = None,
    planned: Iterable[Run] | None = None,
) -> Runs:
    """Check the runs of a study and bring them in order; see `comparison.compare_runs`.

    Raises:
        EvaluationError: if the hybrid or every twin lacks, a fold has no training size above 0,
            runs of a fold are not of the same images, folds share an image, or tasks differ.
    """
    every = tuple(planned) if planned is not None else _grid(runs)
    variants = list(dict.fromkeys(run.variant for run in every))
    twins = tuple(name for name in variants if name != hybrid)
    there = list(dict.fromkeys(run.variant for run in runs))
    if hybrid not in there or not set(twins) & set(there):
        raise EvaluationError(
            f"runs are of {there}: give runs of '{hybrid}' and of at least one twin"
        )
    folds = tuple(sorted({run.fold for run in runs}))
    unsized = [fold for fold in folds if train_sizes.get(fold, 0) < 1]
    if unsized:
        raise EvaluationError(
            f"train_sizes lacks fold {unsized[0]}: give the number of training images of each fold"
        )
    by_fold = {fold: _same_order(runs, fold) for fold in folds}
    _check_folds(by_fold)
    sizes = {fold: len(next(iter(by_run.values()))) for fold, by_run in by_fold.items()}
    tables = [next(iter(by_run.values())) for by_run in by_fold.values()]
    return Runs(
        by_fold,
        hybrid,
        twins,
        folds,
        tuple(sorted({run.seed for run in every})),
        float(np.mean([sizes[fold] / train_sizes[fold] for fold in folds])),
        units or ("patients" if any(table.patients_known for table in tables) else "images"),
        every,
    )


def _grid(runs: Mapping[Run, AnyPredictions]) -> tuple[Run, ...]:
    """Every variant on every fold with every seed that occurs."""
    if not runs:
        return ()
    variants, folds, seeds = (dict.fromkeys(values) for values in zip(*runs, strict=True))
    return tuple(Run(*place) for place in product(variants, sorted(folds), sorted(seeds)))


def _same_order(runs: Mapping[Run, AnyPredictions], fold: int) -> dict[Run, AnyPredictions]:
    of_fold = {run: table for run, table in runs.items() if run.fold == fold}
    first_run, first = next(iter(of_fold.items()))
    same = {}
    for run, table in of_fold.items():
        try:
            same[run] = aligned(first, table)
        except EvaluationError as error:
            raise EvaluationError(f"{first_run} and {run}: {error}") from error
    return same


def _check_folds(by_fold: Mapping[int, Mapping[Run, AnyPredictions]]) -> None:
    tables = [next(iter(by_run.values())) for by_run in by_fold.values()]
    tasks = {(type(table).__name__, table.classes) for table in tables}
    if len(tasks) > 1:
        raise EvaluationError(f"folds are of {len(tasks)} tasks or sets of classes: give one")
    ids, counts = np.unique(np.concatenate([table.ids for table in tables]), return_counts=True)
    if counts.max() > 1:
        raise EvaluationError(
            f"image '{ids[counts.argmax()]}' is in the test parts of {counts.max()} folds: give "
            "folds whose test parts share no image"
        )
