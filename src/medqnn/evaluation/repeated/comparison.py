"""A hybrid against its twins over folds and seeds, as one dictionary ready for JSON.

The main score is accuracy, or mean AUROC where findings may occur together; the verdict on the
whole rests on it. Its p-values are corrected over the twins; those of the other scores over all
twins and all scores. Differences are hybrid − twin. What is undefined (NaN) becomes None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import AnyPredictions
from medqnn.evaluation.repeated.hierarchical import combined, intervals, resampled_scores
from medqnn.evaluation.repeated.holm import holm
from medqnn.evaluation.repeated.plain import plain
from medqnn.evaluation.repeated.runs import Run, Runs, ordered
from medqnn.evaluation.repeated.twin import Scored, Twin, compared
from medqnn.evaluation.repeated.verdict import overall

__all__ = ["Run", "compare_runs"]

TESTED = ("accuracy", "balanced_accuracy", "macro_f1", "auroc", "brier", "ece")
TESTED_FINDINGS = ("auroc", "average_precision", "macro_f1", "label_accuracy", "exact_match")


def compare_runs(
    runs: Mapping[Run, AnyPredictions],
    train_sizes: Mapping[int, int],
    *,
    hybrid: str = "hybrid",
    margin: float = 0.02,
    resamples: int = 1000,
    seed: int = 0,
    units: str | None = None,
    planned: Iterable[Run] | None = None,
) -> dict[str, Any]:
    """Everything that the runs of a study tell of a hybrid and its twins.

    A run that is lacking (failed) is left out with its partner, and listed.

    Args:
        runs: what each run predicted for the test part of its fold; folds share no test image.
        train_sizes: number of training images of each fold.
        hybrid: name of the variant that the others are compared with.
        margin: the largest difference in a score that would not matter.
        resamples: of the hierarchical bootstrap.
        seed: of the same.
        units: what the predictions' patients are, in words, such as "groups of copies"; by default
            "patients", or "images" where each image is its own.
        planned: all runs that there should be, so that what is wholly lacking is told of too; by
            default every variant on every fold with every seed that occurs.

    Returns:
        hybrid, main_score, margin, resamples, seed, folds, seeds, images, patients,
        units, test_over_train;
        variants {variant: {runs, missing [[fold, seed]], scores {score: {estimate, low, high}}}},
        scores None without runs; floor (accuracy of always giving the commonest answer) and
        no_better (variants that are not surely above it), None and [] where findings may occur
        together;
        twins {twin: {pairs, left_out [[fold, seed]], verdict {code, sentence, seeds_needed},
        scores {tested score: {higher_is_better, differences (F, S), p_holm, corrected_t,
        equivalence, signed_rank, effect, power, verdict}}, differences {any score: {estimate, low,
        high, low_90, high_90, patients_se}}, per_image {delong, mcnemar}, a being the hybrid}};
        verdict {code, sentence, parts}.
        A twin that shares no fold and seed with the hybrid has None in place of tests.

    Raises:
        EvaluationError: if there is no hybrid or no twin, a fold has no training size, runs of a
            fold are not of the same images, folds share images, or a number is out of range.
    """
    study = ordered(runs, train_sizes, hybrid, units, planned)
    scored = resampled_scores(study.by_fold, resamples, seed)
    tested = TESTED_FINDINGS if isinstance(study.example, MultiLabelPredictions) else TESTED
    twins = [compared(study, scored, name, tested, margin, seed) for name in study.twins]
    p_holm = _holm(twins, tested)
    variants = {name: _variant(study, scored, name, seed) for name in (hybrid, *study.twins)}
    lowest = floor(study)
    weak = _no_better(variants, lowest)
    entries = {
        twin.name: twin.record(study, p_holm[twin.name], {hybrid, twin.name} <= set(weak))
        for twin in twins
    }
    result = {
        "hybrid": hybrid,
        "main_score": tested[0],
        "margin": margin,
        "resamples": resamples,
        "seed": seed,
        **study.setting(),
        "variants": variants,
        "twins": entries,
        "floor": lowest,
        "no_better": weak,
        "verdict": overall({name: entry["verdict"].code for name, entry in entries.items()}),
    }
    return {name: plain(value) for name, value in result.items()}


def floor(study: Runs) -> float | None:
    """Accuracy of always giving each fold's commonest answer; None where findings may co-occur."""
    tables = [next(iter(by_run.values())) for by_run in study.by_fold.values()]
    if any(isinstance(table, MultiLabelPredictions) for table in tables):
        return None
    return float(np.mean([np.bincount(table.labels).max() / len(table) for table in tables]))


def _no_better(variants: Mapping[str, Any], lowest: float | None) -> list[str]:
    """Variants whose accuracy is not surely above the floor; alike ones there show nothing."""
    if lowest is None:
        return []
    lows = {
        name: one["scores"]["accuracy"]["low"] for name, one in variants.items() if one["scores"]
    }
    return [name for name, low in lows.items() if not low > lowest]


def _holm(twins: Sequence[Twin], tested: Sequence[str]) -> dict[str, dict[str, float]]:
    """Corrected p-values by twin and score: the first score over twins, the others over all."""
    p = np.array([twin.p_values() for twin in twins])
    corrected = holm(p.ravel()).reshape(p.shape)
    corrected[:, 0] = holm(p[:, 0])
    return {
        twin.name: dict(zip(tested, (float(value) for value in row), strict=True))
        for twin, row in zip(twins, corrected, strict=True)
    }


def _variant(study: Runs, scored: Scored, variant: str, seed: int) -> dict[str, Any]:
    own = study.of(variant)
    tables = {fold: [scored[fold][run] for run in own if run.fold == fold] for fold in scored}
    return {
        "runs": len(own),
        "missing": [(run.fold, run.seed) for run in study.missing(variant)],
        "scores": intervals(combined(tables, seed)).to_dict("index") if own else None,
    }
