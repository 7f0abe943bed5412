from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import Predictions

CLASSES = ("healthy", "meningioma", "glioma", "pituitary")


def simulate(
    images: int = 120, patients: int = 30, classes: int = 4, skill: float = 1.5, seed: int = 0
) -> Predictions:
    """Random predictions; ids, patients and labels depend on the sizes only, not on the seed."""
    truth, model = np.random.default_rng(99), np.random.default_rng(seed)
    labels = np.append(np.arange(classes), truth.integers(0, classes, images - classes))
    logits = model.normal(size=(images, classes))
    logits[np.arange(images), labels] += skill
    # Two decimals make ties, which rank statistics have to treat as scikit-learn does.
    p = np.round(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 2)
    return Predictions(
        ids=np.array([f"image{i:04d}" for i in range(images)]),
        patients=np.array([f"patient{i}" for i in truth.integers(0, patients, images)]),
        labels=labels,
        probabilities=p / p.sum(axis=1, keepdims=True),
        classes=CLASSES[:classes],
    )


def simulate_findings(
    images: int = 120, patients: int = 30, skill: float = 1.5, seed: int = 0
) -> MultiLabelPredictions:
    """Random predictions of four findings, the last one rare and never predicted."""
    truth, model = np.random.default_rng(99), np.random.default_rng(seed)
    labels = truth.random((images, 4)) < (0.5, 0.3, 0.2, 0.05)
    logits = model.normal(size=(images, 4)) + skill * labels - (0.5, 0.7, 1, 9)
    return MultiLabelPredictions(
        ids=np.array([f"image{i:04d}" for i in range(images)]),
        patients=np.array([f"patient{i}" for i in truth.integers(0, patients, images)]),
        labels=labels,
        probabilities=np.round(1 / (1 + np.exp(-logits)), 2),
        classes=("effusion", "mass", "nodule", "hernia"),
    )


@pytest.fixture
def make_predictions() -> Callable[..., Predictions]:
    return simulate


@pytest.fixture
def make_findings() -> Callable[..., MultiLabelPredictions]:
    return simulate_findings


@pytest.fixture
def findings() -> MultiLabelPredictions:
    return simulate_findings()


@pytest.fixture
def predictions() -> Predictions:
    return simulate()


@pytest.fixture
def five_images() -> Predictions:
    """Small enough to score by hand: class 2 never occurs, image 3 is wrong."""
    return Predictions(
        ids=np.array(["a", "b", "c", "d", "e"]),
        patients=np.array(["P", "P", "Q", "Q", "R"]),
        labels=np.array([0, 0, 0, 1, 1]),
        probabilities=np.array(
            [[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.4, 0.5, 0.1], [0.3, 0.7, 0.0], [0.2, 0.5, 0.3]]
        ),
        classes=("x", "y", "z"),
    )
