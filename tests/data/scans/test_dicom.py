from __future__ import annotations

import logging
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread, uid
from tests.data.scans.dicom_files import (
    PERSON,
    RAMP,
    ROOT,
    SECRETS,
    dicom,
    item,
    label,
    place,
    write,
)

from medqnn.data.cache import decode
from medqnn.data.scans.dicom import is_dicom_folder, read_dicom_folder
from medqnn.data.scans.pseudonyms import namer
from medqnn.errors import DataError


@pytest.fixture(autouse=True)
def salt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQNN_SALT", "the salt of these tests")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two patients; the first has a series of three images, listed in no order."""
    for number, depth in ((1, 10), (2, -10), (3, 0)):
        data = dicom(RAMP + number, number, **place(1, 0, 0, 0, 1, 0, at=(0, 0, depth)))
        write(tmp_path / "Roe^Jane" / "study" / f"IM{number}", data)
    other = {"PatientID": "P2", "SeriesInstanceUID": f"{ROOT}.9", "StudyInstanceUID": f"{ROOT}.8"}
    write(tmp_path / "b" / f"{ROOT}.3.4", dicom(RAMP, 4, **other))
    write(tmp_path / "b" / "x.IMA", dicom(RAMP, 5, **other))
    label(tmp_path, "PatientID,label,Sex\nQX-4711,glioma,F\nP2,healthy,M\n")
    return tmp_path


def test_rows_follow_space_and_hold_pseudonyms(folder: Path) -> None:
    table = read_dicom_folder(folder)
    rows = table.rows
    name = namer()
    assert rows["id"].tolist() == [name("image", f"{ROOT}.3.{n}") for n in (2, 3, 1, 4, 5)]
    assert rows["label"].tolist() == ["glioma"] * 3 + ["healthy"] * 2
    assert (
        rows["patient"].tolist() == [name("patient", "QX-4711")] * 3 + [name("patient", "P2")] * 2
    )
    assert rows["attribute:sex"].tolist() == ["F"] * 3 + ["M"] * 2
    assert rows["position_mm"].tolist()[:3] == [-10, 0, 10]
    assert rows["plane"].tolist()[:3] == ["axial"] * 3
    assert rows["orientation"][0] == (1, 0, 0, 0, 1, 0)
    assert (rows["row_mm"][0], rows["column_mm"][0]) == (0.5, 0.25)
    assert rows["position_mm"].isna().tolist() == [False] * 3 + [True] * 2
    assert rows["series"].nunique() == 2
    assert table.classes == ("glioma", "healthy")
    assert table.patients_known
    assert not table.has_folds
    assert not table.has_split


def test_nothing_personal_is_in_the_table_but_its_paths(folder: Path) -> None:
    table = read_dicom_folder(folder)
    text = table.rows.drop(columns="source").to_csv() + repr(table.classes)
    assert not any(secret in text for secret in SECRETS)
    assert ROOT not in text


def test_plain_ids_on_demand(folder: Path) -> None:
    rows = read_dicom_folder(folder, plain_patient_ids=True).rows
    assert rows["patient"].unique().tolist() == [PERSON["PatientID"], "P2"]
    assert rows["id"][0] == f"{ROOT}.3.2"


def test_pixels_can_be_read_and_cached(folder: Path) -> None:
    table = read_dicom_folder(folder, window="percentile")
    np.testing.assert_allclose(
        table.read(table.rows.iloc[2]).image,
        np.clip(RAMP + 1, *np.percentile(RAMP + 1, (0.5, 99.5))),
    )
    decoded = decode(table, size=8)
    assert decoded.images.shape == (5, 1, 8, 8)
    assert not decoded.annotated.any()
    assert pickle.loads(pickle.dumps(table.read)).keywords == {"window": "percentile"}


