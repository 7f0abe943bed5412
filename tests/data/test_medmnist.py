from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from medqnn.data.cache import decode
from medqnn.data.medmnist import read_medmnist
from medqnn.data.medmnist_classes import OFFICIAL
from medqnn.errors import DataError
from medqnn.places import cache_folder

from .medmnist_files import COUNTS, medmnist_arrays, write_medmnist

KINDS = ("images", "labels")
HEADER = b"\x93NUMPY\x01\x00\x14\x00{'descr': '|u1', (\x90\n"  # cut off by damage
SETS_2D = "path chest derma oct pneumonia retina breast blood tissue organa organc organs"


def test_rows_hold_part_number_label_and_split(tmp_path: Path) -> None:
    table = read_medmnist(write_medmnist(tmp_path / "cells.npz"))
    assert table.name == "cells"
    assert table.benchmark == "medmnist"
    assert (table.classes, table.multilabel, table.patients_known) == (
        ("0", "1", "2"),
        False,
        False,
    )
    assert table.rows["split"].value_counts().to_dict() == COUNTS
    row = table.rows.iloc[13]
    assert row[["id", "label", "split", "patient"]].tolist() == ["val-00001", "1", "val", row["id"]]
    assert table.has_split
    assert not table.has_folds


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3), (64, 64), (224, 224, 3)])
def test_pixels_are_those_of_the_file(tmp_path: Path, shape: tuple[int, ...]) -> None:
    arrays = medmnist_arrays(3, shape)
    table = read_medmnist(write_medmnist(tmp_path / "cells.npz", arrays))
    for number in (0, 11, 12, 21, 5):
        row = table.rows.iloc[number]
        part, place = row["id"].split("-")
        image, mask = table.read(row)
        np.testing.assert_array_equal(image, arrays[f"{part}_images"][int(place)])
        assert mask is None


def test_threads_and_a_copy_in_another_process_read_the_same(tmp_path: Path) -> None:
    table = read_medmnist(write_medmnist(tmp_path / "cells.npz"))
    rows = [row for _, row in table.rows.iterrows()] * 5
    expected = [table.read(row).image for row in rows]
    copy = pickle.loads(pickle.dumps(table.read))
    with ThreadPoolExecutor(4) as pool:
        for image, wanted in zip(pool.map(copy, rows), expected, strict=True):
            np.testing.assert_array_equal(image.image, wanted)


def test_decoded_pixels_under_dtype_scaling_are_the_files(tmp_path: Path) -> None:
    arrays = medmnist_arrays(3, (28, 28, 3))
    whole = np.concatenate([arrays[f"{part}_images"] for part in COUNTS])
    decoded = decode(read_medmnist(write_medmnist(tmp_path / "a.npz", arrays)), 28, 3, "dtype")
    np.testing.assert_array_equal(decoded.images, np.moveaxis(whole, -1, 1))
    assert not decoded.annotated.any()


def test_changed_file_is_decoded_again(tmp_path: Path) -> None:
    arrays = medmnist_arrays()
    path = write_medmnist(tmp_path / "cells.npz", arrays)
    before = decode(read_medmnist(path), 28).fingerprint
    folders = set(cache_folder().iterdir())
    decode(read_medmnist(path), 28)
    assert set(cache_folder().iterdir()) == folders
    arrays["val_images"][2] = 255 - arrays["val_images"][2]
    assert decode(read_medmnist(write_medmnist(path, arrays)), 28).fingerprint != before


def test_table_of_every_official_set() -> None:
    assert set(OFFICIAL) == {f"{name}mnist" for name in SETS_2D.split()}
    classes = {name: len(official.classes) for name, official in OFFICIAL.items()}
    # classes by the table of the MedMNIST v2 paper, in its order
    assert list(classes.values()) == [9, 14, 7, 4, 2, 5, 2, 8, 8, 11, 11, 11]
    assert all(
        len(set(official.classes)) == len(official.classes) for official in OFFICIAL.values()
    )


