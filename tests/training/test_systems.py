"""Every packaged recipe trains, scores and reports on data of its kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors.torch import load_file

from medqnn.evaluation.medmnist import medmnist_score
from medqnn.evaluation.predictions import read_predictions
from medqnn.layers import VARIANTS
from medqnn.report.html import write_report
from medqnn.training import recipe as recipes
from medqnn.training.folder import RunFolder
from medqnn.training.plan import start
from medqnn.training.run import proceed
from training.tiny import write_medmnist

QUICK = ("training.epochs=1", "training.batch_size=16", "evaluation.resamples=100")
MRI = ("hybrid-mri", "hybrid-mri-alzheimer", "hqcnn-gvco")


def test_finer_attention_trains_on_the_phantom(tmp_path: Path) -> None:
    sizes = ("data.image_size=32", "model.widths=[8,8,8,8]", "model.attention_width=8")
    folder = train("hqcm-ebtc-plus", Path("phantom:48"), tmp_path / "run", *sizes)
    scores = folder.read_json("hybrid/metrics.json")
    assert set(scores["localisation"]) >= {"jaccard@0.99", "jaccard@q0.99"}
    assert scores["best_epoch"] == scores["epochs"] == 1
    with np.load(folder.path / "hybrid" / "attention.npz") as kept:
        assert kept["maps"].shape[1:] == (16, 16), "half the image's side"


def train(name: str, source: Path, path: Path, *overrides: str) -> RunFolder:
    folder = start(recipes.load(name, (*QUICK, *overrides)), str(source), path)
    proceed(folder)
    write_report(folder.path)
    return folder


@pytest.fixture(scope="module")
def class_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`Training` and `Testing` of two classes, each brighter on another side."""
    root = tmp_path_factory.mktemp("mri")
    random = np.random.default_rng(0)
    for part, count in (("Training", 24), ("Testing", 8)):
        for label, name in enumerate(("glioma", "notumor")):
            folder = root / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 100, (20, 20), dtype=np.uint8)
                pixels[:, 10 * label : 10 * label + 10] += 100
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return root


@pytest.mark.parametrize("name", MRI)
def test_mri_recipes_train_on_class_folders(name: str, class_folders: Path, tmp_path: Path) -> None:
    folder = train(name, class_folders, tmp_path / "run", "data.image_size=32")
    facts = folder.require_complete()
    assert facts["data"]["classes"] == ["glioma", "notumor"]
    assert facts["data"]["task"] == "2 classes"
    for variant in ("hybrid", "dense"):
        scores = folder.read_json(f"{variant}/metrics.json")
        assert scores["images"] == 16
        assert "localisation" not in scores
        assert "medmnist" not in scores
        assert not (folder.path / variant / "attention.npz").exists()
    assert not (folder.path / "panels.npz").exists()


def test_all_twins_of_the_quantum_convolution_train(class_folders: Path, tmp_path: Path) -> None:
    every = f"variants=[{','.join(VARIANTS)}]"
    folder = train("hqcnn-gvco", class_folders, tmp_path / "run", "data.image_size=32", every)
    assert [row["b"] for row in folder.read_json("comparisons.json")] == list(VARIANTS)[1:]


def test_medmnist_recipe_asks_one_group_against_the_rest(tmp_path: Path) -> None:
    source = write_medmnist(tmp_path / "bloodmnist.npz", classes=8, channels=3)
    folder = train("hqcnn-medmnist", source, tmp_path / "run", "variants=[hybrid]")
    data = folder.facts()["data"]
    assert data["benchmark"] == "medmnist"
    assert data["task"] == "eosinophil + erythroblast against the rest"
    predictions = read_predictions(folder.path / "hybrid" / "predictions.csv")
    assert predictions.labels.sum() == 24 // 8 * 2
    scores = folder.read_json("hybrid/metrics.json")
    assert scores["medmnist"] == pytest.approx(medmnist_score(predictions))
    weights = load_file(folder.path / "hybrid" / "model.safetensors")
    assert weights["convolutions.0.weight"].shape[1] == 3
    assert recipes.load(str(folder.path / "recipe.yaml")).data.channels == 3
    with np.load(folder.path / "gallery.npz") as gallery:
        assert gallery["images"].shape[1:] == (28, 28, 3)


def test_medmnist_recipe_takes_two_classes_or_all(tmp_path: Path) -> None:
    source = write_medmnist(tmp_path / "octmnist.npz", classes=4)
    hybrid = "variants=[hybrid]"
    two = train("hqcnn-medmnist", source, tmp_path / "two", hybrid, "data.task=two-classes")
    assert two.facts()["data"]["images"] == 88 // 2
    assert len(two.facts()["data"]["classes"]) == 2
    every = train("hqcnn-medmnist", source, tmp_path / "all", hybrid, "data.task=all-classes")
    assert len(every.facts()["data"]["classes"]) == 4
    assert every.facts()["data"]["images"] == 88


def test_medmnist_recipe_reads_findings_that_stand_together(tmp_path: Path) -> None:
    source = write_medmnist(tmp_path / "chestmnist.npz", findings=14)
    folder = train("hqcnn-medmnist", source, tmp_path / "run")
    facts = folder.facts()["data"]
    assert facts["multilabel"]
    assert facts["task"] == "14 findings, each present or absent"
    written = pd.read_csv(folder.path / "hybrid" / "predictions.csv", dtype={"id": str})
    with np.load(source) as arrays:
        truth = arrays["test_labels"]
    shown = written[[title for title in written.columns if title.startswith("y_")]]
    assert (shown.to_numpy() == truth).all()
    present = written[[title for title in written.columns if title.startswith("p_")]].to_numpy()
    assert present.sum(axis=1).std() > 0  # each on its own, not shares of one
    scores = folder.read_json("hybrid/metrics.json")
    assert 0 <= scores["medmnist"]["auc"] <= 1
