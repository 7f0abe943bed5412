"""How a device's answers differ from the exact simulation's."""

from __future__ import annotations

from typing import Any

import numpy as np

from medqnn.evaluation import evaluate as evaluation
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import AnyPredictions

EXACT, DEVICE, COMPARISON = "exact", "device", "comparison"


def outcome(
    exact: AnyPredictions,
    device: AnyPredictions,
    exact_values: np.ndarray,
    device_values: np.ndarray,
    shots: int | None,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """One network on a device beside its exact simulation, on the same images.

    Args:
        exact: Predictions by simulation.
        device: Predictions through the device.
        exact_values: Expectation values (m,) by simulation.
        device_values: The same from the device.
        shots: Of each circuit and readout; None if there are none.
        resamples: How often the bootstrap draws patients.
        seed: Of the bootstrap.

    Returns:
        exact and device (`evaluation.evaluate.evaluate` of each), comparison
        (`evaluation.evaluate.compare`, device - exact), agreement (share of images, or of images'
        findings, given the same answer), and values {mean, largest, by_shots}: mean and largest
        absolute difference of an expectation value, and the mean that shots alone would make
        (None without shots).
    """
    off = np.abs(device_values - exact_values)
    return {
        EXACT: evaluation.evaluate(exact, resamples, seed),
        DEVICE: evaluation.evaluate(device, resamples, seed),
        COMPARISON: evaluation.compare(device, exact, DEVICE, EXACT, resamples, seed),
        "agreement": float((_answers(exact) == _answers(device)).mean()),
        "values": {
            "mean": float(off.mean()),
            "largest": float(off.max()),
            "by_shots": None if shots is None else by_shots(exact_values, shots),
        },
    }


def by_shots(values: np.ndarray, shots: int) -> float:
    """Mean absolute error that a mean of so many outcomes ±1 has, by the normal law.

    √(2/π) times the standard error √((1 - v²) / shots), averaged over the values v.
    """
    spread = np.sqrt(np.clip(1.0 - values**2, 0.0, None) / shots)
    return float(np.sqrt(2.0 / np.pi) * spread.mean())


def _answers(predictions: AnyPredictions) -> np.ndarray:
    if isinstance(predictions, MultiLabelPredictions):
        return predictions.probabilities >= 0.5
    return predictions.probabilities.argmax(axis=1)