@pytest.mark.parametrize(
    ("header", "keys"),
    [
        ("SOPInstanceUID", [f"{ROOT}.3.{number}" for number in range(1, 6)]),
        ("Series Instance UID", [f"{ROOT}.2", f"{ROOT}.9"]),
        ("patient_id", ["QX-4711", "P2"]),
    ],
)
def test_labels_by_image_series_and_patient(folder: Path, header: str, keys: list[str]) -> None:
    lines = [f"{key},{index % 2},{index % 2 or ''}" for index, key in enumerate(keys)]
    label(folder, "\n".join([f"{header},label,fold", *lines]))
    rows = read_dicom_folder(folder).rows
    if len(keys) == 5:
        assert rows["label"].tolist() == ["1", "0", "0", "1", "0"]
    else:
        assert rows["label"].tolist() == ["0"] * 3 + ["1"] * 2
        assert rows["fold"].isna().tolist() == [True] * 3 + [False] * 2


def test_labels_elsewhere_with_another_column_and_a_split(folder: Path, tmp_path_factory) -> None:
    table = tmp_path_factory.mktemp("elsewhere") / "clinical.csv"
    table.write_text("Subject,Group,split\nQX-4711,AD,train\nP2,CN,test\n")
    found = read_dicom_folder(folder, table, label_column="Group")
    assert found.classes == ("AD", "CN")
    assert found.rows["split"].tolist() == ["train"] * 3 + ["test"] * 2


def test_frames_become_rows_in_the_order_of_space(tmp_path: Path) -> None:
    frames = np.stack([RAMP, RAMP + 1, RAMP + 2])
    groups = [
        item(PlanePositionSequence=[item(ImagePositionPatient=[0, 0, depth])])
        for depth in (5, 9, 7)
    ]
    shared = item(PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])])
    data = dicom(
        frames,
        PerFrameFunctionalGroupsSequence=groups,
        SharedFunctionalGroupsSequence=[shared],
    )
    write(tmp_path / "a.dcm", data)
    label(tmp_path, "PatientID,label\nQX-4711,glioma\n")
    table = read_dicom_folder(tmp_path, window="percentile")
    rows = table.rows
    assert rows["frame"].tolist() == [1, 3, 2]
    assert rows["id"].tolist() == [f"{namer()('image', f'{ROOT}.3.1')}-{n}" for n in (1, 3, 2)]
    assert [round(table.read(rows.iloc[n]).image.mean()) for n in range(3)] == [1700, 1702, 1701]


def test_without_patient_the_study_stands_for_it(folder: Path) -> None:
    write(folder / "b" / "x.IMA", dicom(RAMP, 5, PatientID="", StudyInstanceUID=f"{ROOT}.8"))
    label(folder, f"SeriesInstanceUID,label\n{ROOT}.2,a\n{ROOT}.9,b\n")
    table = read_dicom_folder(folder)
    assert not table.patients_known
    assert namer()("study", f"{ROOT}.8") in set(table.rows["patient"])


def test_label_table_may_name_the_patients(folder: Path) -> None:
    label(folder, f"SeriesInstanceUID,PatientID,label\n{ROOT}.2,A,a\n{ROOT}.9,A,b\n")
    assert read_dicom_folder(folder).rows["patient"].unique().tolist() == [namer()("patient", "A")]


def test_images_without_label_are_counted_or_left_out(folder: Path) -> None:
    label(folder, "PatientID,label\nP2,healthy\n")
    with pytest.raises(DataError, match=r"3 DICOM files have no label, the first is .*IM1: add"):
        read_dicom_folder(folder)
    told = []
    table = read_dicom_folder(folder, on_bad=lambda path, reason: told.append((path, reason)))
    assert len(table) == 2
    assert [Path(path).name for path, _ in told] == ["IM1", "IM2", "IM3"]
    assert all("has no label" in reason for _, reason in told)
    assert not any(secret in reason for _, reason in told for secret in SECRETS)
    label(folder, "PatientID,label\nP2,healthy\nQX-4711,\n")
    assert len(read_dicom_folder(folder)) == 2


