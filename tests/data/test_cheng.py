from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from medqnn.data.cheng import is_cheng_folder, read_cheng_folder
from medqnn.errors import DataError

IMAGE = np.arange(35, dtype=np.int16).reshape(5, 7) * 100  # not square: shows a lost transposition


def write_slice(path: Path, label: int, patient: str, image: np.ndarray = IMAGE) -> None:
    """Write a slice as MATLAB does: a header block, then HDF5 with transposed arrays."""
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        file["cjdata/label"] = np.array([[float(label)]])
        file["cjdata/PID"] = np.array([[ord(letter)] for letter in patient], dtype=np.uint16)
        file["cjdata/image"] = image.T
        file["cjdata/tumorBorder"] = np.array([[1.0, 2.0, 3.0, 4.0]])
        file["cjdata/tumorMask"] = (image > 3000).astype(np.uint8).T
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: PCWIN64, HDF5 schema 1.00 .".ljust(512))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_slice(tmp_path / "part1" / "2.mat", 2, "MR017260F")
    write_slice(tmp_path / "part1" / "1.mat", 1, "100360")
    write_slice(tmp_path / "part2" / "10.mat", 3, "100360")
    return tmp_path


def write_folds(folder: Path, folds: np.ndarray) -> None:
    with h5py.File(folder / "cvind.mat", "w", userblock_size=512) as file:
        file["cvind"] = folds[np.newaxis].astype(float)


def test_rows_hold_labels_patients_and_folds_by_file_number(folder: Path) -> None:
    write_folds(folder, np.array([4, 5, 0, 0, 0, 0, 0, 0, 0, 2]))
    table = read_cheng_folder(folder)
    assert table.rows["id"].tolist() == ["1", "2", "10"]
    assert table.rows["label"].tolist() == ["meningioma", "glioma", "pituitary"]
    assert table.rows["patient"].tolist() == ["100360", "MR017260F", "100360"]
    assert table.rows["fold"].tolist() == [4, 5, 2]
    assert table.classes == ("meningioma", "glioma", "pituitary")
    assert table.patients_known


def test_folds_are_read_from_the_older_matlab_format_too(folder: Path) -> None:
    savemat(folder / "cvind.mat", {"cvind": np.arange(1, 11)[:, np.newaxis]})
    assert read_cheng_folder(folder).rows["fold"].tolist() == [1, 2, 10]


def test_without_folds_file_the_folds_are_missing(folder: Path) -> None:
    assert not read_cheng_folder(folder).has_folds


def test_pixels_come_back_from_column_order(folder: Path) -> None:
    table = read_cheng_folder(folder)
    sample = table.read(table.rows.iloc[2])
    np.testing.assert_array_equal(sample.image, IMAGE)
    np.testing.assert_array_equal(sample.mask, IMAGE > 3000)
    assert sample.mask.dtype == bool


def test_part_of_the_set_has_only_its_classes(tmp_path: Path) -> None:
    write_slice(tmp_path / "5.mat", 3, "p")
    assert read_cheng_folder(tmp_path).classes == ("pituitary",)


def test_folder_is_told_by_its_numbered_files(folder: Path, tmp_path_factory) -> None:
    assert is_cheng_folder(folder)
    other = tmp_path_factory.mktemp("other")
    (other / "cvind.mat").touch()
    assert not is_cheng_folder(other)


def test_file_of_another_format_or_layout_is_named(folder: Path) -> None:
    path = folder / "part1" / "3.mat"
    savemat(path, {"cjdata": {"label": 1}})
    with pytest.raises(DataError, match=r"3\.mat is not a slice of the Cheng 2015 set"):
        read_cheng_folder(folder)
    with h5py.File(path, "w") as file:
        file["cjdata/label"] = 1.0
    with pytest.raises(DataError, match=r"3\.mat .*MATLAB v7.3"):
        read_cheng_folder(folder)
    path.write_bytes((folder / "part1" / "1.mat").read_bytes()[:1500])
    with pytest.raises(DataError, match=r"3\.mat"):
        read_cheng_folder(folder)


def test_unknown_label_repeated_number_and_short_folds_are_refused(folder: Path) -> None:
    write_folds(folder, np.array([1, 2, 3]))
    with pytest.raises(DataError, match=r"cvind\.mat .*slices 1 to 10"):
        read_cheng_folder(folder)
    (folder / "cvind.mat").unlink()
    write_slice(folder / "part2" / "1.mat", 1, "100360")
    with pytest.raises(DataError, match="listed more than once, the first is 1"):
        read_cheng_folder(folder)
    write_slice(folder / "part2" / "1.mat", 4, "100360")
    with pytest.raises(DataError, match="label 4"):
        read_cheng_folder(folder)


def test_folder_without_slices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no files 1\.mat"):
        read_cheng_folder(tmp_path)
