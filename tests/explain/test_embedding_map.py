from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import silhouette_score
from torch import Tensor, nn

from medqnn.errors import RunError
from medqnn.evaluation.intervals import cluster_bootstrap
from medqnn.explain import embedding_map
from medqnn.explain.embedding_map import (
    ARRAYS,
    NUMBERS,
    perplexity_of,
    plane,
    read_embedding,
    write_embedding,
)
from medqnn.explain.separation import right_by_neighbours, silhouettes
from medqnn.training.fit import build_model
from medqnn.training.folder import RunFolder
from medqnn.training.trained import Trained
from training.tiny import small_inputs, write_folder

ENDS = ("estimate", "low", "high")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Untrained networks; several test patients of each class."""
    inputs = small_inputs(write_folder(tmp_path_factory.mktemp("map") / "squares", patients=20))
    names = ("dense", "hybrid")
    models = {name: build_model(inputs.recipe, name, 2).eval() for name in names}
    return Trained(inputs, {name: own.requires_grad_(False) for name, own in models.items()})


@pytest.fixture(scope="module")
def mapped(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A folder with their map; only to be read."""
    folder = RunFolder(tmp_path_factory.mktemp("mapped"))
    write_embedding(folder, trained)
    return folder


def heard(part: nn.Module, model: nn.Module, images: Tensor) -> Tensor:
    """What a part of a model reads."""
    seen: list[Tensor] = []
    with part.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0])):
        model(images)
    return seen[0]


def test_features_are_what_the_classifier_reads(mapped: RunFolder, trained: Trained) -> None:
    rows = trained.inputs.rows("test")
    images = torch.from_numpy(trained.inputs.decoded.images[rows]).float() / 255
    with np.load(mapped.path / ARRAYS) as kept:
        assert kept["ids"].tolist() == trained.inputs.table.rows["id"].iloc[rows].tolist()
        assert kept["labels"].tolist() == trained.inputs.labels[rows].tolist()
        for name, model in trained.models.items():
            seen = heard(model.classifier, model, images)
            np.testing.assert_allclose(kept[f"{name}/features"], seen.numpy(), atol=1e-5)
            assert kept[f"{name}/map"].shape == (len(rows), 2)


def test_numbers_are_those_of_features_and_map(mapped: RunFolder, trained: Trained) -> None:
    found = read_embedding(mapped)
    assert found is not None
    numbers, inputs = found.numbers, trained.inputs
    rows = inputs.rows("test")
    patients = inputs.table.rows["patient"].to_numpy()[rows]
    labels, ones = inputs.labels[rows], np.ones((1, len(rows)))
    with np.load(mapped.path / ARRAYS) as kept:
        for name, own in numbers["variants"].items():
            features = kept[f"{name}/features"]
            each = silhouettes(features, labels, patients)(ones)[0]
            assert own["silhouette"]["estimate"] == pytest.approx(each.mean())
            on_map = silhouettes(found.maps[name], labels, patients)(ones)[0]
            assert own["silhouette on the map"]["estimate"] == pytest.approx(on_map.mean())
            right = right_by_neighbours(features, labels, patients)
            assert own["right by neighbours"]["estimate"] == pytest.approx(right.mean())
            for number, label in enumerate(inputs.classes):
                of_class = own[f"silhouette[{label}]"]["estimate"]
                assert of_class == pytest.approx(each[labels == number].mean())
    assert (numbers["images"], numbers["patients"]) == (len(rows), len(set(patients)))


def test_differences_are_paired_and_of_the_hybrid(mapped: RunFolder) -> None:
    numbers = json.loads((mapped.path / NUMBERS).read_text())
    assert numbers["reference"] == "hybrid"
    hybrid, dense = (numbers["variants"][name] for name in ("hybrid", "dense"))
    for measure, ends in numbers["differences"]["dense"].items():
        gap = hybrid[measure]["estimate"] - dense[measure]["estimate"]
        assert ends["estimate"] == pytest.approx(gap)
        assert ends["low"] <= ends["high"]


