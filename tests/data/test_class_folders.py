from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medqnn.data.class_folders import read_class_folders
from medqnn.data.splits import split_as_given
from medqnn.errors import DataError

PIXELS = np.arange(48, dtype=np.uint8).reshape(6, 8)


def write(root: Path, *names: str, pixels: np.ndarray = PIXELS) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / name)
    return root


def test_class_folders_alone(tmp_path: Path) -> None:
    root = write(tmp_path, "ill/b.png", "ill/a.jpg", "well/deep/er/c.TIF", "well/d.bmp")
    table = read_class_folders(root)
    assert table.name == root.name
    assert table.classes == ("ill", "well")
    ids = ["ill/a.jpg", "ill/b.png", "well/d.bmp", "well/deep/er/c.TIF"]
    assert table.rows["id"].tolist() == table.rows["patient"].tolist() == ids
    assert table.rows["label"].tolist() == ["ill", "ill", "well", "well"]
    assert not table.has_split
    assert not table.has_folds
    assert not table.patients_known
    for row in (1, 3):
        np.testing.assert_array_equal(table.read(table.rows.iloc[row]).image, PIXELS)
        assert table.read(table.rows.iloc[row]).mask is None


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [("train", "val", "test"), ("TRAIN", "Valid", "Test"), ("Training", "validation", "Testing")],
)
def test_first_level_may_be_the_split(tmp_path: Path, train: str, val: str, test: str) -> None:
    parts = {train: "train", val: "val", test: "test"}
    table = read_class_folders(write(tmp_path, *(f"{p}/{c}/1.png" for p in parts for c in "ab")))
    assert table.classes == ("a", "b")
    for _, row in table.rows.iterrows():
        folder, label, _ = row["id"].split("/")
        assert (row["split"], row["label"]) == (parts[folder], label)


def test_validation_part_is_drawn_from_training_where_it_is_missing(tmp_path: Path) -> None:
    names = [f"Training/{label}/{i}.png" for label in "ab" for i in range(8)]
    table = read_class_folders(write(tmp_path, *names, "Testing/a/8.png", "Testing/b/8.png"))
    split = split_as_given(table.rows, 0.25)
    assert split.value_counts().to_dict() == {"train": 12, "val": 4, "test": 2}
    assert (split == "test").equals(table.rows["split"] == "test")


def test_clutter_is_no_data(tmp_path: Path) -> None:
    write(
        tmp_path, "ill/a.png", "well/b.png", "ill/.c.png", ".hidden/d.png", "__MACOSX/ill/._a.png"
    )
    for name in ("ill/Thumbs.db", ".DS_Store", "ill/notes.txt", "labels.csv", "well/desktop.ini"):
        (tmp_path / name).touch()
    assert read_class_folders(tmp_path).rows["id"].tolist() == ["ill/a.png", "well/b.png"]


@pytest.mark.parametrize("masks", ["masks", "Masks"])
def test_masks_mirror_their_images_in_any_format(tmp_path: Path, masks: str) -> None:
    root = write(tmp_path, "Training/ill/a.jpg", "Training/ill/b.png", "Training/well/c.png")
    lesion = PIXELS > 20
    write(root, f"{masks}/Training/ill/a.png", f"{masks}/Training/well/c.bmp", pixels=lesion)
    table = read_class_folders(root)
    assert table.classes == ("ill", "well")
    samples = [table.read(row) for _, row in table.rows.iterrows()]
    np.testing.assert_array_equal(samples[0].mask, lesion)
    assert samples[1].mask is None
    np.testing.assert_array_equal(samples[2].mask, lesion)


def test_masks_that_fit_no_image_or_one_twice_are_refused(tmp_path: Path) -> None:
    root = write(tmp_path, "ill/a.png", "well/b.png", "masks/ill/a.png", "masks/ill/x.png")
    with pytest.raises(DataError, match=r"1 of 2 masks .* no image, the first is .*ill/x\.png"):
        read_class_folders(root)
    (root / "masks/ill/x.png").rename(root / "masks/ill/a.bmp")
    with pytest.raises(DataError, match="two masks for ill/a"):
        read_class_folders(root)


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    write(tmp_path / "store", "x.png", "more/y.png")
    root = write(tmp_path / "set", "ill/a.png")
    os.symlink(tmp_path / "store", root / "well")
    os.symlink(root / "ill", root / "ill" / "loop")
    ids = ["ill/a.png", "well/more/y.png", "well/x.png"]
    assert read_class_folders(root).rows["id"].tolist() == ids


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["train/a/1.png", "ill/2.png"], "holds ill, train, which is no layout"),
        (["ill/1.png", "well/2.png", "3.png"], r"holds ill, well and the image 3\.png"),
        (["train/a/1.png", "test/2.png"], r"test holds the image 2\.png beside the class folders"),
        (["train/a/1.png", "Training/a/1.png"], r"two folders for one part.*Training, train"),
        (["ill/1.png"], "one class only, ill"),
        (["train/ill/1.png", "test/ill/1.png"], "one class only, ill"),
        (["ill/1.png", "well/2.dcm"], r"class folder .*well holds no image \(\.png"),
        (["train/ill/1.png", "train/well/2.png", "test/notes.txt"], "test holds no class folders"),
        (["1.png"], r"holds no folders and the image 1\.png"),
        ([], "holds no folders, which is no layout"),
    ],
)
def test_what_is_no_layout_is_one_line_that_lists_them(
    tmp_path: Path, names: list[str], message: str
) -> None:
    write(tmp_path, *(name for name in names if name.endswith("png")))
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=message) as raised:
        read_class_folders(tmp_path)
    assert "\n" not in str(raised.value)
    if "two folders" not in message:
        assert "Training|Testing/CLASS/image" in str(raised.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    root = write(tmp_path, "ill/a.png", "well/deep/b.png")
    (root / "well/deep").chmod(0)
    with pytest.raises(DataError, match=r"cannot read the folder .*deep .*permissions"):
        read_class_folders(root)
    (root / "well/deep").chmod(0o700)


def test_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read the folder .*absent"):
        read_class_folders(tmp_path / "absent")


def test_real_brain_tumour_folder(shared_data: Path) -> None:
    table = read_class_folders(shared_data / "brain_tumor_kaggle")
    assert table.classes == ("glioma", "meningioma", "notumor", "pituitary")
    counts = table.counts(table.rows["split"])
    assert counts["train"].tolist() == [1000, 1058, 1292, 1186, 4536]
    assert counts["test"].tolist() == [228, 248, 329, 243, 1048]
    split = split_as_given(table.rows)
    assert split.value_counts().to_dict() == {"train": 3855, "test": 1048, "val": 681}
    assert table.read(table.rows.iloc[0]).image.shape[:2] == (224, 224)


def test_real_alzheimer_folder(shared_data: Path) -> None:
    table = read_class_folders(shared_data / "alzheimer_mri")
    by_class = [730, 51, 2546, 1822]
    assert table.counts()["total"].tolist() == [*by_class, sum(by_class)]
    assert not table.has_split
