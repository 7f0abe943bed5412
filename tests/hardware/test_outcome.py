"""A device beside the exact simulation, in numbers."""

from __future__ import annotations

import numpy as np
import pytest

from medqnn.evaluation.evaluate import evaluate
from medqnn.evaluation.predictions import Predictions
from medqnn.hardware.outcome import by_shots, outcome

IDS = np.array([f"{i}" for i in range(40)])
LABELS = np.arange(40) % 2


def predictions(answers: np.ndarray) -> Predictions:
    return Predictions(IDS, IDS, LABELS, np.eye(2)[answers] * 0.8 + 0.1, ("a", "b"))


def test_differences_are_device_less_exact() -> None:
    exact = LABELS.copy()
    device = np.where(np.arange(40) < 10, 1 - LABELS, LABELS)
    values = np.linspace(-0.9, 0.9, 7)
    off = np.array([0.1, -0.1, 0, 0, 0, 0, -0.5])
    found = outcome(predictions(exact), predictions(device), values, values + off, 100, 100, 0)
    assert found["exact"]["scores"]["accuracy"]["estimate"] == 1.0
    assert found["device"]["scores"]["accuracy"]["estimate"] == 0.75
    assert found["comparison"]["differences"]["accuracy"]["difference"] == -0.25
    assert (found["comparison"]["a"], found["comparison"]["b"]) == ("device", "exact")
    assert found["agreement"] == 0.75
    assert found["values"]["mean"] == pytest.approx(0.1)
    assert found["values"]["largest"] == pytest.approx(0.5)


def test_shots_alone_explain_what_sampling_gives() -> None:
    random = np.random.default_rng(0)
    values = random.uniform(-0.95, 0.95, 20_000)
    sampled = random.binomial(1000, (1 + values) / 2) / 500 - 1
    assert by_shots(values, 1000) == pytest.approx(np.abs(sampled - values).mean(), rel=0.02)
    assert by_shots(np.array([1.0, -1.0]), 10) == 0


def test_without_shots_none_are_to_blame() -> None:
    one = predictions(LABELS)
    found = outcome(one, one, np.zeros(2), np.zeros(2), None, 100, 0)
    assert found["values"]["by_shots"] is None
    assert found["agreement"] == 1


def test_intervals_are_of_the_resamples_and_the_seed() -> None:
    device = predictions(np.where(np.arange(40) < 10, 1 - LABELS, LABELS))
    given = (predictions(LABELS), device, np.zeros(2), np.zeros(2), None)
    one, same, fewer, other = (
        outcome(*given, resamples, seed)
        for resamples, seed in ((200, 0), (200, 0), (100, 0), (200, 1))
    )
    assert one == same
    for part in ("exact", "device", "comparison"):
        assert one[part]["interval"]["resamples"] == 200
        assert one[part]["interval"]["seed"] == 0
    assert one["device"] == evaluate(device, 200, 0)
    for changed in (fewer, other):
        assert changed["device"]["scores"] != one["device"]["scores"]
        assert changed["comparison"]["differences"] != one["comparison"]["differences"]