def test_intervals_are_over_patients_and_differences_paired(trained: Trained) -> None:
    inputs, rows = trained.inputs, trained.inputs.rows("test")
    patients, labels = inputs.table.rows["patient"].to_numpy()[rows], inputs.labels[rows]
    random = np.random.default_rng(0)
    points = random.normal(size=(len(rows), 3)) + labels[:, None]
    spaces = {"dense": points, "hybrid": points}
    numbers = embedding_map._numbers(inputs, rows, spaces, spaces)
    assert numbers["interval"]["method"] == "percentile bootstrap over patients"
    each = silhouettes(points, labels, patients)

    def mean(weights: np.ndarray) -> pd.DataFrame:
        own = (each(weights) * weights).sum(axis=1) / weights.sum(axis=1)
        return pd.DataFrame({"silhouette": own})

    spec = inputs.recipe
    (expected,) = cluster_bootstrap(
        mean, patients, spec.evaluation.resamples, seed=spec.seed
    ).values
    for own in numbers["variants"].values():
        assert [own["silhouette"][end] for end in ENDS] == pytest.approx(expected.tolist())
    assert expected[1] < expected[0] < expected[2]
    for ends in numbers["differences"]["dense"].values():
        assert ends == dict.fromkeys(ENDS, 0.0)


def test_the_same_run_gives_the_same_files(
    mapped: RunFolder, trained: Trained, tmp_path: Path
) -> None:
    again = RunFolder(tmp_path)
    write_embedding(again, trained)
    for name in (ARRAYS, NUMBERS):
        assert (again.path / name).read_bytes() == (mapped.path / name).read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == [NUMBERS, ARRAYS]


def test_classes_apart_stay_apart_in_the_plane() -> None:
    random, labels = np.random.default_rng(0), np.repeat([0, 1, 2], 12)
    features = (random.normal(size=(36, 8)) + 30 * np.eye(8)[labels]).astype(np.float32)
    assert silhouette_score(plane(features, 0), labels) > 0.6


@pytest.mark.parametrize("columns", [1, 2])
def test_few_columns_make_a_plane_too(columns: int) -> None:
    features = np.random.default_rng(0).normal(size=(4, columns)).astype(np.float32)
    assert np.isfinite(plane(features, 0)).all()


def test_features_that_are_all_alike_lie_in_one_place() -> None:
    assert not plane(np.full((9, 4), 0.3, np.float32), 0).any()


def test_perplexity_is_30_or_fits_the_images() -> None:
    assert perplexity_of(613) == 30
    assert perplexity_of(10) == 3


def test_of_many_images_a_part_is_drawn(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding_map, "LIMIT", 9)
    write_embedding(RunFolder(tmp_path), trained)
    found = read_embedding(RunFolder(tmp_path))
    assert found is not None
    assert (found.numbers["images"], len(found.labels)) == (9, 9)
    assert found.numbers["test_images"] == len(trained.inputs.rows("test"))


def test_findings_and_very_few_images_have_no_map(trained: Trained, tmp_path: Path) -> None:
    inputs = trained.inputs
    findings = replace(inputs, table=replace(inputs.table, multilabel=True))
    few = replace(inputs, split=inputs.split.where(np.arange(len(inputs.split)) < 3, "train"))
    few.split.iloc[:3] = "test"
    for other in (findings, few):
        write_embedding(RunFolder(tmp_path), Trained(other, trained.models))
    assert read_embedding(RunFolder(tmp_path)) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["gone", "cut", "network"])
def test_a_broken_map_is_named_with_the_mend(
    mapped: RunFolder, tmp_path: Path, damage: str
) -> None:
    folder = RunFolder(Path(shutil.copytree(mapped.path, tmp_path / "run")))
    if damage == "gone":
        (folder.path / ARRAYS).unlink()
    elif damage == "cut":
        (folder.path / ARRAYS).write_bytes((folder.path / ARRAYS).read_bytes()[:99])
    else:
        numbers = folder.read_json(NUMBERS)
        folder.write_json(NUMBERS, numbers | {"variants": {"none": {}}})
    with pytest.raises(RunError, match=r"embedding\.npz is missing or broken .*medqnn explain"):
        read_embedding(folder)
