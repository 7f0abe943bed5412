from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from medqnn.data.catalogue import Scans, open_table
from medqnn.errors import DataError

from .medmnist_files import write_medmnist
from .scans import dicom_files, nifti_files


def test_phantom_by_name_number_and_seed() -> None:
    assert open_table("phantom").synthetic
    table = open_table("phantom:12:7", image_size=64)
    assert len(table) == 12
    assert table.read(table.rows.iloc[0]).image.shape == (64, 64)
    ids = [set(open_table(source).rows["id"]) for source in ("phantom:12", "phantom:12:7")]
    assert not ids[0] & ids[1]


def test_folder_with_an_index(shared_data: Path) -> None:
    assert open_table(str(shared_data / "cheng2015")).name == "cheng2015"


def test_folder_with_matlab_files(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "1.mat", "w") as file:
        file["cjdata/label"] = np.array([[2.0]])
        file["cjdata/PID"] = np.array([[ord("7")]], dtype=np.uint16)
    table = open_table(str(tmp_path))
    assert table.rows.loc[0, ["label", "patient"]].tolist() == ["glioma", "7"]


def test_folder_of_dicom_files_with_its_options(tmp_path: Path) -> None:
    data = dicom_files.dicom()
    dicom_files.write(tmp_path / "a" / "IM1", data)
    dicom_files.label(tmp_path, f"PatientID,stage\n{data.PatientID},early\n")
    table = open_table(str(tmp_path), scans=Scans(label_column="stage", plain_patient_ids=True))
    assert table.rows.loc[0, ["label", "patient"]].tolist() == ["early", data.PatientID]


def test_folder_of_nifti_volumes_with_its_options(tmp_path: Path) -> None:
    nifti_files.write(tmp_path / "x.nii", np.random.default_rng(0).random((6, 4, 5)))
    (tmp_path / "labels.csv").write_text("file,label\nx.nii,early\n")
    assert len(open_table(str(tmp_path))) == 5
    assert len(open_table(str(tmp_path), scans=Scans(plane="sagittal", every=2))) == 3


def test_scans_that_cannot_be_used_are_told_of(tmp_path: Path) -> None:
    data = dicom_files.dicom()
    dicom_files.write(tmp_path / "IM1.dcm", data)
    (tmp_path / "IM2.dcm").write_bytes(b"<html>not found</html>")
    dicom_files.label(tmp_path, f"PatientID,label\n{data.PatientID},early\n")
    with pytest.raises(DataError, match=r"IM2\.dcm"):
        open_table(str(tmp_path))
    told = []
    assert len(open_table(str(tmp_path), on_bad=lambda path, _: told.append(path))) == 1
    assert [Path(path).name for path in told] == ["IM2.dcm"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("no/such/folder", "no/such/folder does not exist"),
        ("phantom:many", "phantom:many is not understood"),
        ("phantom:10:", "not understood"),
        ("phantom:-5", "not understood"),
        ("phantom:10:0:1", "not understood"),
    ],
)
def test_error_lists_what_is_understood(source: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as raised:
        open_table(source)
    kinds = ("phantom:IMAGES", "MedMNIST", "index.csv", "Cheng 2015", "train|val|test/CLASS")
    assert all(kind in str(raised.value) for kind in kinds)


def test_medmnist_file(tmp_path: Path) -> None:
    for name in ("cells.npz", "CELLS.NPZ"):
        path = write_medmnist(tmp_path / "written.npz").rename(tmp_path / name)
        assert open_table(str(path)).benchmark == "medmnist"


def test_class_folders(tmp_path: Path) -> None:
    for label in ("ill", "well"):
        (tmp_path / label).mkdir()
        Image.fromarray(np.eye(4) > 0).save(tmp_path / label / "1.png")
    assert open_table(str(tmp_path)).classes == ("ill", "well")
    (tmp_path / "index.csv").write_text("image,label\nill/1.png,sick\n")
    assert open_table(str(tmp_path)).classes == ("sick",)


def test_empty_folder_and_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no data set: give"):
        open_table(str(tmp_path))
    (tmp_path / "file.csv").touch()
    with pytest.raises(DataError, match="is a file of another kind"):
        open_table(str(tmp_path / "file.csv"))
    with pytest.raises(DataError, match=r"cells\.npz does not exist"):
        open_table(str(tmp_path / "cells.npz"))
