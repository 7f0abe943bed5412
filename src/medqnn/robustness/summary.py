"""Scores of what `measure` found: one table, and a few numbers that sum it up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from medqnn.evaluation.evaluate import LEVEL
from medqnn.evaluation.intervals import cluster_bootstrap
from medqnn.evaluation.metrics import commonest_answer, share_right, weighted_scores
from medqnn.layers.twins import HYBRID
from medqnn.robustness.measure import Answers, Key, Setting
from medqnn.training.assess import finite
from medqnn.training.predict import predictions_of
from medqnn.training.trained import Trained

CLEAN, CORRUPTED = "clean", "mean corrupted"
ENDS = ["estimate", "low", "high"]


class Scores:
    """What every network got right, with intervals over patients.

    Args:
        trained: The run.
        rows: Of the n images.
        answers: As `measure` gives them, "clean" among the settings.

    Attributes:
        settings: S of them, in order.
        answers: As given.
        predictions: By network and setting.
        reference: The network that the others are held against: the hybrid, else the first.
        spread: Of each network its accuracy, a row a setting (0 to S-1), then a row a mean, as
            `mean_weights` names them; columns estimate, low, high.
        ahead: The same of the reference minus each other network, resampled in pairs.
    """

    def __init__(self, trained: Trained, rows: np.ndarray, answers: dict[Key, Answers]) -> None:
        inputs, self.variants = trained.inputs, list(trained.models)
        self.settings = [setting for name, setting in answers if name == self.variants[0]]
        self.answers = answers
        self.predictions = {
            key: predictions_of(inputs, rows, torch.from_numpy(one.logits))
            for key, one in answers.items()
        }
        self.reference = HYBRID if HYBRID in self.variants else self.variants[0]
        some = self.predictions[self.reference, self.settings[0]]
        self.labels, self.patients = some.labels, some.patients
        self.patients_known = inputs.table.patients_known
        self.resamples, self.seed = inputs.recipe.evaluation.resamples, inputs.recipe.seed
        right = {name: self._right(name) for name in self.variants}
        self.spread = {name: self._bootstrap(values) for name, values in right.items()}
        self.ahead = {
            name: self._bootstrap(right[self.reference] - values)
            for name, values in right.items()
            if name != self.reference
        }

    def _right(self, variant: str) -> np.ndarray:
        """Share of an image's questions answered rightly, (n, S); of classes there is one."""
        answered = (self.predictions[variant, setting] for setting in self.settings)
        return np.column_stack([share_right(predictions) for predictions in answered])

    def _bootstrap(self, right: np.ndarray) -> pd.DataFrame:
        means = mean_weights(self.settings)
        columns = [*range(len(self.settings)), *means.columns]
        values = np.column_stack([right, right @ means.to_numpy()])

        def mean(weights: np.ndarray) -> pd.DataFrame:
            scored = weights @ values / weights.sum(axis=1, keepdims=True)
            return pd.DataFrame(scored, columns=columns)

        return cluster_bootstrap(mean, self.patients, self.resamples, LEVEL, self.seed)


def mean_weights(settings: Sequence[Setting]) -> pd.DataFrame:
    """How settings are averaged: S rows, each column summing to 1.

    Columns: clean; mean corrupted, over all corruptions and severities (attacks are apart); then
    each corruption and attack, over its severities.
    """
    names = pd.Series([setting.name for setting in settings])
    kinds = pd.Series([setting.kind for setting in settings])
    chosen = {CLEAN: kinds == "clean", CORRUPTED: kinds == "corruption"}
    chosen |= {name: names == name for name in names.unique()}
    weights = pd.DataFrame(chosen).astype(np.float64)
    return weights / weights.sum()


def table(scores: Scores) -> pd.DataFrame:
    """One row a network and setting.

    Returns:
        Columns variant, kind, corruption, severity, value; accuracy with its interval low, high;
        auroc; jaccard@… (means over images with a mask; of networks with attention alone); and
        difference, difference_low, difference_high: accuracy of the hybrid (of the first network,
        without one) minus this one's, empty for itself. Of findings, accuracy is the share of all
        that are told rightly.
    """
    rows = [
        _row(scores, name, number)
        for name in scores.variants
        for number in range(len(scores.settings))
    ]
    return pd.DataFrame(rows)


def summary(scores: Scores) -> dict[str, Any]:
    """Mean accuracy of each network, for JSON.

    Returns:
        images, patients, patients_known, interval; baseline (accuracy of always giving the
        commonest answer); variants {name: {mean: estimate, low, high, relative}}, the means of
        `mean_weights` and their share of the clean accuracy; reference (the hybrid); and
        differences {twin: {mean: estimate, low, high}}, reference minus twin.
    """
    units = "patients" if scores.patients_known else "images"
    return {
        "images": len(scores.patients),
        "patients": len(np.unique(scores.patients)),
        "patients_known": scores.patients_known,
        "interval": {
            "level": LEVEL,
            "resamples": scores.resamples,
            "seed": scores.seed,
            "method": f"percentile bootstrap over {units}",
        },
        "baseline": commonest_answer(scores.labels),
        "variants": {name: _relative(_means(found)) for name, found in scores.spread.items()},
        "reference": scores.reference,
        "differences": {name: _means(found) for name, found in scores.ahead.items()},
    }


def no_better(found: dict[str, Any]) -> list[str]:
    """Networks whose clean accuracy does not surely pass that of the commonest answer.

    One that always gives the same answer bears any corruption, so theirs says nothing.

    Args:
        found: As `summary` gives it.
    """
    ends = {name: means[CLEAN] for name, means in found["variants"].items()}
    return [name for name, one in ends.items() if (one["low"] or 0.0) <= found["baseline"]]


def _row(scores: Scores, variant: str, number: int) -> dict[str, Any]:
    setting = scores.settings[number]
    predictions = scores.predictions[variant, setting]
    accuracy = scores.spread[variant].loc[number, ENDS]
    row: dict[str, Any] = {
        "variant": variant,
        "kind": setting.kind,
        "corruption": setting.name,
        "severity": setting.severity,
        "value": setting.value,
        **dict(zip(["accuracy", "low", "high"], accuracy, strict=True)),
        "auroc": weighted_scores(predictions, np.ones((1, len(predictions))))["auroc"].iloc[0],
    }
    for column, values in scores.answers[variant, setting].jaccard.items():
        row[column] = pd.Series(values).mean()  # of those with a mask; NaN without any
    ends = ["difference", "difference_low", "difference_high"]
    if variant == scores.reference:
        return row | dict.fromkeys(ends, np.nan)
    return row | dict(zip(ends, scores.ahead[variant].loc[number, ENDS], strict=True))


def _means(found: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """The rows that have a name."""
    records = found[ENDS].astype(float).to_dict("index")
    return {
        str(name): {str(end): finite(value) for end, value in record.items()}
        for name, record in records.items()
        if isinstance(name, str)
    }


def _relative(means: dict[str, dict[str, float | None]]) -> dict[str, dict[str, float | None]]:
    """The means with their share of the clean accuracy; None where that is 0."""
    clean = means[CLEAN]["estimate"]
    return {
        name: {**mean, "relative": (mean["estimate"] or 0.0) / clean if clean else None}
        for name, mean in means.items()
    }
