from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import log_loss as oracle

from medqnn.errors import RunError
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import Predictions
from medqnn.study.search import log_loss, search
from medqnn.training.inputs import Inputs, load_inputs
from medqnn.training.recipe import load
from medqnn.training.sections import Recipe
from study.tiny import SETS


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def inputs(tiny_data: Path) -> Inputs:
    return load_inputs(recipe(), str(tiny_data))


def recipe(*sets: str) -> Recipe:
    return load("hqcnn-medmnist", (*SETS, "training.epochs=1", "data.channels=1", *sets))


def test_search_begins_with_the_recipe_itself_and_stays_within_its_space(
    inputs: Inputs, tmp_path: Path
) -> None:
    found = search(recipe(), "dense", inputs, 3, tmp_path / "s")
    first, *others = found["trials"]
    assert first["training.learning_rate"] == 0.001
    assert first["training.warmup_epochs"] == 0
    assert len(others) == 2
    for trial in found["trials"]:
        assert 1e-4 <= trial["training.learning_rate"] <= 1e-2
        assert trial["training.warmup_epochs"] in (0, 1, 3)
    assert found["loss"] == min(trial["loss"] for trial in found["trials"])
    best = next(trial for trial in found["trials"] if trial["loss"] == found["loss"])
    assert found["chosen"] == {key: value for key, value in best.items() if key != "loss"}


def test_interrupted_search_goes_on_to_the_same_result(inputs: Inputs, tmp_path: Path) -> None:
    whole = search(recipe(), "hybrid", inputs, 3, tmp_path / "whole")
    part = tmp_path / "part"
    search(recipe(), "hybrid", inputs, 2, part)
    assert len(pd.read_csv(part / "trials.csv")) == 2
    assert not list(part.glob("trial-*"))
    assert search(recipe(), "hybrid", inputs, 3, part) == whole


def test_search_never_looks_at_the_test_part(inputs: Inputs, tmp_path: Path) -> None:
    labels = inputs.labels.copy()
    labels[inputs.rows("test")] = 1 - labels[inputs.rows("test")]
    swapped = replace(inputs, labels=labels)
    a, b = (
        search(recipe(), "dense", given, 2, tmp_path / name)
        for name, given in (("a", inputs), ("b", swapped))
    )
    assert a == b


def test_trials_that_diverge_have_no_loss_and_are_not_chosen(
    inputs: Inputs, tmp_path: Path
) -> None:
    wild = recipe("training.optimizer=sgd", "training.learning_rate=1e30").model_copy(
        update={"tuning": recipe().tuning}
    )
    space = {"training.learning_rate": {"low": 1e29, "high": 1e31, "log": True}}
    every = wild.model_validate({**wild.model_dump(), "tuning": space})
    with pytest.raises(RunError, match="all 2 trials of dense diverged: narrow"):
        search(every, "dense", inputs, 2, tmp_path / "every")


def test_log_loss_is_scikit_learns() -> None:
    p = np.random.default_rng(0).dirichlet((1, 1, 1), 20)
    labels = np.arange(20) % 3
    ids = np.arange(20).astype(str)
    given = Predictions(ids, ids, labels, p, ("a", "b", "c"))
    assert log_loss(given) == pytest.approx(oracle(labels, p))
    present = np.stack([labels == 0, labels > 0], axis=1)
    findings = MultiLabelPredictions(ids, ids, present, p[:, :2], ("a", "b"))
    each = [oracle(present[:, k], p[:, k]) for k in (0, 1)]
    assert log_loss(findings) == pytest.approx(np.mean(each))
