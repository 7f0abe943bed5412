from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from medqnn.errors import RunError
from medqnn.evaluation.predictions import read_predictions
from medqnn.training.folder import RunFolder
from medqnn.training.predict import predict
from medqnn.training.trained import load_trained


@pytest.fixture
def copy(tiny_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_run, tmp_path / "run"))


def change(path: Path, **facts: object) -> None:
    facts = json.loads((path / "run.json").read_text()) | facts
    (path / "run.json").write_text(json.dumps(facts))


def test_the_networks_answer_as_when_the_run_was_scored(tiny_run: Path) -> None:
    trained = load_trained(RunFolder(tiny_run))
    assert list(trained.models) == ["hybrid", "dense"]
    for name, model in trained.models.items():
        kept = read_predictions(tiny_run / name / "predictions.csv")
        again = predict(model, trained.inputs, "test")
        assert (again.predictions.ids == kept.ids).all()
        assert np.abs(again.predictions.probabilities - kept.probabilities).max() < 1e-6
        maps = np.load(tiny_run / name / "attention.npz")["maps"]
        assert again.attention is not None
        assert np.abs(again.attention - maps).max() < 1e-2


def test_weights_are_fixed_and_the_random_state_is_left_alone(tiny_run: Path) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    for model in load_trained(RunFolder(tiny_run)).models.values():
        assert not model.training
        assert not any(weight.requires_grad for weight in model.parameters())
    assert torch.equal(torch.random.get_rng_state(), before)


def test_other_data_are_refused(copy: Path) -> None:
    data = json.loads((copy / "run.json").read_text())["data"]
    change(copy, data=data | {"fingerprint": "0" * 64})
    with pytest.raises(RunError, match="have changed since it was trained"):
        load_trained(RunFolder(copy))


def test_an_unfinished_run_is_refused(copy: Path) -> None:
    change(copy, status="interrupted")
    with pytest.raises(RunError, match="is interrupted, not complete"):
        load_trained(RunFolder(copy))


@pytest.mark.parametrize("damage", ["missing", "cut", "of another network"])
def test_a_model_that_cannot_be_read_is_named(copy: Path, damage: str) -> None:
    path = copy / "dense" / "model.safetensors"
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    else:
        shutil.copy(copy / "hybrid" / "model.safetensors", path)
    with pytest.raises(RunError, match=r"model\.safetensors is missing or broken .*train it again"):
        load_trained(RunFolder(copy))