@pytest.mark.parametrize("stem", ["breastmnist", "breastmnist_64", "BreastMNIST_224"])
def test_official_set_by_its_files_name(tmp_path: Path, stem: str) -> None:
    table = read_medmnist(write_medmnist(tmp_path / f"{stem}.npz", medmnist_arrays(2)))
    assert table.name == "breastmnist"
    assert table.classes == ("malignant", "normal, benign")
    assert table.rows["label"].tolist()[:2] == list(table.classes)


def findings(columns: int) -> dict[str, np.ndarray]:
    arrays = medmnist_arrays()
    draw = np.random.default_rng(3)
    for part, count in COUNTS.items():
        arrays[f"{part}_labels"] = draw.integers(0, 2, (count, columns), dtype=np.uint8)
    arrays["train_labels"][0] = 0
    arrays["train_labels"][1] = 1
    return arrays


def test_findings_are_joined_names(tmp_path: Path) -> None:
    arrays = findings(14)
    table = read_medmnist(write_medmnist(tmp_path / "chestmnist.npz", arrays))
    assert table.multilabel
    assert table.classes == OFFICIAL["chestmnist"].classes
    assert table.rows.loc[0, "label"] == "no finding"
    assert table.rows.loc[1, "label"] == "|".join(table.classes)
    for number, label in enumerate(table.rows["label"][:12]):
        present = [table.classes[i] for i in np.flatnonzero(arrays["train_labels"][number])]
        assert label == ("|".join(present) or "no finding")


def test_findings_of_a_set_of_ones_own_are_numbered(tmp_path: Path) -> None:
    assert read_medmnist(write_medmnist(tmp_path / "own.npz", findings(3))).classes == (
        "0",
        "1",
        "2",
    )


def test_ordinal_grades_keep_their_order(tmp_path: Path) -> None:
    table = read_medmnist(write_medmnist(tmp_path / "retinamnist.npz", medmnist_arrays(5)))
    assert table.classes == ("0", "1", "2", "3", "4")
    assert table.rows["label"].tolist()[:5] == list(table.classes)


def changed(**changes: Callable[[np.ndarray], np.ndarray | None]) -> dict[str, np.ndarray]:
    arrays = medmnist_arrays()
    for name, change in changes.items():
        arrays[name] = change(arrays[name])
    return {name: array for name, array in arrays.items() if array is not None}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (changed(val_images=lambda _: None, test_labels=lambda _: None), "no val_images, test_lab"),
        (changed(val_images=lambda a: a.astype(float)), "val_images are float64"),
        (
            changed(train_images=lambda a: a[..., None].repeat(28, -1)),
            r"12×28×28×28, volumes of a 3D",
        ),
        (medmnist_arrays(3, (8, 8, 8, 3)), "volumes of a 3D set"),
        (changed(test_images=lambda a: a[:, :20]), "6×20×28, not square"),
        (changed(test_images=lambda a: a[0]), "28×28, not square"),
        (changed(test_images=lambda a: a[:, :20, :20]), "6×20×20, unlike those of train"),
        (changed(test_labels=lambda a: a[1:]), "6 test_images, but 5 test_labels"),
        (changed(test_labels=lambda a: a[:, 0]), r"test_labels have shape \(6,\)"),
        (changed(test_labels=lambda a: a + 0.5), "test_labels are float64"),
        (changed(test_labels=lambda a: a.repeat(2, 1)), "dimension"),
        (changed(test_labels=lambda a: a.astype(int) - 1), "labels from -1 to 2, expected 0 to 2"),
        (changed(test_labels=lambda a: a + 4), "no image with label '3'"),
        (
            changed(test_labels=lambda a: a.astype(object)),
            "pickled objects, which are never loaded",
        ),
        (
            changed(test_images=lambda a: a.astype(object)),
            "pickled objects, which are never loaded",
        ),
        (
            changed(**{f"{part}_labels": lambda a: a + 1 for part in COUNTS}),
            "no image with label '0'",
        ),
        ({}, "no train_images, train_labels, val_images"),
    ],
)
def test_arrays_out_of_format_are_one_line_that_says_what(
    tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    with pytest.raises(DataError, match=message) as raised:
        read_medmnist(write_medmnist(tmp_path / "cells.npz", arrays))
    assert "cells.npz" in str(raised.value)
    assert "expected an .npz file" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_labels_that_an_official_set_cannot_have_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="labels from 0 to 2, expected 0 to 1"):
        read_medmnist(write_medmnist(tmp_path / "breastmnist.npz"))
    with pytest.raises(DataError, match="no image with label 'background'"):
        read_medmnist(write_medmnist(tmp_path / "pathmnist.npz", medmnist_arrays(1)))
    with pytest.raises(DataError, match="1 labels an image, where chestmnist has 14"):
        read_medmnist(write_medmnist(tmp_path / "chestmnist.npz"))
    arrays = {name: array * 2 for name, array in findings(3).items()}
    with pytest.raises(DataError, match="labels from 0 to 2, expected 0 to 1"):
        read_medmnist(write_medmnist(tmp_path / "own.npz", arrays))


