from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from medqnn.errors import DataError, RecipeError
from medqnn.training.inputs import Inputs, load_inputs
from medqnn.training.recipe import load
from training.tiny import (
    read_index,
    small_inputs,
    tiny_recipe,
    write_folder,
    write_index,
    write_medmnist,
)


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    """A copy of the images that a test may change."""
    return shutil.copytree(folder, tmp_path / "own")


def add(root: Path, **columns: object) -> None:
    write_index(root, read_index(root).assign(**columns))


def parts(inputs: Inputs, column: str) -> dict[str, set]:
    rows = inputs.table.rows
    return {part: set(rows[column].iloc[inputs.rows(part)]) for part in ("train", "val", "test")}


def test_classes_and_labels_follow_the_recipe(folder: Path) -> None:
    """The index names glioma first, the recipe healthy; meningioma and pituitary are lacking."""
    inputs = small_inputs(folder)
    assert inputs.classes == ("healthy", "glioma")
    names = np.array(inputs.classes)[inputs.labels]
    assert names.tolist() == inputs.table.rows["label"].tolist()
    assert inputs.labels.dtype == np.int64


def test_parts_hold_every_row_once(folder: Path) -> None:
    inputs = small_inputs(folder)
    rows = np.concatenate([inputs.rows(part) for part in ("train", "val", "test")])
    assert sorted(rows) == list(range(32))
    assert all((np.diff(inputs.rows(part)) > 0).all() for part in ("train", "val", "test"))


def test_patients_are_drawn_by_default(folder: Path) -> None:
    inputs = small_inputs(folder)
    patients = parts(inputs, "patient")
    assert inputs.split_rule == "by patient, stratified by class"
    assert sum(map(len, patients.values())) == 16
    assert not small_inputs(folder, "seed=1").split.equals(inputs.split)


def test_unknown_patients_are_said_to_be_unknown(own: Path) -> None:
    write_index(own, read_index(own).drop(columns="patient"))
    inputs = small_inputs(own)
    assert inputs.split_rule.startswith("by image, stratified by class: ")
    assert not inputs.facts("x")["patients_known"]


def test_split_of_the_set_goes_first(own: Path) -> None:
    numbers = read_index(own)["patient"].str.rsplit("-").str[1].astype(int)
    given = numbers.map(lambda n: "test" if n < 3 else "val" if n < 5 else "train")
    add(own, split=given)
    inputs = small_inputs(own)
    assert inputs.split.tolist() == given.tolist()
    assert inputs.split_rule == "as the data set gives it"
    assert not small_inputs(own, "data.split.by=patient").split.eq(given).all()


def test_given_split_without_validation_draws_it_from_training(own: Path) -> None:
    numbers = read_index(own)["patient"].str.rsplit("-").str[1].astype(int)
    add(own, split=np.where(numbers < 2, "test", "train"))
    patients = parts(small_inputs(own), "patient")
    assert patients["test"] == {"glioma-0", "glioma-1", "healthy-0", "healthy-1"}
    assert patients["val"]
    assert not patients["val"] & patients["train"]


def test_folds_are_taken_when_asked_for(own: Path) -> None:
    fold = read_index(own)["patient"].str.rsplit("-").str[1].astype(int) % 4 + 1
    add(own, fold=fold)
    assert small_inputs(own).split_rule.startswith("by patient")
    drawn = small_inputs(own, "data.split.test_folds=[2]")
    assert parts(drawn, "fold")["test"] == {2}
    assert drawn.split_rule == (
        "by the data set's folds: training 1, 3, 4; "
        f"validation {', '.join(map(str, sorted(parts(drawn, 'fold')['val'])))}; test 2"
    )
    whole = small_inputs(own, "data.split.test_folds=[2]", "data.split.val_folds=[1]")
    assert parts(whole, "fold") == {"train": {3, 4}, "val": {1}, "test": {2}}
    assert whole.split_rule == "by the data set's folds: training 3, 4; validation 1; test 2"
    last = small_inputs(own, "data.split.by=fold")
    assert parts(last, "fold")["test"] == {4}


