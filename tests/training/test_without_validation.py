"""Runs that train on all that is not tested, for a fixed number of epochs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from medqnn.errors import RecipeError
from medqnn.report.html import write_report
from medqnn.training.folder import RunFolder
from medqnn.training.plan import start
from medqnn.training.run import proceed
from training.tiny import tiny_recipe

NONE = ("data.split.train=0.7", "data.split.val=0", "data.split.test=0.3")
FIXED = ("training.plateau_patience=null", "training.early_stopping=null")


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A complete run without a validation part."""
    recipe = tiny_recipe(*NONE, *FIXED, "training.cosine_decay=true", "training.epochs=3")
    begun = start(recipe, str(folder), tmp_path_factory.mktemp("all") / "run")
    proceed(begun)
    return begun


def test_every_image_is_trained_on_or_tested(run: RunFolder) -> None:
    parts = pd.read_csv(run.path / "split.csv")["part"]
    assert set(parts) == {"train", "test"}
    history = pd.read_csv(run.path / "hybrid" / "history.csv")
    assert not [name for name in history if name.startswith("val_")]
    assert not (run.path / "hybrid" / "validation.csv").exists()


def test_the_last_epoch_is_kept(run: RunFolder) -> None:
    metrics = run.read_json("hybrid/metrics.json")
    assert metrics["best_epoch"] == metrics["epochs"] == 3
    assert "operating_points" not in metrics, "thresholds are chosen on validation images"
    last = torch.load(run.path / "hybrid" / "checkpoints" / "last.ckpt", weights_only=True)
    kept = load_file(run.path / "hybrid" / "model.safetensors")
    assert all(torch.equal(last["state_dict"][f"model.{name}"], kept[name]) for name in kept)


def test_the_report_does_without(run: RunFolder) -> None:
    page = write_report(run.path).read_text(encoding="utf-8")
    assert 'id="curves"' in page


@pytest.mark.parametrize("key", ["plateau_patience", "early_stopping"])
def test_what_watches_validation_is_refused(folder: Path, tmp_path: Path, key: str) -> None:
    recipe = tiny_recipe(*NONE, *FIXED, f"training.{key}=2")
    with pytest.raises(RecipeError, match=f"set training.{key}=null"):
        start(recipe, str(folder), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_two_schedules_are_refused() -> None:
    with pytest.raises(RecipeError, match="plateau_patience=null"):
        tiny_recipe("training.cosine_decay=true")
