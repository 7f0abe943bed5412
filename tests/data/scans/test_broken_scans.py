"""Broken DICOM and NIfTI files: each ends in one line that names the file."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydicom import uid
from pydicom.encaps import encapsulate, generate_frames
from tests.data.scans import nifti_files
from tests.data.scans.dicom_files import CODECS, SECRETS, dicom, write

from medqnn.data.scans.dicom_header import read_header
from medqnn.data.scans.dicom_pixels import read_dicom_image
from medqnn.data.scans.nifti import read_nifti_folder
from medqnn.errors import DataError

HTML = b"<!DOCTYPE html>\n<html><body>Log in to download</body></html>\n"
STRANGE_NAMES = ["with space.dcm", "ünïcode 漢.dcm", "two\nlines.dcm", "caf\udce9.dcm"]


@pytest.fixture(autouse=True)
def salt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQNN_SALT", "the salt of these tests")


def read_dicom(path: Path) -> None:
    """Read header and pixels of a file that must be an image."""
    header = read_header(str(path))
    assert header is not None
    for number in range(len(header.frames)):
        read_dicom_image(pd.Series({"source": str(path), "frame": number + 1}))


def read_nifti(path: Path) -> None:
    """Read the slices of the only volume in a folder."""
    (path.parent / "labels.csv").write_text(f"file,label\n{path.name},x\n")
    table = read_nifti_folder(path.parent)
    for number in range(len(table)):
        table.read(table.rows.iloc[number])


def refused(read: Callable[[Path], None], path: Path) -> str:
    """The message of the error that reading a file ends in."""
    with pytest.raises(DataError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name.encode("unicode_escape").decode() in message or path.name in message
    assert not any(secret in message for secret in SECRETS)
    return message


def made(folder: Path, change: Callable[[bytes], bytes] = bytes, **elements) -> Path:
    """A DICOM file whose content is changed afterwards."""
    path = write(folder / "broken.dcm", dicom(**elements))
    path.write_bytes(change(path.read_bytes()))
    return path


def test_sound_files_are_read(tmp_path: Path) -> None:
    read_dicom(made(tmp_path))
    read_nifti(nifti_files.write(tmp_path / "a.nii.gz"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: b"", "is empty"),
        (lambda content: HTML, "not DICOM"),
        (lambda content: b"\x89PNG\r\n\x1a\n" + bytes(300), "not DICOM"),
        (lambda content: content[:100], "not DICOM"),
        (lambda content: content[:140], "not DICOM|no SOPClassUID"),
        (lambda content: content[:500], "cut off"),
        (lambda content: content[:-1], "holds 69 bytes of pixels, too few for 1 frames of 7×5"),
        (lambda content: content[: content.index(b"\xe0\x7f\x10\x00")], "has no pixels"),
        (lambda content: content.replace(b"ISO_IR", b"\xff\xfe\xfd"), ""),
        (lambda content: content.replace(b"MONOCHROME2", b"MONOCHROME7"), "photometric"),
        (
            lambda content: content.replace(b"(\0\x10\0US\2\0\5\0", b"(\0\x10\0US\2\0\xff\xff"),
            "too few",
        ),
        (
            lambda content: content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0"),
            "compressed as",
        ),
        (lambda content: b"\0" * 128 + b"DICM" + bytes(range(256)) * 9, "not DICOM|damaged"),
    ],
)
def test_broken_dicom_file(tmp_path: Path, change, reason: str) -> None:
    path = made(tmp_path, change)
    if not reason:
        read_dicom(path)  # an unknown character set spoils no pixel
    else:
        message = refused(read_dicom, path)
        assert any(part in message for part in reason.split("|")), message


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"Rows": 0}, "has frames of 7×0 pixels"),
        ({"Rows": 65535, "Columns": 65535}, "has frames of 65535×65535 pixels"),
        ({"Rows": 6}, "holds 70 bytes of pixels, too few for 1 frames of 7×6"),
        ({"NumberOfFrames": 2_000_000_000}, "too few for 2,000,000,000 frames"),
        ({"NumberOfFrames": -1}, "too few for -1 frames"),
        ({"BitsAllocated": 12}, "samples of 12 bits"),
        ({"SamplesPerPixel": 3}, "too few"),
        ({"PhotometricInterpretation": "HSV"}, "photometric interpretation"),
        ({"SOPInstanceUID": ""}, "has no SOPInstanceUID"),
        ({"BitsStored": 40}, "image 1 that cannot be decoded"),
    ],
)
def test_dicom_header_that_cannot_be(tmp_path: Path, elements: dict, reason: str) -> None:
    data = dicom()
    path = write(tmp_path / "broken.dcm", data)
    for keyword, value in elements.items():
        setattr(data, keyword, value)
    data.save_as(path)
    assert reason in refused(read_dicom, path)


def test_dicom_without_pixels_and_without_sizes(tmp_path: Path) -> None:
    data = dicom()
    path = write(tmp_path / "broken.dcm", data)
    del data.PixelData
    data.save_as(path)
    assert "has no pixels" in refused(read_dicom, path)
    del data.Rows
    data.save_as(path)
    assert "no Rows and Columns" in refused(read_dicom, path)


def test_deflated_dicom_is_refused_before_it_grows(tmp_path: Path) -> None:
    image = np.zeros((2000, 2000), np.uint16)
    path = write(tmp_path / "broken.dcm", dicom(image), uid.DeflatedExplicitVRLittleEndian)
    assert path.stat().st_size < image.nbytes / 500
    assert "compressed as Deflated" in refused(read_dicom, path)


@pytest.mark.parametrize("syntax", [uid.RLELossless, *CODECS], ids=lambda syntax: syntax.keyword)
@pytest.mark.parametrize("keep", [0.4, 0.9])
def test_compressed_dicom_that_is_cut_off(tmp_path: Path, syntax, keep: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    data = dicom(noise)
    path = write(tmp_path / "broken.dcm", data, syntax)
    content = path.read_bytes()
    start = content.index(b"\xe0\x7f\x10\x00")
    path.write_bytes(content[: start + int((len(content) - start) * keep)])
    assert "too few for 1 frames" in refused(read_dicom, path)
    (frame,) = generate_frames(data.PixelData, number_of_frames=1)
    data.PixelData = encapsulate([frame[: int(len(frame) * keep) // 2 * 2]])
    data.save_as(path)
    assert "cannot be decoded" in refused(read_dicom, path)


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_strange_names_are_read_and_named(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "x.dcm", dicom()).rename(tmp_path / name)
    read_dicom(path)
    path.write_bytes(HTML)
    refused(read_dicom, path)


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "loop.dcm").symlink_to(tmp_path / "loop.dcm")
    (tmp_path / "gone.dcm").symlink_to(tmp_path / "nothing")
    assert "symbolic links" in refused(read_dicom, tmp_path / "loop.dcm")
    assert "No such file" in refused(read_dicom, tmp_path / "gone.dcm")
    (tmp_path / "folder.dcm").mkdir()
    assert "directory" in refused(read_dicom, tmp_path / "folder.dcm")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_files_that_may_not_be_read(tmp_path: Path) -> None:
    path = made(tmp_path)
    path.chmod(0)
    assert "Permission denied" in refused(read_dicom, path)
    volume = nifti_files.write(tmp_path / "v" / "a.nii")
    volume.chmod(0)
    assert "Permission denied" in refused(read_nifti, volume)


def header(content: bytes, offset: int, form: str, *values: float) -> bytes:
    """Content of a NIfTI 1 file with some fields of its header replaced."""
    mutable = bytearray(content)
    struct.pack_into("<" + form, mutable, offset, *values)
    return bytes(mutable)


@pytest.mark.parametrize("name", ["broken.nii", "broken.nii.gz"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: HTML, "not NIfTI"),
        (lambda content: content[:200], "not NIfTI"),
        (lambda content: content[:-1], "too few for|cut off"),
        (lambda content: header(content, 40, "8h", 3, *[32767] * 7), "too few|more than 1,024 MiB"),
        (lambda content: header(content, 40, "8h", 3, 3, -4, 5, 1, 1, 1, 1), "NIfTI|no length"),
        (lambda content: header(content, 40, "h", 0), "NIfTI|one volume|too few|no length"),
        (lambda content: header(content, 70, "h", 12345), "not NIfTI"),
        (lambda content: header(content, 108, "f", 1e9), "too few|not NIfTI|more than"),
        (lambda content: header(content, 108, "f", float("nan")), "not NIfTI"),
        (lambda content: header(content, 280, "f", float("nan")), "not NIfTI"),
        (lambda content: header(content, 280, "12f", *[0.0] * 12), "without a direction|not NIfTI"),
    ],
)
def test_broken_nifti_file(tmp_path: Path, name: str, change, reason: str) -> None:
    content = change(nifti_files.write(tmp_path / "sound.nii").read_bytes())
    (tmp_path / "sound.nii").unlink()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    message = refused(read_nifti, tmp_path / name)
    assert any(part in message for part in reason.split("|")), message


def test_empty_nifti_file_and_one_that_is_not_compressed(tmp_path: Path) -> None:
    (tmp_path / "broken.nii.gz").write_bytes(b"")
    assert "is empty" in refused(read_nifti, tmp_path / "broken.nii.gz")
    nifti_files.write(tmp_path / "broken.nii").rename(tmp_path / "broken.nii.gz")
    assert "not NIfTI" in refused(read_nifti, tmp_path / "broken.nii.gz")


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.98])
def test_compressed_nifti_that_is_cut_off(tmp_path: Path, keep: float) -> None:
    noise = np.random.default_rng(0).integers(0, 4000, (20, 20, 20), dtype=np.uint16)
    path = nifti_files.write(tmp_path / "broken.nii.gz", noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    refused(read_nifti, path)


def test_compressed_nifti_with_a_wrong_checksum(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 4000, (70, 70, 70), dtype=np.uint16)
    path = nifti_files.write(tmp_path / "broken.nii.gz", noise)  # larger than any buffer
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)
    assert "compressed data are damaged" in refused(read_nifti, path)


def test_nifti_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    content = nifti_files.write(tmp_path / "sound.nii").read_bytes()
    (tmp_path / "sound.nii").unlink()
    huge = header(content, 40, "8h", 3, 2000, 2000, 200, 1, 1, 1, 1)
    path = tmp_path / "broken.nii.gz"
    path.write_bytes(
        gzip.compress(huge + bytes(2 * 10**7)) + gzip.compress(bytes(2 * 10**9 // 1000))
    )
    message = refused(read_nifti, path)
    assert "too few" in message or "more than 1,024 MiB" in message
