from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.auditing.planted import leaking_folder, originals, save
from medqnn.data.auditing.audit import Audit, audit, sides_of
from medqnn.data.auditing.audit_summary import as_json, files, named_pairs, warnings
from medqnn.data.class_folders import read_class_folders
from medqnn.data.folders import read_index_folder
from medqnn.data.phantom.table import phantom_table
from medqnn.data.table import ImageTable


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return audit(read_class_folders(leaking_folder(tmp_path_factory.mktemp("leaking"))))


@pytest.fixture(scope="module")
def clean() -> Audit:
    return audit(phantom_table(32, size=64))


def write_index(root: Path, **columns: list[object]) -> ImageTable:
    """Twelve different images in an index.csv with these columns."""
    images = originals()[:12]
    paths = [save(image, root / f"{number:02d}.png").name for number, image in enumerate(images)]
    pd.DataFrame({"image": paths, "label": ["a", "b"] * 6, **columns}).to_csv(
        root / "index.csv", index=False
    )
    return read_index_folder(root)


def test_leaks_by_kind(leaking: Audit) -> None:
    assert leaking.leaking
    assert leaking.pairs_by_kind() == {
        "bytes": 1,
        "pixels": 1,
        "near": 2,
        "turned": 1,
        "cropped": 1,
        "alike": 0,
    }
    leaked = {**dict.fromkeys(leaking.pairs_by_kind(), 1), "alike": 0}
    assert leaking.leaked_by_kind() == leaked
    assert (leaking.leaks["side"] == "test").all()


def test_one_picture_with_two_labels(leaking: Audit) -> None:
    ids = leaking.facts["id"].to_numpy()
    conflict = leaking.conflicts.iloc[0]
    assert len(leaking.conflicts) == 1
    assert {ids[conflict["first"]], ids[conflict["second"]]} == {
        "train/a/04.png",
        "train/b/conflict.png",
    }


def test_a_clean_set_has_nothing_to_warn_of(clean: Audit) -> None:
    assert not clean.leaking
    assert clean.pairs.empty
    assert clean.problems.empty
    assert warnings(clean) == []
    assert clean.synthetic
    assert clean.patients is not None
    assert clean.patients.loc["total", "total"] == 8
    assert clean.facts.groupby("group")["id"].count().tolist() == [4] * 8
    assert clean.imbalance == 1


def test_patients_on_two_sides_are_a_leak(tmp_path: Path) -> None:
    table = write_index(
        tmp_path,
        patient=["p", "p", *"abcdefghij"],
        split=["train", "test", *["train"] * 5, *["test"] * 5],
    )
    found = audit(table)
    assert found.leaks.empty
    assert found.torn_patients == ("p",)
    assert found.leaking
    assert warnings(found)[0] == "LEAK: 1 patients stand on more than one side"


def test_problems_of_images_and_masks(tmp_path: Path) -> None:
    some, full = np.zeros((128, 128), bool), np.ones((128, 128), bool)
    some[:9, :9] = True
    save(some, tmp_path / "some.png")
    save(full, tmp_path / "full.png")
    save(~full, tmp_path / "none.png")
    save(some[:64], tmp_path / "small.png")
    masks = ["some.png", "none.png"] * 3 + ["none.png", "some.png", "full.png", "small.png"]
    table = write_index(tmp_path, mask=[*masks, "", ""])
    (tmp_path / "10.png").write_bytes(b"no image")
    save(np.zeros((30, 30), np.uint8), tmp_path / "11.png")
    save(np.eye(128, dtype=np.uint8)[:1].repeat(128, 0) * 0, tmp_path / "11.png")
    found = audit(table)
    assert list(zip(found.problems["id"], found.problems["problem"], strict=True)) == [
        ("10.png", "unreadable"),
        ("11.png", "constant"),
        ("09.png", "mask of other size"),
        ("06.png", "empty mask"),
        ("07.png", "unexpected mask"),
        ("08.png", "full mask"),
    ]
    assert "cannot read the image" in found.problems["detail"].iloc[0]
    assert found.problems["detail"].iloc[1] is None
    assert "cannot be read: 1 of 12 images" in warnings(found)