def test_broken_files_are_named(tmp_path: Path) -> None:
    whole = write_medmnist(tmp_path / "whole.npz").read_bytes()
    for content in (whole[:-30], whole[:50], b"", b"<html>not found</html>"):
        (tmp_path / "cells.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"cells\.npz cannot be read .*download it again"):
            read_medmnist(tmp_path / "cells.npz")
    broken = dict.fromkeys([f"{part}_{kind}.npy" for part in COUNTS for kind in KINDS], HEADER)
    with zipfile.ZipFile(tmp_path / "cells.npz", "w") as archive:
        for name, content in broken.items():
            archive.writestr(name, content)
    with pytest.raises(DataError, match=r"cells\.npz cannot be read .*EOF in multi-line"):
        read_medmnist(tmp_path / "cells.npz")
    with pytest.raises(DataError, match="No such file"):
        read_medmnist(tmp_path / "absent.npz")


def test_damaged_pixels_are_found_while_decoding(tmp_path: Path) -> None:
    path = write_medmnist(tmp_path / "cells.npz")
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("test_images.npy").header_offset
    content = bytearray(path.read_bytes())
    content[start + 2000] ^= 255
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cells\.npz cannot be read"):
        decode(read_medmnist(path), 28)


def test_part_without_images_is_no_fault(tmp_path: Path) -> None:
    arrays = changed(val_images=lambda a: a[:0], val_labels=lambda a: a[:0])
    table = read_medmnist(write_medmnist(tmp_path / "cells.npz", arrays))
    assert set(table.rows["split"]) == {"train", "test"}


@pytest.mark.parametrize(
    ("name", "classes", "counts"),
    [
        ("breastmnist", ("malignant", "normal, benign"), [546, 78, 156, 780]),
        ("pneumoniamnist", ("normal", "pneumonia"), [4708, 524, 624, 5856]),
        ("pbcblood", tuple("01234567"), [8525, 1709, 3421, 13655]),
    ],
)
def test_real_sets(
    shared_data: Path, name: str, classes: tuple[str, ...], counts: list[int]
) -> None:
    path = shared_data / "medmnist" / f"{name}.npz"
    table = read_medmnist(path)
    assert table.classes == classes
    assert table.counts(table.rows["split"]).loc["total"].tolist() == counts
    with np.load(path) as arrays:
        for number in (0, counts[0] - 1, counts[0], len(table) - 1):
            part, place = table.rows.loc[number, "id"].split("-")
            expected = arrays[f"{part}_images"][int(place)]
            np.testing.assert_array_equal(table.read(table.rows.iloc[number]).image, expected)
