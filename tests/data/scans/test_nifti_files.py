from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.data.scans.nifti_files import AFFINE, VOXELS, write

from medqnn.data.scans.nifti_files import Scan, labelled_scans
from medqnn.errors import DataError


def scans(folder: Path, labels: Path | None = None, column: str = "label") -> list[Scan]:
    return list(labelled_scans(folder, labels, column, None))


def masks(folder: Path) -> dict[str, str | None]:
    """Name of each image and of its mask."""
    return {
        Path(scan.place).name: Path(scan.mask.path).name if scan.mask else None
        for scan in scans(folder)
    }


def test_masks_stand_beside_their_images(tmp_path: Path) -> None:
    for name in (
        "p1.nii.gz",
        "p1_mask.nii",
        "p2.nii",
        "p2_seg.nii.gz",
        "p3.nii",
        "p3-dseg.nii",
        "p4.nii",
    ):
        write(tmp_path / "tumor" / name)
    assert masks(tmp_path) == {
        "p1.nii.gz": "p1_mask.nii",
        "p2.nii": "p2_seg.nii.gz",
        "p3.nii": "p3-dseg.nii",
        "p4.nii": None,
    }


def test_several_contrasts_share_a_mask(tmp_path: Path) -> None:
    for name in ("B-1-t1c.nii.gz", "B-1-t2w.nii.gz", "B-1-seg.nii.gz", "B-2-t1c.nii.gz"):
        write(tmp_path / "glioma" / name)
    assert masks(tmp_path) == {
        "B-1-t1c.nii.gz": "B-1-seg.nii.gz",
        "B-1-t2w.nii.gz": "B-1-seg.nii.gz",
        "B-2-t1c.nii.gz": None,
    }


def test_masks_may_stand_in_a_mirror(tmp_path: Path) -> None:
    write(tmp_path / "glioma" / "a" / "x.nii.gz")
    write(tmp_path / "masks" / "glioma" / "a" / "x.nii")
    assert masks(tmp_path) == {"x.nii.gz": "x.nii"}


def test_mask_without_image_and_two_for_one_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "glioma" / "x.nii.gz")
    write(tmp_path / "glioma" / "y_seg.nii.gz")
    with pytest.raises(
        DataError, match=r"1 of 1 mask volumes .* the first is glioma/y_seg\.nii\.gz"
    ):
        scans(tmp_path)
    (tmp_path / "glioma" / "y_seg.nii.gz").rename(tmp_path / "glioma" / "x_seg.nii.gz")
    write(tmp_path / "glioma" / "x_mask.nii.gz")
    with pytest.raises(DataError, match="1 of 2 mask volumes"):
        scans(tmp_path)


def test_mask_on_another_grid_is_refused_with_both(tmp_path: Path) -> None:
    write(tmp_path / "a" / "x.nii")
    write(tmp_path / "a" / "x_mask.nii", VOXELS[:, :, :4])
    with pytest.raises(DataError, match=r"x_mask\.nii: .*3×4×4 voxels .*image 3×4×5 voxels"):
        scans(tmp_path)
    moved = AFFINE.copy()
    moved[0, 3] = 1
    write(tmp_path / "a" / "x_mask.nii", affine=moved)
    with pytest.raises(DataError, match=r"not on the grid.*resample") as caught:
        scans(tmp_path)
    assert "\n" not in str(caught.value)
    moved[0, 3] = 1e-4  # as another program rounds
    write(tmp_path / "a" / "x_mask.nii", affine=moved)
    assert scans(tmp_path)[0].mask is not None


def test_class_is_the_folder_at_the_top(tmp_path: Path) -> None:
    write(tmp_path / "AD" / "deep" / "sub-7" / "x.nii")
    write(tmp_path / "CN" / "y.nii")
    found = scans(tmp_path)
    assert [(scan.facts.label, scan.patient) for scan in found] == [("AD", "sub-7"), ("CN", None)]


@pytest.mark.parametrize(
    "places",
    [
        ["x.nii", "a/y.nii"],
        ["sub-01/anat/sub-01_T1w.nii", "sub-02/anat/sub-02_T1w.nii"],
        ["train/x.nii", "test/y.nii"],
        ["Roe/x.nii", "Doe/x.nii", "Poe/x.nii"],  # patients, not classes
    ],
)
def test_folders_that_are_no_classes_are_refused(tmp_path: Path, places: list[str]) -> None:
    for place in places:
        write(tmp_path / place)
    with pytest.raises(DataError, match=r"no labels for .*labels\.csv"):
        scans(tmp_path)


def test_participants_of_bids(tmp_path: Path) -> None:
    for subject in ("01", "02", "03"):
        write(tmp_path / f"sub-{subject}" / "ses-1" / "anat" / f"sub-{subject}_ses-1_T1w.nii.gz")
    text = "participant_id\tgroup\nsub-01\tAD\nsub-02\tCN\nsub-03\tn/a\n"
    (tmp_path / "participants.tsv").write_text(text)
    found = scans(tmp_path, column="group")
    assert [(scan.facts.label, scan.patient) for scan in found] == [
        ("AD", "sub-01"),
        ("CN", "sub-02"),
    ]


@pytest.mark.parametrize(
    ("text", "patient"),
    [
        ("file,label\nI42/scan_I42.nii,x\n", None),
        ("file,label\nscan_I42.nii,x\n", None),
        ("file,label\nscan_I42,x\n", None),
        ("Image Data ID,Subject,label\nI42,002_S_0413,x\n", "002_S_0413"),
        ("Subject,label\n002_S_0413,x\n", "002_S_0413"),
    ],
)
def test_labels_by_file_or_by_a_folder_on_the_path(tmp_path: Path, text: str, patient) -> None:
    root = tmp_path / "root"
    deep = "" if "I42/scan" in text else "002_S_0413/2006/"
    write(root / f"{deep}I42/scan_I42.nii")
    (tmp_path / "table.csv").write_text(text)
    (scan,) = scans(root, tmp_path / "table.csv")
    assert (scan.facts.label, scan.patient) == ("x", patient)


def test_bids_subject_may_be_written_without_sub(tmp_path: Path) -> None:
    write(tmp_path / "sub-07_T1w.nii")
    (tmp_path / "labels.csv").write_text("subject,label,fold\n07,x,2\n")
    (scan,) = scans(tmp_path)
    assert (scan.patient, scan.facts.fold) == ("07", 2)


def test_volumes_without_label_are_counted_or_left_out(tmp_path: Path) -> None:
    for name in ("a.nii", "b.nii", "c.nii"):
        write(tmp_path / name)
    (tmp_path / "labels.csv").write_text("file,label\na.nii,x\n")
    with pytest.raises(DataError, match=r"2 volumes have no label, the first is .*b\.nii"):
        scans(tmp_path)
    told: list[tuple[str, str]] = []
    found = list(
        labelled_scans(tmp_path, None, "label", lambda path, reason: told.append((path, reason)))
    )
    assert [Path(path).name for path, _ in told] == ["b.nii", "c.nii"]
    assert len(found) == 1
    (tmp_path / "labels.csv").write_text("file,label\na.nii,x\nb.nii,\nc,\n")
    assert len(scans(tmp_path)) == 1


def test_missing_table_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a" / "x.nii", np.zeros((2, 2, 2), np.uint8))
    with pytest.raises(DataError, match=r"no .*gone\.csv"):
        scans(tmp_path, tmp_path / "gone.csv")
