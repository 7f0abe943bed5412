"""Runs of simulated variants, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from tests.evaluation.conftest import simulate, simulate_findings

from medqnn.evaluation.predictions import AnyPredictions, Predictions
from medqnn.evaluation.repeated.runs import Run


def in_fold(p: AnyPredictions, fold: int) -> AnyPredictions:
    """The same with ids and patients of its own."""
    return replace(
        p, ids=np.char.add(p.ids, f"/{fold}"), patients=np.char.add(p.patients, f"/{fold}")
    )


def simulated_runs(
    skills: Mapping[str, float],
    folds: int = 3,
    seeds: int = 3,
    images: int = 120,
    findings: bool = False,
    **options: int,
) -> dict[Run, AnyPredictions]:
    """Runs of variants of these skills; no two runs err alike."""
    make = simulate_findings if findings else simulate
    return {
        Run(variant, fold, seed): in_fold(
            make(images=images, skill=skill, seed=1000 * i + 10 * fold + seed, **options), fold
        )
        for i, (variant, skill) in enumerate(skills.items())
        for fold in range(folds)
        for seed in range(seeds)
    }


def answers(p: Predictions, right: np.ndarray) -> Predictions:
    """Predictions right on these images only."""
    said = np.where(right, p.labels, (p.labels + 1) % len(p.classes))
    return replace(p, probabilities=np.eye(len(p.classes))[said])
