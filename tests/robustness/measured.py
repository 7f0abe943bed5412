"""A run that was measured, made once a session."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from medqnn.models.output import Output
from medqnn.robustness.results import measure_run
from medqnn.training.folder import RunFolder
from medqnn.training.trained import Trained
from training.tiny import small_inputs


@pytest.fixture(scope="session")
def measured_run(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tiny run with its results; only to be read."""
    path = tmp_path_factory.getbasetemp() / "measured-run"
    if not path.exists():
        shutil.copytree(tiny_run, path)
        measure_run(RunFolder(path))
    return path


class Bright(nn.Module):
    """Answers by the mean brightness of two places, and attends to bright pixels."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))

    def forward(self, images: Tensor) -> Output:
        left, right = (side.flatten(1).mean(1) for side in images.split(8, dim=3))
        logits = self.slope * torch.stack([left, right], dim=1)
        return Output(logits, logits, 40 * (images - 0.6))


def bright(folder: Path, **slopes: float) -> Trained:
    """Squares' images (see `training.tiny.write_folder`) under such networks."""
    models = {name: Bright(slope).eval().requires_grad_(False) for name, slope in slopes.items()}
    return Trained(small_inputs(folder), dict(models))


def fake_logits(trained: Trained, rows: np.ndarray, seed: int) -> np.ndarray:
    """Logits of a network that is right more often than not."""
    random = np.random.default_rng(seed)
    labels, classes = trained.inputs.labels[rows], len(trained.inputs.classes)
    truth = labels if labels.ndim == 2 else np.eye(classes)[labels]
    return random.normal(size=(len(rows), classes)) + truth
