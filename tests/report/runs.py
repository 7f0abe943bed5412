"""Run folders as training leaves them, their scores computed by the evaluation itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from medqnn.data.table import NO_FINDING
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import (
    AnyPredictions,
    Predictions,
    read_predictions,
    write_predictions,
)
from medqnn.training.assess import compare_variants, localisation, score_variant
from medqnn.training.cases import ATTRIBUTES, keep_failures
from medqnn.training.folder import RunFolder, environment
from medqnn.training.sections import Evaluation

CLASSES = ("healthy", "meningioma", "glioma", "pituitary")
SIZE, GRID = 32, 8
SPEC = Evaluation(resamples=100)


def make_run(
    path: Path,
    *,
    variants: Sequence[str] = ("hybrid", "dense"),
    classes: Sequence[str] = CLASSES,
    attention: bool = True,
    patients_known: bool = True,
    synthetic: bool = True,
    multilabel: bool = False,
    rgb: bool = False,
    task: str = "all classes",
    benchmark: str | None = None,
    published: dict[str, Any] | None = None,
    attributes: bool = False,
) -> Path:
    """A complete run of 240 blobs of 60 patients; the first variant attends to them best.

    Without attention the images have no masks either. With `multilabel` an image shows its class
    and, of every third patient, the next one; the last class is "no finding". With `attributes`
    there are sex and age.
    """
    split = _split(classes, patients_known)
    if multilabel:
        split, classes = _with_findings(split, classes)
    test = split[split["part"] == "test"].reset_index(drop=True)
    rng = np.random.default_rng(0)
    images, tumours = _blobs(rng, test["label"] != classes[0])
    folder = RunFolder(path)
    data = _data_facts(split, classes, patients_known, synthetic)
    data |= {"multilabel": multilabel, "task": task, "benchmark": benchmark}
    facts = {"status": "complete", "system": "hqcm-ebtc", "variants": list(variants), "seed": 7}
    folder.write_json("run.json", facts | environment() | {"data": data})
    if attributes:
        _attributes(test).to_csv(path / ATTRIBUTES, index=False)
    for rank, name in enumerate(variants):
        (path / name).mkdir(parents=True)
        _write_validation(folder, name, rank, split, classes)
        _write_variant(folder, name, rank, test, tumours if attention else None, classes)
    comparisons = [compare_variants(folder, variants[0], b, SPEC, 0) for b in variants[1:]]
    folder.write_json("comparisons.json", comparisons)
    split.to_csv(path / "split.csv", index=False)
    if rgb:
        images = np.stack([images, images // 2, 255 - images], axis=-1)
    bytes_ = np.uint8(tumours if attention else tumours & False)

    def shown(rows: np.ndarray) -> dict[str, np.ndarray]:
        return {"images": images[rows], "masks": bytes_[rows]}

    for name in variants:
        predictions = read_predictions(path / name / "predictions.csv")
        keep_failures(folder, name, predictions, shown)
    if attention:
        ids = test["id"].to_numpy(str)
        np.savez(path / "panels.npz", ids=ids[:5], images=images[:5], masks=bytes_[:5])
    labels = [label.split("|")[0] for label in test["label"][5:13]]
    np.savez(path / "gallery.npz", labels=labels, images=images[5:13], masks=bytes_[5:13])
    about = {"title": "A system", "authors": "Somebody", "published": published or {}}
    (path / "recipe.yaml").write_text(yaml.safe_dump({"system": "hqcm-ebtc", "about": about}))
    return path


def _split(classes: Sequence[str], patients_known: bool) -> pd.DataFrame:
    """Four images a patient; 3 in 5 patients train, 1 validates; the first class is commonest."""
    number = np.arange(240)
    patient = number // 4
    ids = [f"{n:04d}" for n in number]
    return pd.DataFrame(
        {
            "id": ids,
            "label": [classes[p // 5 % (len(classes) + 1) % len(classes)] for p in patient],
            "patient": [f"P{p}" for p in patient] if patients_known else ids,
            "part": [("train", "train", "train", "val", "test")[p % 5] for p in patient],
        }
    )


def _with_findings(
    split: pd.DataFrame, classes: Sequence[str]
) -> tuple[pd.DataFrame, Sequence[str]]:
    """The split with the last class as no finding and second findings, and the findings."""
    findings = classes[:-1]
    following = dict(zip(findings, [*findings[1:], findings[0]], strict=True))
    labels = [
        NO_FINDING
        if label == classes[-1]
        else f"{label}|{following[label]}"
        if n // 4 % 3 == 0
        else label
        for n, label in enumerate(split["label"])
    ]
    return split.assign(label=labels), findings


def _data_facts(
    split: pd.DataFrame, classes: Sequence[str], patients_known: bool, synthetic: bool
) -> dict[str, Any]:
    return {
        "name": "blobs",
        "source": "blobs:240",
        "synthetic": synthetic,
        "fingerprint": "0123456789abcdef" * 4,
        "classes": list(classes),
        "images": len(split),
        "patients": split["patient"].nunique(),
        "patients_known": patients_known,
        "image_size": SIZE,
        "split_rule": "By patient, stratified by class.",
    }


def _blobs(rng: np.random.Generator, tumour: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 and masks bool (n, SIZE, SIZE): a disc in a larger one, where there is one."""
    y, x = np.mgrid[:SIZE, :SIZE]
    head = np.hypot(y - SIZE / 2, x - SIZE / 2) < 0.45 * SIZE
    centres = rng.uniform(0.35, 0.65, (len(tumour), 2)) * SIZE
    radii = rng.uniform(0.08, 0.2, len(tumour)) * SIZE * tumour.to_numpy()
    distance = np.hypot(*(axis - centres[:, i, None, None] for i, axis in enumerate((y, x))))
    masks = distance < radii[:, None, None]
    noise = rng.uniform(0, 30, masks.shape)
    return np.uint8(90 * head + 100 * masks + noise), masks


