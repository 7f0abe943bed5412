"""All tests of one score of a hybrid against one twin."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from medqnn.evaluation.repeated.corrected_t import CorrectedT, corrected_t, folds_with_runs
from medqnn.evaluation.repeated.effect import Effect, effect
from medqnn.evaluation.repeated.equivalence import Equivalence, equivalence
from medqnn.evaluation.repeated.hierarchical import Draws, intervals
from medqnn.evaluation.repeated.power import Power, power
from medqnn.evaluation.repeated.signed_rank import SignedRank, signed_rank
from medqnn.evaluation.repeated.verdict import Evidence

LOWER_IS_BETTER = ("brier", "ece")


class ScoreTests(NamedTuple):
    """The tests of differences hybrid − twin; `effect` is positive where the hybrid is better."""

    corrected_t: CorrectedT
    equivalence: Equivalence
    signed_rank: SignedRank
    effect: Effect
    power: Power


def sign(score: str) -> int:
    """−1 for a score of which less is better."""
    return -1 if score in LOWER_IS_BETTER else 1


def score_tests(
    differences: np.ndarray, test_over_train: float, margin: float, score: str, comparisons: int
) -> ScoreTests | None:
    """All tests of (F, S) differences of a score, None if all of them are NaN.

    For the arguments see `corrected_t`, `equivalence` and `power`.

    Raises:
        EvaluationError: if the ratio or the margin is not above 0.
    """
    if not np.isfinite(differences).any():
        return None
    t = corrected_t(differences, test_over_train)
    return ScoreTests(
        t,
        equivalence(t, margin),
        signed_rank(differences),
        effect(sign(score) * differences),
        power(differences, test_over_train, margin, comparisons),
    )


def bootstrap_table(draws: Draws) -> pd.DataFrame:
    """One row a score: estimate, low, high (95 %), low_90, high_90, patients_se."""
    table = intervals(draws, 0.95)
    table[["low_90", "high_90"]] = intervals(draws, 0.9)[["low", "high"]]
    table["patients_se"] = draws.patients_alone.std()
    return table


def evidence(
    differences: np.ndarray,
    tests: ScoreTests | None,
    p_holm: float,
    bootstrap: pd.Series | None,
    score: str,
    margin: float,
    units: str,
) -> Evidence:
    """What the verdict goes by, turned so that positive favours the hybrid."""
    if tests is None or bootstrap is None:
        nothing = (np.nan, np.nan)
        return Evidence(
            np.nan, np.nan, nothing, nothing, False, margin, np.nan, 0, 0, None, None, units
        )
    turn = sign(score)
    ends, ends_90 = (
        sorted(turn * float(bootstrap[end]) for end in names)
        for names in (("low", "high"), ("low_90", "high_90"))
    )
    return Evidence(
        turn * tests.corrected_t.mean,
        p_holm,
        (ends[0], ends[1]),
        (ends_90[0], ends_90[1]),
        tests.equivalence.equivalent,
        margin,
        float(bootstrap["patients_se"]),
        folds_with_runs(differences),
        tests.power.seeds,
        tests.power.for_difference,
        tests.power.for_margin,
        units,
    )