def test_folds_keep_unknown_patients_together(own: Path) -> None:
    fold = read_index(own)["patient"].str.rsplit("-").str[1].astype(int) % 4 + 1
    write_index(own, read_index(own).drop(columns="patient").assign(fold=fold))
    assert parts(small_inputs(own), "fold") == {"train": {1, 2}, "val": {3}, "test": {4}}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.split.by=given", "have no split"),
        ("data.split.by=fold", "have no fold"),
        ("data.split.test_folds=[1]", "have no fold"),
        ("data.split.val_folds=[1]", "have no fold"),
    ],
)
def test_division_that_the_set_lacks_is_refused(folder: Path, override: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        small_inputs(folder, override)


def test_labels_that_the_recipe_does_not_know_are_named(own: Path) -> None:
    add(own, label=read_index(own)["label"].replace("glioma", "gliom"))
    message = r"does not know \(gliom\): rename them to healthy, meningioma, .*data\.classes"
    with pytest.raises(DataError, match=message):
        small_inputs(own)


def test_one_class_is_too_few(own: Path) -> None:
    add(own, label="glioma")
    with pytest.raises(DataError, match="has one class only, glioma: give two at least"):
        small_inputs(own)


def test_class_with_too_few_images_is_refused_before_decoding(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "few", patients=2)

    def never(items: object, total: int) -> None:
        raise AssertionError("decoded although the split failed")

    with pytest.raises(DataError, match=r"class '.*' has 4 images of 2 patients, and none in"):
        load_inputs(tiny_recipe(), str(root), never)


def test_facts_tell_what_the_data_are(folder: Path) -> None:
    inputs = small_inputs(folder)
    assert inputs.facts("here") == {
        "name": "squares",
        "source": "here",
        "synthetic": False,
        "fingerprint": inputs.decoded.fingerprint,
        "classes": ["healthy", "glioma"],
        "images": 32,
        "patients": 16,
        "patients_known": True,
        "image_size": 16,
        "split_rule": "by patient, stratified by class",
        "task": "2 classes",
        "benchmark": None,
        "multilabel": False,
        "skipped": 0,
    }


def test_recipe_decides_the_pixels(folder: Path) -> None:
    assert small_inputs(folder, "data.image_size=24").decoded.images.shape == (32, 1, 24, 24)
    assert small_inputs(folder, "data.channels=3").decoded.images.shape == (32, 3, 16, 16)


def medmnist(path: Path, *overrides: str) -> Inputs:
    return load_inputs(load("hqcnn-medmnist", overrides), str(path))


def test_group_against_the_rest_is_named_by_data_set(tmp_path: Path) -> None:
    blood = medmnist(write_medmnist(tmp_path / "bloodmnist.npz", classes=8))
    assert blood.classes == ("rest", "eosinophil + erythroblast")
    assert blood.labels.sum() == 88 // 8 * 2
    other = write_medmnist(tmp_path / "mine.npz", classes=8)
    given = medmnist(other, "data.positives.mine=[0, 7]")
    assert given.classes == ("rest", "0 + 7")


def test_group_that_nobody_named_is_asked_for(tmp_path: Path) -> None:
    path = write_medmnist(tmp_path / "mine.npz", classes=3)
    with pytest.raises(RecipeError, match=r"data\.positives\.mine=\[1,2\], out of 0 0, 1 1, 2 2"):
        medmnist(path)


def test_two_classes_are_those_of_the_recipe_or_the_first(tmp_path: Path) -> None:
    path = write_medmnist(tmp_path / "octmnist.npz", classes=4)
    names = medmnist(path, "data.task=all-classes").classes
    assert medmnist(path, "data.task=two-classes").classes == names[:2]
    pair = f"data.classes=['{names[3]}', '{names[1]}']"
    assert medmnist(path, "data.task=two-classes", pair).classes == (names[3], names[1])


def test_binary_set_stays_as_it_is(tmp_path: Path) -> None:
    inputs = medmnist(write_medmnist(tmp_path / "pneumoniamnist.npz", classes=2))
    assert inputs.classes == ("normal", "pneumonia")
    assert inputs.task == "2 classes"


def test_findings_become_columns(tmp_path: Path) -> None:
    path = write_medmnist(tmp_path / "chestmnist.npz", findings=14)
    inputs = medmnist(path)
    with np.load(path) as arrays:
        truth = np.concatenate([arrays[f"{part}_labels"] for part in ("train", "val", "test")])
    assert inputs.labels.dtype == np.float32
    assert (inputs.labels == truth).all()
    assert (inputs.labels[inputs.rows("test", 3), 3] == 1).all()
    assert len(inputs.rows("test", 3)) == truth[-24:, 3].sum()


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_are_the_images_if_the_recipe_leaves_them_open(
    tmp_path: Path, channels: int
) -> None:
    inputs = medmnist(write_medmnist(tmp_path / "breastmnist.npz", 2, channels))
    assert inputs.recipe.data.channels == channels
    assert inputs.decoded.images.shape[1] == channels


def test_images_that_cannot_be_used_are_left_out_if_asked(own: Path) -> None:
    (own / "glioma-3.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"glioma-3\.png .*--skip-bad"):
        small_inputs(own)
    inputs = load_inputs(tiny_recipe(), str(own), skip_bad=True)
    assert [one.id for one in inputs.skipped] == ["glioma-3.png"]
    assert "cannot read" in inputs.skipped[0].reason
    assert "glioma-3.png" not in set(inputs.table.rows["id"])
    every = sum(len(inputs.rows(part)) for part in ("train", "val", "test"))
    assert every == len(inputs.labels) == len(inputs.decoded.images) == 31
    assert inputs.facts("x")["skipped"] == 1