def _attributes(test: pd.DataFrame) -> pd.DataFrame:
    """Sex by patient, the last one's unknown; age by image."""
    sex = np.where(test.index // 4 % 3 == 0, "F", "M").astype(object)
    sex[-4:] = None
    return pd.DataFrame({"id": test["id"], "sex": sex, "age": 20 + test.index})


def _write_validation(
    folder: RunFolder, name: str, rank: int, split: pd.DataFrame, classes: Sequence[str]
) -> None:
    rows = split[split["part"] == "val"].reset_index(drop=True)
    answer = _findings if folder.facts()["data"]["multilabel"] else _predictions
    predictions = answer(np.random.default_rng(rank + 100), rows, classes, skill=2.0)
    write_predictions(folder.path / name / "validation.csv", predictions)


def _write_variant(
    folder: RunFolder,
    name: str,
    rank: int,
    test: pd.DataFrame,
    tumours: np.ndarray | None,
    classes: Sequence[str],
) -> None:
    rng = np.random.default_rng(rank + 1)
    path = folder.path / name
    multilabel = folder.facts()["data"]["multilabel"]
    answer = _findings if multilabel else _predictions
    predictions: AnyPredictions = answer(rng, test, classes, skill=2.0 - 0.4 * rank)
    write_predictions(path / "predictions.csv", predictions)
    if tumours is not None:
        cells = tumours.reshape(-1, GRID, SIZE // GRID, GRID, SIZE // GRID).mean(axis=(2, 4))
        logits = (9 * cells - 3 + rng.normal(0, 0.5 + rank, cells.shape)).astype(np.float16)
        np.savez(path / "attention.npz", ids=predictions.ids, maps=logits)
        table = localisation(predictions, logits, tumours, SPEC)
        table.to_csv(path / "localisation.csv", index=False)
    history = _history(rng)
    history.to_csv(path / "history.csv", index=False)
    costs = {"parameters": 1650123 + rank, "head_parameters": 150 + rank, "epochs": len(history)}
    costs |= {"best_epoch": int(history["val_loss"].idxmin()) + 1, "seconds_per_epoch": 3.25 + rank}
    folder.write_json(f"{name}/metrics.json", score_variant(folder, name, SPEC, 0) | costs)


def _predictions(
    rng: np.random.Generator, test: pd.DataFrame, classes: Sequence[str], skill: float
) -> Predictions:
    labels = test["label"].map(list(classes).index).to_numpy()
    logits = rng.normal(size=(len(test), len(classes))) + skill * np.eye(len(classes))[labels]
    odds = np.exp(logits)
    return Predictions(
        test["id"].to_numpy(),
        test["patient"].to_numpy(),
        labels,
        odds / odds.sum(axis=1, keepdims=True),
        tuple(classes),
    )


def _findings(
    rng: np.random.Generator, test: pd.DataFrame, findings: Sequence[str], skill: float
) -> MultiLabelPredictions:
    present = [[name in label.split("|") for name in findings] for label in test["label"]]
    labels = np.array(present)
    logits = rng.normal(size=labels.shape) + skill * (2 * labels - 1)
    return MultiLabelPredictions(
        test["id"].to_numpy(),
        test["patient"].to_numpy(),
        labels,
        1 / (1 + np.exp(-logits)),
        tuple(findings),
    )


def _history(rng: np.random.Generator, epochs: int = 12) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    falling = np.exp(-epoch / 5)
    return pd.DataFrame(
        {
            "epoch": epoch,
            "train_loss": 0.2 + falling,
            "val_loss": 0.4 + falling + rng.uniform(0, 0.1, epochs),
            "train_accuracy": 0.95 - 0.7 * falling,
            "val_accuracy": 0.85 - 0.6 * falling,
            "learning_rate": 0.01,
            "seconds": 3.25,
        }
    )


def read_json(path: Path) -> Any:
    return json.loads(path.read_text())
