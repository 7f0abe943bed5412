from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score

from cli.conftest import Medqnn
from medqnn.cli.show import console
from report.runs import make_run


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """Predictions of a model that medqnn has not made."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 60)
    scores = random.random((60, 3)) + np.eye(3)[labels]
    p = scores / scores.sum(1, keepdims=True)
    table = pd.DataFrame({"id": range(60), "patient": np.arange(60) // 3, "label": labels})
    path = tmp_path / "resnet.csv"
    table.assign(p_0=p[:, 0], p_1=p[:, 1], p_2=p[:, 2]).to_csv(path, index=False)
    return path


def test_run_is_shown_variant_beside_variant(medqnn: Medqnn, tiny_run: Path) -> None:
    done = medqnn("evaluate", tiny_run)
    assert done.code == 0
    for variant in ("hybrid", "dense"):
        scores = json.loads((tiny_run / variant / "metrics.json").read_text())["scores"]
        for score in ("accuracy", "auroc"):
            row = scores[score]
            assert f"{row['estimate']:.3f} ({row['low']:.3f} to {row['high']:.3f})" in done.out
    assert "16 test images of 4 patients" in done.out


def test_table_of_any_model_is_scored(medqnn: Medqnn, predictions: Path) -> None:
    done = medqnn("evaluate", predictions, "--resamples", 100)
    assert done.code == 0
    table = pd.read_csv(predictions)
    predicted = table[["p_0", "p_1", "p_2"]].to_numpy().argmax(1)
    assert f"{accuracy_score(table['label'], predicted):.3f} (" in done.out
    assert f"{f1_score(table['label'], predicted, average='macro'):.3f} (" in done.out
    assert "60 test images of 20 patients" in done.out
    assert "resnet" in done.out


def test_table_of_findings_is_scored(medqnn: Medqnn, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    labels = random.random((60, 2)) < 0.4
    p = (random.random((60, 2)) + 0.5 * labels) / 1.5
    table = pd.DataFrame({"id": range(60), "patient": np.arange(60) // 3})
    for k, name in enumerate(("mass", "node")):
        table[f"y_{k}:{name}"], table[f"p_{k}:{name}"] = labels[:, k].astype(int), p[:, k]
    table.to_csv(tmp_path / "chexnet.csv", index=False)
    done = medqnn("evaluate", tmp_path / "chexnet.csv", "--resamples", 100)
    assert done.code == 0, done
    row = next(line for line in done.out.splitlines() if "mass" in line)
    expected = [
        recall_score(labels[:, 0], p[:, 0] > 0.5),
        recall_score(~labels[:, 0], p[:, 0] <= 0.5),
        roc_auc_score(labels[:, 0], p[:, 0]),
    ]
    cells = ["mass", *(f"{value:.3f}" for value in expected), str(labels[:, 0].sum())]
    assert row.replace("│", " ").split() == cells
    assert f"{roc_auc_score(labels, p):.3f} (" in done.out


def test_many_networks_fit_the_terminal(
    medqnn: Medqnn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("hybrid", "dense", "matched", "product", "frozen", "none")
    run = make_run(tmp_path / "run", variants=names, benchmark="medmnist", task="all classes")
    monkeypatch.setattr(console, "width", 80)
    done = medqnn("evaluate", run)
    assert done.code == 0, done
    assert "…" not in done.out
    assert "task: all classes" in done.out
    metrics = json.loads((run / "dense" / "metrics.json").read_text())
    rows = [line.split("│") for line in done.out.splitlines() if "MedMNIST's" in line]
    scores = [f"{metrics['medmnist'][key]:.3f}" for key in ("acc", "auc")]
    assert [row[3].strip() for row in rows] == scores


def test_seed_of_the_bootstrap_counts(medqnn: Medqnn, predictions: Path) -> None:
    one, same, other = (
        medqnn("evaluate", predictions, "--resamples", 100, "--seed", seed).out
        for seed in (0, 0, 1)
    )
    assert one == same != other


def test_incomplete_run_is_refused_with_the_mend(
    fails: Callable[..., str], tiny_run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    facts = json.loads((tiny_run / "run.json").read_text())
    for status in ("running", "interrupted"):
        (run / "run.json").write_text(json.dumps(facts | {"status": status}))
        line = fails("evaluate", run)
        assert f"is {status}, not complete: finish it with `medqnn train {run}`" in line


def test_run_that_lacks_a_file_names_it(
    fails: Callable[..., str], tiny_run: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "dense" / "metrics.json").unlink()
    assert "has no dense/metrics.json" in fails("evaluate", run)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist: give a run"),
        ("", "cannot be read as a CSV file of predictions"),
        ("a,b\n1,2\n", "has no column id, patient, label"),
        ("id,patient,label\n1,2,0\n", "has the probability columns []"),
        ("id,patient,label,p_0,p_2\n1,2,0,0.5,0.5\n", "without a gap"),
        ("id,patient,label,p_0,p_1\n", "there are no predictions"),
        ("id,patient,label,p_0,p_1\n1,2,x,0.5,0.5\n", "column label has a value that is no int"),
        ("id,patient,label,p_0,p_1\n1,2,2,0.5,0.5\n", "has label 2, expected 0 to 1"),
        ("id,patient,label,p_0,p_1\n1,2,0,3.0,-1.0\n", "apply softmax to logits"),
        ("id,patient,label,p_0,p_1\n1,2,0,1,0\n1,2,0,1,0\n", "id '1' occurs 2 times"),
    ],
)
def test_wrong_table_is_one_line(
    fails: Callable[..., str], tmp_path: Path, content: str | None, message: str
) -> None:
    path = tmp_path / "wrong.csv"
    if content is not None:
        path.write_text(content)
    line = fails("evaluate", path)
    assert str(path) in line
    assert message in line
