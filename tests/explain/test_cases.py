from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from medqnn.errors import RunError
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import Predictions, read_predictions, write_predictions
from medqnn.explain import cases
from medqnn.explain.cases import (
    by_confidence,
    by_overlap,
    errors,
    pair,
    read_cases,
    write_cases,
)
from medqnn.explain.methods import METHODS
from medqnn.models import SYSTEMS
from medqnn.training.folder import RunFolder
from medqnn.training.predict import predict
from medqnn.training.trained import Trained, load_trained
from training.tiny import small_inputs, write_folder


@pytest.fixture(scope="module")
def trained(tiny_run: Path) -> Trained:
    return load_trained(RunFolder(tiny_run))


@pytest.fixture(scope="module")
def explained(
    tiny_run: Path, trained: Trained, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    """A copy of the tiny run with its cases; only to be read."""
    path = tmp_path_factory.mktemp("cases") / "run"
    folder = RunFolder(Path(shutil.copytree(tiny_run, path)))
    write_cases(folder, trained)
    return folder


@pytest.fixture(scope="module")
def unattended(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Trained]:
    """Untrained networks of a system without attention, and their cases."""
    root = tmp_path_factory.mktemp("unattended")
    inputs = small_inputs(write_folder(root / "squares"))
    torch.manual_seed(0)
    model = SYSTEMS["hybrid-mri"]
    models = {
        name: model(2, 16, widths=(4, 4, 8), variant=name).eval().requires_grad_(False)
        for name in ("dense", "hybrid")
    }
    folder = RunFolder(root / "run")
    for name, own in models.items():
        (folder.path / name).mkdir(parents=True)
        predictions = predict(own, inputs, "test").predictions
        write_predictions(folder.path / name / "predictions.csv", predictions)
    write_cases(folder, Trained(inputs, dict(models)))
    return folder, Trained(inputs, dict(models))


def test_the_hybrid_comes_first_and_then_the_first_twin() -> None:
    assert pair(["dense", "hybrid", "none"]) == ("hybrid", "dense")
    assert pair(["matched", "dense"]) == ("matched", "dense")
    assert pair(["hybrid"]) == ("hybrid", None)


def test_groups_by_overlap_are_highest_middle_lowest() -> None:
    indices = pd.Series({f"{i:02d}": value for i, value in enumerate([5, 1, 9, 0, 7, 3, 8, 2, 6])})
    assert by_overlap(indices) == {
        "best": ["02", "06", "04"],
        "median": ["08", "00", "05"],
        "worst": ["03", "01", "07"],
    }


def test_few_images_are_in_one_group_at_most() -> None:
    found = by_overlap(pd.Series({"a": 0.1, "b": 0.9, "c": 0.5, "d": 0.5}))
    assert found == {"best": ["b"], "median": ["c"], "worst": ["a"]}


def test_groups_by_confidence_hold_the_surest_and_the_least_sure() -> None:
    p = np.array([0.9, 0.2, 0.55, 0.35, 0.99, 0.7, 0.6, 0.8])
    ids, labels = np.array(list("abcdefgh")), np.array([0, 0, 0, 0, 0, 0, 1, 1])
    predictions = Predictions(ids, ids, labels, np.stack([p, 1 - p], axis=1), ("x", "y"))
    assert by_confidence(predictions) == {
        "surest right": ["e", "a", "f"],
        "least sure": ["c", "g", "d"],
        "surest wrong": ["b", "h", "d"],
    }


def test_of_findings_the_likeliest_counts() -> None:
    probabilities = np.array([[0.9, 0.1], [0.3, 0.2], [0.4, 0.8], [0.45, 0.1]])
    labels = np.array([[True, False], [True, True], [True, False], [False, False]])
    ids = np.array(list("abcd"))
    found = by_confidence(MultiLabelPredictions(ids, ids, labels, probabilities, ("x", "y")))
    assert found["surest right"] == ["a", "b"]
    assert found["surest wrong"] == ["c", "d"]
    assert found["least sure"] == ["d", "b", "c"]


def test_errors_are_the_networks_own_and_then_its_twins() -> None:
    ids, labels = np.array(list("abcd")), np.zeros(4, dtype=np.int64)
    own, twin = (
        Predictions(ids, ids, labels, np.stack([p, 1 - p], axis=1), ("x", "y"))
        for p in (np.array([0.9, 0.4, 0.1, 0.8]), np.array([0.3, 0.2, 0.8, 0.6]))
    )
    assert errors([own, twin]) == ["c", "b", "a"]
    findings = MultiLabelPredictions(ids, ids, labels[:, None] > 0, np.ones((4, 1)), ("x",))
    assert errors([findings]) == []


def test_cases_of_a_run_are_chosen_by_its_own_scores(explained: RunFolder) -> None:
    found = read_cases(explained)
    assert found is not None
    assert (found.network, found.measure) == ("hybrid", "jaccard@q0.99")
    table = pd.read_csv(explained.path / "hybrid" / "localisation.csv", dtype={"id": str})
    scores = table.set_index("id")[found.measure]
    assert scores[found.groups["best"]].tolist() == scores.nlargest(3).tolist()
    assert scores[found.groups["worst"]].tolist() == scores.nsmallest(3).tolist()
    assert found.maps == {}
    both = [
        read_predictions(explained.path / name / "predictions.csv") for name in ("hybrid", "dense")
    ]
    assert set(found.errors) == {name for own in both for name in own.ids[~own.correct]}
    assert found.all_errors == len(found.errors) > 0


def test_pixels_and_masks_are_those_of_their_images(explained: RunFolder, trained: Trained) -> None:
    found = read_cases(explained)
    assert found is not None
    assert len(set(found.ids)) == len(found.ids)
    assert set(found.ids) == {*found.errors, *(i for ids in found.groups.values() for i in ids)}
    decoded, ids = trained.inputs.decoded, trained.inputs.table.rows["id"].tolist()
    for name, image, mask in zip(found.ids, found.images, found.masks, strict=True):
        row = ids.index(name)
        np.testing.assert_array_equal(image, decoded.images[row, 0])
        np.testing.assert_array_equal(mask, decoded.masks[row])


def test_more_errors_than_the_page_bears_are_counted(
    explained: RunFolder, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(Path(shutil.copytree(explained.path, tmp_path / "run")))
    before = read_cases(folder)
    monkeypatch.setattr(cases, "MOST_ERRORS", 2)
    write_cases(folder, trained)
    found = read_cases(folder)
    assert before is not None
    assert found is not None
    assert found.errors == before.errors[:2]
    assert found.all_errors == before.all_errors
    assert set(found.ids) < set(before.ids)


def test_without_attention_there_are_maps_of_the_answer(
    unattended: tuple[RunFolder, Trained],
) -> None:
    folder, trained = unattended
    found = read_cases(folder)
    assert found is not None
    assert (found.network, found.measure) == ("hybrid", "confidence")
    assert list(found.groups) == ["surest right", "least sure", "surest wrong"]
    images = torch.from_numpy(found.images)[:, None].float() / 255
    for name, maps in found.maps.items():
        model = trained.models[name]
        expected = METHODS["grad-cam"](model, images, model(images).logits.argmax(1))
        assert maps.shape == found.masks.shape
        np.testing.assert_allclose(maps, expected.numpy(), atol=1e-2)
    assert set(found.maps) == {"hybrid", "dense"}
    assert found.maps["hybrid"].any()


def test_the_same_run_gives_the_same_file(explained: RunFolder, trained: Trained) -> None:
    first = (explained.path / cases.FILE).read_bytes()
    write_cases(explained, trained)
    assert (explained.path / cases.FILE).read_bytes() == first


def test_a_run_without_cases_has_none_and_a_broken_file_is_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert read_cases(folder) is None
    (tmp_path / cases.FILE).write_bytes(b"PK\3\4 and no more")
    with pytest.raises(RunError, match=r"cases\.npz is broken .*medqnn explain"):
        read_cases(folder)
    with (tmp_path / cases.FILE).open("wb") as file:
        np.savez(file, ids=np.array(["a"]))
    with pytest.raises(RunError, match=r"cases\.npz is broken .*network"):
        read_cases(folder)
