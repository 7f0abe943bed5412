"""A twin beside the hybrid: their paired differences, and every test of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from medqnn.evaluation.predictions import AnyPredictions
from medqnn.evaluation.repeated.hierarchical import combined
from medqnn.evaluation.repeated.per_image import per_image_tests
from medqnn.evaluation.repeated.runs import Run, Runs
from medqnn.evaluation.repeated.score_tests import (
    ScoreTests,
    bootstrap_table,
    evidence,
    score_tests,
    sign,
)
from medqnn.evaluation.repeated.verdict import verdict

Scored = Mapping[int, Mapping[Run, pd.DataFrame]]  # by fold: rows resamples, columns scores


@dataclass(frozen=True)
class Twin:
    """A twin and what its runs say beside those of the hybrid.

    Attributes:
        name: of the variant.
        pairs: runs of the hybrid and of the twin with the same fold and seed.
        grids: of each tested score the differences hybrid − twin, (F, S), NaN where a run lacks.
        tests: of each tested score; None if no difference of it is a number.
        table: of every score the `bootstrap_table`; None without pairs.
        margin: the largest difference that does not matter.
    """

    name: str
    pairs: list[tuple[Run, Run]]
    grids: dict[str, np.ndarray]
    tests: dict[str, ScoreTests | None]
    table: pd.DataFrame | None
    margin: float
    units: str

    def p_values(self) -> list[float]:
        """Of the corrected t, one a score, NaN where there is none."""
        return [np.nan if t is None else t.corrected_t.p for t in self.tests.values()]

    def record(self, study: Runs, p_holm: Mapping[str, float], at_floor: bool) -> dict[str, Any]:
        """The twin's entry of the result; the verdict is that on the first score."""
        paired = {(run.fold, run.seed) for run, _ in self.pairs}
        everywhere = [(fold, seed) for fold in study.folds for seed in study.seeds]
        scores = {
            score: self._score(score, p_holm[score], at_floor and score == "accuracy")
            for score in self.tests
        }
        return {
            "pairs": len(self.pairs),
            "left_out": [place for place in everywhere if place not in paired],
            "verdict": next(iter(scores.values()))["verdict"],
            "scores": scores,
            "differences": None if self.table is None else self.table.to_dict("index"),
            "per_image": _per_image(study, self.pairs) if self.pairs else None,
        }

    def _score(self, score: str, p_holm: float, at_floor: bool) -> dict[str, Any]:
        bootstrap = None if self.table is None else self.table.T[score]
        tests, differences = self.tests[score], self.grids[score]
        known = evidence(differences, tests, p_holm, bootstrap, score, self.margin, self.units)
        known = known._replace(at_floor=at_floor)
        return {
            "higher_is_better": sign(score) > 0,
            "differences": differences,
            "p_holm": p_holm,
            **dict.fromkeys(ScoreTests._fields),
            **({} if tests is None else tests._asdict()),
            "verdict": verdict(known, self.name, score),
        }


def compared(
    study: Runs, scored: Scored, name: str, tested: tuple[str, ...], margin: float, seed: int
) -> Twin:
    """Compare the hybrid with a twin.

    Args:
        study: all runs.
        scored: what `resampled_scores` gave for them.
        name: of the twin.
        tested: names of the scores to test.
        margin: the largest difference that would not matter.
        seed: of the draws of folds and seeds.

    Raises:
        EvaluationError: if the margin is not above 0.
    """
    pairs = study.pairs(name)
    grids = np.full((len(tested), len(study.folds), len(study.seeds)), np.nan)
    tables: dict[int, list[pd.DataFrame]] = {}
    for ours, theirs in pairs:
        difference = scored[ours.fold][ours] - scored[ours.fold][theirs]
        tables.setdefault(ours.fold, []).append(difference)
        place = study.folds.index(ours.fold), study.seeds.index(ours.seed)
        grids[:, *place] = difference.loc[0, list(tested)]
    by_score = dict(zip(tested, grids, strict=True))
    family = {score: len(study.twins) * (len(tested) if i else 1) for i, score in enumerate(tested)}
    tests = {
        score: score_tests(grid, study.test_over_train, margin, score, family[score])
        for score, grid in by_score.items()
    }
    table = bootstrap_table(combined(tables, seed)) if pairs else None
    return Twin(name, pairs, by_score, tests, table, margin, study.units)


def _per_image(study: Runs, pairs: list[tuple[Run, Run]]) -> dict[str, Any]:
    by_fold: dict[int, list[tuple[AnyPredictions, AnyPredictions]]] = {}
    for ours, theirs in pairs:
        tables = study.by_fold[ours.fold]
        by_fold.setdefault(ours.fold, []).append((tables[ours], tables[theirs]))
    return per_image_tests(list(by_fold.values()))
