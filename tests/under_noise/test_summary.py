from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from medqnn.evaluation.paired_tests import paired_bootstrap
from medqnn.training.predict import predictions_of
from medqnn.training.trained import Trained
from medqnn.under_noise.measure import Answers, Key
from medqnn.under_noise.settings import IDEAL, Setting, devices
from medqnn.under_noise.summary import summary, table
from training.tiny import small_inputs, write_medmnist

NOISY, DRAWN = Setting("ibm-eagle", "none", None), Setting("exact", "none", 100)


@pytest.fixture(scope="module")
def trained(folder: Path) -> Trained:
    return Trained(small_inputs(folder, "evaluation.resamples=200"), {})


def answers_of(trained: Trained, rows: np.ndarray) -> dict[Key, Answers]:
    random = np.random.default_rng(0)
    size = len(rows), len(trained.inputs.classes)
    return {
        ("dense", IDEAL): Answers(random.normal(size=(1, *size)), float("nan")),
        ("hybrid", IDEAL): Answers(random.normal(size=(1, *size)), 0.0),
        ("hybrid", NOISY): Answers(random.normal(size=(1, *size)), 0.25),
        ("hybrid", DRAWN): Answers(random.normal(size=(3, *size)), 0.5),
    }


def test_the_table_holds_means_intervals_and_paired_differences(trained: Trained) -> None:
    inputs = trained.inputs
    rows = np.arange(len(inputs.labels))
    answers = answers_of(trained, rows)
    found = table(trained, rows, answers)
    keys = found[["variant", "device", "mitigation"]].itertuples(index=False, name=None)
    assert list(keys) == [(name, *setting[:2]) for name, setting in answers]
    right = {
        key: (one.logits.argmax(2) == inputs.labels[rows]).mean(1) for key, one in answers.items()
    }
    assert found["accuracy"].tolist() == pytest.approx([own.mean() for own in right.values()])
    drawn = found[found["shots"] == 100].iloc[0]
    assert drawn["sd"] == pytest.approx(np.std(right["hybrid", DRAWN], ddof=1))
    assert found["sd"].notna().sum() == 1
    assert found["deviation"].tolist() == pytest.approx([np.nan, 0, 0.25, 0.5], nan_ok=True)
    a, b = (
        predictions_of(inputs, rows, torch.from_numpy(answers["hybrid", setting].logits[0]))
        for setting in (NOISY, IDEAL)
    )
    expected = paired_bootstrap(a, b, 200, 0.95, inputs.recipe.seed).loc["accuracy"]
    row = found[found["device"] == "ibm-eagle"].iloc[0]
    ends = ["difference", "difference_low", "difference_high"]
    assert row[ends].tolist() == pytest.approx(expected[["difference", "low", "high"]].tolist())
    assert found[found["device"] == "exact"][ends].isna().sum().tolist() == [2, 2, 2]


def test_findings_count_by_their_share(tmp_path: Path) -> None:
    path = write_medmnist(tmp_path / "chest.npz", findings=3)
    trained = Trained(small_inputs(path, "data.classes=[]"), {})
    rows = trained.inputs.rows("test")
    answers = answers_of(trained, rows)
    found = table(trained, rows, answers)
    own = (answers["dense", IDEAL].logits[0] > 0) == (trained.inputs.labels[rows] > 0)
    assert found["accuracy"].iloc[0] == pytest.approx(own.mean())


def test_the_summary_names_devices_floor_and_what_was_trained_for(folder: Path) -> None:
    inputs = small_inputs(folder, "noise=ionq-aria")
    rows = inputs.rows("test")
    found = summary(Trained(inputs, {}), rows, devices(("quantinuum-h2",)))
    assert found["trained_for"] == "IonQ Aria"
    assert found["devices"]["quantinuum-h2"]["date"] == "2024-05-20"
    assert "memory error" in found["devices"]["quantinuum-h2"]["doubts"]
    labels = inputs.labels[rows]
    assert found["baseline"] == max(np.mean(labels == 0), np.mean(labels == 1))
    assert found["images"] == len(rows)
    assert summary(Trained(small_inputs(folder), {}), rows, devices())["trained_for"] is None