def test_folder_without_labels_is_refused(folder: Path) -> None:
    (folder / "labels.csv").unlink()
    with pytest.raises(DataError, match=r"no .*labels\.csv: write one with the columns PatientID"):
        read_dicom_folder(folder)
    label(folder, "PatientID,label\nQX-4711,\nP2,\n")
    with pytest.raises(DataError, match=r"holds no DICOM image that labels\.csv labels"):
        read_dicom_folder(folder)


def test_second_copy_of_an_image_is_refused(folder: Path) -> None:
    shutil.copy(folder / "b" / "x.IMA", folder / "b" / "y.dcm")
    with pytest.raises(DataError, match=r"y\.dcm: holds the same image as a file before"):
        read_dicom_folder(folder)
    assert len(read_dicom_folder(folder, on_bad=lambda path, reason: None)) == 5


def test_other_objects_and_other_files_are_left_out(folder: Path) -> None:
    report = dicom(SOPClassUID=uid.BasicTextSRStorage)
    for keyword in ("Rows", "Columns", "PixelData"):
        del report[keyword]
    report.file_meta = None
    write_without_pixels(folder / "report.dcm", report)
    write(folder / "seg.dcm", dicom(RAMP, 77, SOPClassUID=uid.SegmentationStorage))
    (folder / "README").write_text("no image")
    (folder / "scan.jpg").write_text("not asked")
    (folder / ".hidden.dcm").write_text("a leftover")
    assert len(read_dicom_folder(folder)) == 5


def write_without_pixels(path: Path, data) -> None:
    from pydicom.dataset import FileMetaDataset

    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    data.save_as(path, enforce_file_format=True)


def test_folder_is_told_by_names_or_content(folder: Path, tmp_path_factory) -> None:
    assert is_dicom_folder(folder)
    other = tmp_path_factory.mktemp("other")
    (other / "a.png").write_bytes(b"\0" * 128 + b"DICM")
    (other / "notes").write_text("nothing")
    assert not is_dicom_folder(other)
    shutil.copy(folder / "b" / f"{ROOT}.3.4", other / "IM")
    assert is_dicom_folder(other)


def test_nothing_is_logged_or_printed(folder: Path, caplog, capfd) -> None:
    path = folder / "b" / "x.IMA"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"19610402", b"Jane Roe"))  # an invalid date
    (folder / "bad.dcm").write_bytes(content[:300])
    with caplog.at_level(logging.DEBUG):
        table = read_dicom_folder(folder, on_bad=lambda path, reason: None)
        for number in range(len(table)):
            table.read(table.rows.iloc[number])
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


def test_real_series_and_multi_frame_file(shared_data: Path, tmp_path: Path) -> None:
    series = {}
    for path in sorted((shared_data / "dicom_brain_mr").glob("*.dcm")):
        (tmp_path / path.name).symlink_to(path)
        series[dcmread(path, stop_before_pixels=True).SeriesInstanceUID] = path.stem
    label(
        tmp_path, "SeriesInstanceUID,label\n" + "".join(f"{k},{v[:3]}\n" for k, v in series.items())
    )
    table = read_dicom_folder(tmp_path)
    assert table.counts()["total"].to_dict() == {"N2D": 20, "enh": 10, "total": 30}
    brain = table.rows[table.rows["label"] == "N2D"]
    assert set(brain["plane"]) == {"axial"}
    steps = np.diff(brain["position_mm"].to_numpy(dtype=float))
    np.testing.assert_allclose(steps, 4 * 2 / 3, atol=1e-3)  # every fourth slice of 0.667 mm
    assert [Path(source).stem[-4:] for source in brain["source"]] == [
        f"{number:04d}" for number in range(153, 230, 4)
    ]
    decoded = decode(table, size=32)
    assert (decoded.images.max(axis=(1, 2, 3)) == 255).all()
