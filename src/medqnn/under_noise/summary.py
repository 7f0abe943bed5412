"""Scores of what `measure` found: one table, and what it was measured on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from medqnn.evaluation.evaluate import LEVEL
from medqnn.evaluation.intervals import cluster_bootstrap
from medqnn.evaluation.metrics import commonest_answer, share_right, weighted_scores
from medqnn.layers.evaluated import quantum_layers
from medqnn.training.predict import predictions_of
from medqnn.training.trained import Trained
from medqnn.under_noise.measure import Answers, Key
from medqnn.under_noise.settings import IDEAL, Devices

ENDS = ["estimate", "low", "high"]
COLUMNS = ["variant", "device", "mitigation", "shots", "accuracy", "low", "high", "auroc", "sd"]
COLUMNS += ["deviation", "difference", "difference_low", "difference_high"]


def table(trained: Trained, rows: np.ndarray, answers: dict[Key, Answers]) -> pd.DataFrame:
    """One row a network and setting.

    Args:
        trained: The run.
        rows: Of the images.
        answers: As `measure` gives them.

    Returns:
        Columns variant, device, mitigation, shots (empty for expectation values); accuracy with
        its interval low, high, and auroc; sd, the standard deviation between draws of the shots;
        deviation, the mean distance of the circuits' values from the exact ones; and difference,
        difference_low, difference_high: accuracy under the setting minus the exact one of the same
        network, in pairs, empty for the exact one. With shots accuracy and auroc are means over
        draws. Of findings, accuracy is the share of all that are told rightly.
    """
    names = dict.fromkeys(name for name, _ in answers)
    return pd.concat([_of_network(trained, rows, answers, name) for name in names])


def _of_network(
    trained: Trained, rows: np.ndarray, answers: dict[Key, Answers], variant: str
) -> pd.DataFrame:
    own = {setting: found for (name, setting), found in answers.items() if name == variant}
    right, scored = [], []
    for setting, found in own.items():
        draws = [
            predictions_of(trained.inputs, rows, torch.from_numpy(one)) for one in found.logits
        ]
        each = np.array([share_right(draw) for draw in draws])
        right.append(each.mean(axis=0))
        once = np.ones((1, len(rows)))
        row = {"variant": variant, **setting._asdict(), "deviation": found.deviation}
        row["auroc"] = np.mean([weighted_scores(draw, once)["auroc"].iloc[0] for draw in draws])
        row["sd"] = each.mean(axis=1).std(ddof=1) if setting.shots else np.nan
        scored.append(row)
    shares = np.column_stack(right)
    exact = shares[:, [list(own).index(IDEAL)]]
    accuracy, ahead = (_bootstrap(trained, draws[0].patients, s) for s in (shares, shares - exact))
    ahead[[setting == IDEAL for setting in own]] = np.nan
    table = pd.DataFrame(scored)
    table["shots"] = table["shots"].astype("Int64")
    table[["accuracy", "low", "high"]] = accuracy
    table[["difference", "difference_low", "difference_high"]] = ahead
    return table[COLUMNS]


def _bootstrap(trained: Trained, patients: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Means over images of S settings with their intervals, float64 (S, 3)."""

    def mean(weights: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(weights @ values / weights.sum(axis=1, keepdims=True))

    recipe = trained.inputs.recipe
    resamples = recipe.evaluation.resamples
    found = cluster_bootstrap(mean, patients, resamples, LEVEL, recipe.seed)
    return found[ENDS].to_numpy(np.float64)


def summary(trained: Trained, rows: np.ndarray, devices: Devices) -> dict[str, Any]:
    """What the table was measured on, for JSON.

    Returns:
        images, patients, patients_known, interval; baseline (accuracy of always giving the
        commonest answer); devices {name: title, source, date, doubts}; trained_for (title of the
        device under whose noise the run was trained, or None); circuits {network: their qubits, or
        None for a network without circuits}.
    """
    inputs = trained.inputs
    patients = inputs.table.rows["patient"].to_numpy()[rows]
    known, recipe = inputs.table.patients_known, inputs.recipe
    return {
        "images": len(rows),
        "patients": len(np.unique(patients)),
        "patients_known": known,
        "interval": {
            "level": LEVEL,
            "resamples": recipe.evaluation.resamples,
            "seed": recipe.seed,
            "method": f"percentile bootstrap over {'patients' if known else 'images'}",
        },
        "baseline": commonest_answer(inputs.labels[rows]),
        "devices": {
            name: {
                "title": one.title,
                "source": one.source.text,
                "date": one.source.date.isoformat(),
                "doubts": one.source.doubts,
            }
            for name, one in devices.profiles.items()
        },
        "trained_for": recipe.noise and recipe.noise.title,
        "circuits": {name: _width(trained, name) for name in trained.models},
    }


def _width(trained: Trained, variant: str) -> int | None:
    found = quantum_layers(trained.models[variant])
    return max(layer.circuit.qubits for layer in found) if found else None
