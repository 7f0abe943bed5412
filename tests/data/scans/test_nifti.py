from __future__ import annotations

import pickle
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from tests.data.scans.nifti_files import SHAPE, VOXELS, write

from medqnn.data.cache import decode
from medqnn.data.scans.nifti import is_nifti_folder, read_nifti_folder
from medqnn.data.scans.pseudonyms import namer
from medqnn.errors import DataError


@pytest.fixture(autouse=True)
def salt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQNN_SALT", "the salt of these tests")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes; the tumor is in two axial slices of the first volume."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[0, 3, 1] = mask[2, 0, 3] = 4
    write(tmp_path / "tumor" / "sub-01_T1w.nii.gz")
    write(tmp_path / "tumor" / "sub-01_T1w_mask.nii.gz", mask)
    write(tmp_path / "tumor" / "sub-02_T1w.nii", VOXELS + 100)
    write(tmp_path / "healthy" / "sub-03_T1w.nii.gz", VOXELS + 200)
    return tmp_path


def test_rows_are_slices_with_pseudonyms(folder: Path) -> None:
    table = read_nifti_folder(folder)
    rows, name = table.rows, namer()
    assert len(table) == 15
    assert table.classes == ("healthy", "tumor")
    assert table.patients_known
    assert rows["slice"].tolist() == [1, 2, 3, 4, 5] * 3
    assert rows["id"][0] == f"{name('image', 'healthy/sub-03_T1w.nii.gz')}-1"
    assert rows["patient"].unique().tolist() == [name("patient", f"sub-0{n}") for n in (3, 1, 2)]
    assert rows["mask"].notna().tolist() == [False] * 5 + [True] * 5 + [False] * 5
    assert (rows["row_mm"][0], rows["column_mm"][0]) == (3, 2)
    assert set(rows["plane"]) == {"axial"}
    assert not any("sub-" in text for text in (*rows["id"], *rows["patient"]))


def test_plain_names_on_demand(folder: Path) -> None:
    rows = read_nifti_folder(folder, plain_patient_ids=True).rows
    assert rows["patient"].unique().tolist() == ["sub-03", "sub-01", "sub-02"]
    assert rows["id"][0] == "healthy/sub-03_T1w.nii.gz-1"


def test_slices_and_masks_are_read_together(folder: Path) -> None:
    table = read_nifti_folder(folder)
    sample = table.read(table.rows.iloc[6])
    np.testing.assert_array_equal(sample.image, VOXELS[::-1, ::-1, 1].T)
    assert sample.image.dtype == np.float32
    assert np.argwhere(sample.mask).tolist() == [[0, 2]]  # front, left
    assert table.read(table.rows.iloc[0]).mask is None
    assert pickle.loads(pickle.dumps(table.read)).keywords == {"plane": "axial"}
    decoded = decode(table, size=16)
    assert decoded.annotated.tolist() == [False] * 5 + [True] * 5 + [False] * 5
    assert (
        decoded.masks.any(axis=(1, 2)).tolist() == [False] * 6 + [True, False, True] + [False] * 6
    )


@pytest.mark.parametrize(
    ("plane", "every", "slices"),
    [
        ("axial", 1, [1, 2, 3, 4, 5]),
        ("axial", 2, [2, 4]),
        ("axial", 3, [2, 5]),
        ("axial", 9, [3]),
        ("coronal", 2, [2, 4]),
        ("sagittal", 1, [1, 2, 3]),
    ],
)
def test_every_so_many_slices_along_an_axis(folder: Path, plane, every: int, slices) -> None:
    rows = read_nifti_folder(folder, plane=plane, every=every).rows
    assert rows["slice"].tolist() == slices * 3
    assert set(rows["plane"]) == {plane}


def test_slices_with_tumor_alone_where_there_is_a_mask(folder: Path) -> None:
    table = read_nifti_folder(folder, tumor_only=True, every=2)
    masked = table.rows[table.rows["mask"].notna()]
    assert masked["slice"].tolist() == [2]
    masked = read_nifti_folder(folder, tumor_only=True).rows.query("mask.notna()")
    assert masked["slice"].tolist() == [2, 4]
    assert len(table) == 1 + 2 * 2


