"""A small run whose explanations were scored, made once a session."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from medqnn.explain.scores import Scores, read_scores, write_scores
from medqnn.training.fit import build_model
from medqnn.training.folder import RunFolder
from medqnn.training.trained import Trained
from training.tiny import small_inputs, write_folder

IMAGES = 6


class Scored(NamedTuple):
    folder: RunFolder
    trained: Trained
    scores: Scores


def untrained(folder: Path, *variants: str, overrides: tuple[str, ...] = ()) -> Trained:
    """Squares' images (see `training.tiny.write_folder`) under networks as before training."""
    inputs = small_inputs(folder, *overrides)
    models = {
        name: build_model(inputs.recipe, name, len(inputs.classes)).eval().requires_grad_(False)
        for name in variants
    }
    return Trained(inputs, models)


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    """Hybrid and dense on six of twelve test images; only to be read."""
    path = tmp_path_factory.getbasetemp() / "scored"
    if not path.exists():
        write_folder(path / "squares", patients=16)
    trained, folder = untrained(path / "squares", "hybrid", "dense"), RunFolder(path / "run")
    if not folder.path.exists():
        write_scores(folder, trained, IMAGES, 0)
    return Scored(folder, trained, read_scores(folder))