def test_sides_are_the_split_else_the_folds(tmp_path: Path) -> None:
    folds = write_index(tmp_path, fold=[1, 2] * 6)
    assert sides_of(folds).tolist() == ["fold 1", "fold 2"] * 6
    assert sides_of(phantom_table(4)).isna().all()
    split = ["train", "val", "test"] * 4
    assert sides_of(write_index(tmp_path, fold=[1, 2] * 6, split=split)).tolist() == split


def test_folds_leak_too(tmp_path: Path) -> None:
    table = write_index(tmp_path, fold=[1, 2] * 6)
    save(originals()[0], tmp_path / "01.png")
    found = audit(table)
    assert found.leaks[["side", "twin_side"]].to_numpy().tolist() == [["fold 2", "fold 1"]]


def test_imbalance(tmp_path: Path) -> None:
    table = write_index(tmp_path, split=["train"] * 12)
    rows = table.rows.assign(label=["a", *["b"] * 11])
    found = audit(ImageTable("skewed", rows, ("a", "b"), table.read))
    assert found.imbalance == 11
    assert warnings(found) == ["the largest class has 11 times the images of the smallest"]


def test_warnings_name_leaks_first(leaking: Audit) -> None:
    said = warnings(leaking)
    assert said[0] == (
        "LEAK: 5 of 8 images of test (1 byte-identical files, 1 pixel-identical images, "
        "1 re-encoded, resized or brightened, 1 mirrored or turned, 1 with other borders) have a "
        "copy on another side"
    )
    assert said[1] == "1 times two copies have different labels"


def test_json_is_plain_and_complete(leaking: Audit) -> None:
    facts = as_json(leaking)
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert facts["leaking"] is True
    assert facts["counts"]["total"] == {"train": 25, "test": 8, "total": 33}
    assert facts["patients"] is None
    assert facts["sizes"]["128×128"] == 31
    assert facts["formats"] == {"PNG": 31, "BMP": 1, "JPEG": 1}
    pair = next(pair for pair in facts["pairs"] if pair["kind"] == "turned")
    assert pair == {
        "first": "test/a/turned.png",
        "second": "train/a/03.png",
        "kind": "turned",
        "turn": "mirrored left to right",
        "correlation": pair["correlation"],
        "first_label": "a",
        "second_label": "a",
        "first_side": "test",
        "second_side": "train",
    }
    assert pair["correlation"] > 0.99
    assert ["train/a/04.png", "train/b/conflict.png"] in facts["groups"]
    assert facts["conflicts"] == [["train/a/04.png", "train/b/conflict.png"]]


def test_tables_of_a_clean_set(clean: Audit) -> None:
    assert named_pairs(clean).empty
    span = files(clean)["intensities"]["mean"]
    assert span["lowest"] <= span["median"] <= span["highest"]
    facts = as_json(clean)
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts


def test_nothing_readable(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.png").write_bytes(b"")
    found = audit(read_class_folders(tmp_path))
    assert len(found.problems) == 2
    assert as_json(found)["intensities"] == {"minimum": None, "maximum": None, "mean": None}
    assert warnings(found) == ["cannot be read: 2 of 2 images"]


def test_official_medmnist_files(shared_data: Path) -> None:
    """BreastMNIST holds ultrasound pictures that were taken into the source twice."""
    from medqnn.data.medmnist import read_medmnist

    found = audit(read_medmnist(shared_data / "medmnist" / "breastmnist.npz"))
    assert found.pairs_by_kind()["near"] > 40
    assert found.pairs_by_kind()["turned"] == 0
    assert len(found.leaks.drop_duplicates("image")) == 25