def test_wrong_options_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="plane 'top', every 1: give one of"):
        read_nifti_folder(folder, plane="top")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="every 0"):
        read_nifti_folder(folder, every=0)


def test_values_that_are_not_finite_are_refused_where_they_are(folder: Path) -> None:
    voxels = VOXELS.astype(np.float32)
    voxels[1, 1, 2] = np.nan
    write(folder / "healthy" / "sub-03_T1w.nii.gz", voxels)
    table = read_nifti_folder(folder)
    table.read(table.rows.iloc[1])
    with pytest.raises(
        DataError, match=r"sub-03_T1w\.nii\.gz: has values that are not finite in axial slice 3"
    ):
        table.read(table.rows.iloc[2])


def test_volume_that_vanishes_or_shrinks_is_refused(folder: Path) -> None:
    table = read_nifti_folder(folder)
    write(folder / "healthy" / "sub-03_T1w.nii.gz", VOXELS[..., :3])
    with pytest.raises(DataError, match="has changed since it was listed"):
        table.read(table.rows.iloc[4])
    (folder / "healthy" / "sub-03_T1w.nii.gz").unlink()
    with pytest.raises(DataError, match=r"sub-03.*cannot be read \(No such file"):
        table.read(table.rows.iloc[4])


def test_bad_volumes_may_be_left_out(folder: Path) -> None:
    (folder / "tumor" / "sub-02_T1w.nii").write_bytes(b"no volume at all")
    with pytest.raises(DataError, match=r"sub-02_T1w\.nii: is damaged or not NIfTI"):
        read_nifti_folder(folder)
    told = []
    table = read_nifti_folder(folder, on_bad=lambda path, reason: told.append((path, reason)))
    assert len(table) == 10
    ((path, reason),) = told
    assert path.endswith("sub-02_T1w.nii")
    assert "sub-02" not in reason


def test_folder_is_told_by_names(folder: Path, tmp_path_factory) -> None:
    assert is_nifti_folder(folder)
    assert not is_nifti_folder(tmp_path_factory.mktemp("other"))


def test_folder_without_volumes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no labelled NIfTI slice"):
        read_nifti_folder(tmp_path)


def test_real_volume_reads_the_same_stored_otherwise(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "nifti_brain_mr" / "MR_Gd.nii.gz"
    image = nib.load(source)
    (tmp_path / "a" / "straight").mkdir(parents=True)
    (tmp_path / "a" / "straight" / "x.nii.gz").symlink_to(source)
    turned = image.as_reoriented(np.array([[2, -1], [0, 1], [1, -1]]))
    write(
        tmp_path / "a" / "turned" / "x.nii",
        np.asarray(turned.dataobj),
        turned.affine,
        nib.Nifti2Image,
    )
    for plane in ("axial", "coronal", "sagittal"):
        table = read_nifti_folder(tmp_path, plane=plane, every=20)
        half = len(table) // 2
        assert len(set(table.rows["patient"])) == 2
        for index in range(half):
            straight, again = (table.read(table.rows.iloc[n]) for n in (index, index + half))
            np.testing.assert_allclose(again.image, straight.image, rtol=1e-5)


def test_attributes_of_participants_reach_their_slices(folder: Path) -> None:
    text = "participant_id\tlabel\tage\nsub-01\ta\t61\nsub-02\ta\tn/a\nsub-03\tb\t40\n"
    (folder / "participants.tsv").write_text(text)
    rows = read_nifti_folder(folder).rows
    by_patient = rows.groupby("patient")["attribute:age"].agg(lambda ages: ages.iloc[0])
    expected = {"sub-01": "61", "sub-02": None, "sub-03": "40"}
    for person, age in expected.items():
        found = by_patient[namer()("patient", person)]
        assert found == age or (age is None and found != found)
