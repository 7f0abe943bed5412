from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from medqnn.errors import DataError
from medqnn.explain.new_set import chosen, open_set
from medqnn.training import recipe as recipes
from medqnn.training.folder import RunFolder
from training.tiny import (
    read_index,
    small_inputs,
    tiny_recipe,
    write_folder,
    write_index,
    write_medmnist,
)

CLASSES = ["healthy", "meningioma", "glioma"]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """What `open_set` asks of a complete run, of images of 16×16 pixels."""
    folder = RunFolder(tmp_path / "run")
    recipe = recipes.dump(tiny_recipe())
    folder.write("recipe.yaml", lambda path: path.write_text(recipe, encoding="utf-8"))
    data = {"classes": CLASSES, "task": "3 classes", "multilabel": False, "fingerprint": "0"}
    folder.write_json("run.json", {"status": "complete", "variants": ["hybrid"], "data": data})
    return folder


def change(run: RunFolder, **data: object) -> None:
    facts = run.facts()
    run.write_json("run.json", facts | {"data": facts["data"] | data})


def test_labels_are_the_runs_though_the_set_lacks_a_class(run: RunFolder, tmp_path: Path) -> None:
    source = write_folder(tmp_path / "other", ("glioma", "healthy"))
    inputs = open_set(run, str(source))
    assert inputs.classes == tuple(CLASSES)
    names = [CLASSES[label] for label in inputs.labels]
    assert names == inputs.table.rows["label"].tolist()
    assert set(names) == {"glioma", "healthy"}
    assert np.array_equal(inputs.rows("test"), np.arange(len(inputs.table)))
    assert np.array_equal(inputs.decoded.images, small_inputs(source).decoded.images)


def test_images_come_with_their_masks_and_labels(run: RunFolder, tmp_path: Path) -> None:
    inputs = open_set(run, str(write_folder(tmp_path / "other")))
    rows = np.array([0, 1, 17])
    for row, image in zip(rows, chosen(inputs, rows), strict=True):
        assert image.name == inputs.table.rows["id"].iloc[row]
        assert image.label == inputs.table.rows["label"].iloc[row]
        assert np.array_equal(image.pixels, inputs.decoded.images[row])
        if inputs.decoded.annotated[row]:
            assert np.array_equal(image.mask, inputs.decoded.masks[row] > 0)
        else:
            assert image.mask is None
    assert [image.mask is None for image in chosen(inputs, rows)] == [False, True, True]


def test_the_runs_own_data_are_refused(run: RunFolder, tmp_path: Path) -> None:
    source = write_folder(tmp_path / "own")
    change(run, fingerprint=small_inputs(source).decoded.fingerprint)
    with pytest.raises(DataError, match=r"own is the data set that the run was trained on"):
        open_set(run, str(source))


def test_classes_that_the_run_does_not_know_are_named(run: RunFolder, tmp_path: Path) -> None:
    source = write_folder(tmp_path / "other", ("glioma", "abscess"))
    with pytest.raises(DataError, match=r"classes that the run does not know \(abscess\)"):
        open_set(run, str(source))


def test_findings_are_no_classes(run: RunFolder, tmp_path: Path) -> None:
    source = tmp_path / "chestmnist.npz"
    write_medmnist(source, findings=14)
    with pytest.raises(DataError, match="findings that may occur together, the run was trained on"):
        open_set(run, str(source))


def test_labels_of_findings_are_one_column_each(run: RunFolder, tmp_path: Path) -> None:
    source = tmp_path / "chestmnist.npz"
    write_medmnist(source, findings=14)
    theirs = small_inputs(source, "data.classes=[]")
    order = list(reversed(theirs.classes))
    change(run, classes=order, multilabel=True)
    inputs = open_set(run, str(source))
    assert inputs.labels.dtype == np.float32
    assert np.array_equal(inputs.labels, theirs.labels[:, ::-1])


def test_the_runs_task_is_asked_of_the_set(run: RunFolder, tmp_path: Path) -> None:
    source = write_folder(tmp_path / "other", ("glioma", "healthy", "abscess"))
    pair = tiny_recipe("data.task=two-classes", "data.classes=[healthy,glioma]")
    text = recipes.dump(pair)
    run.write("recipe.yaml", lambda path: path.write_text(text, encoding="utf-8"))
    change(run, classes=["healthy", "glioma"])
    assert set(open_set(run, str(source)).table.rows["label"]) == {"healthy", "glioma"}


def test_what_cannot_be_used_is_left_out_and_listed(run: RunFolder, tmp_path: Path) -> None:
    source = write_folder(tmp_path / "other")
    broken = read_index(source)["image"].iloc[4]
    (source / broken).write_text("no picture")
    inputs = open_set(run, str(source))
    assert [one.id for one in inputs.skipped] == [broken]
    assert len(inputs.table) == len(inputs.decoded.images) == len(inputs.labels) == 31
    assert broken not in set(inputs.table.rows["id"])


def test_a_set_of_one_class_will_do(run: RunFolder, tmp_path: Path) -> None:
    source = write_folder(tmp_path / "other")
    index = read_index(source)
    write_index(source, index[index["label"] == "glioma"])
    assert set(open_set(run, str(source)).labels) == {CLASSES.index("glioma")}


def test_a_run_that_is_not_complete_is_refused(run: RunFolder, tmp_path: Path) -> None:
    run.mark("interrupted")
    assert json.loads((run.path / "run.json").read_text())["status"] == "interrupted"
    with pytest.raises(Exception, match="is interrupted, not complete"):
        open_set(run, str(write_folder(tmp_path / "other")))
