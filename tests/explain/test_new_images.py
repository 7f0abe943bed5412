from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.scans import dicom_files, nifti_files
from medqnn.data.cache import decode
from medqnn.data.scans.dicom import read_dicom_folder
from medqnn.data.scans.nifti import read_nifti_folder
from medqnn.errors import DataError
from medqnn.explain.new_images import NewImage, read_images
from medqnn.training.inputs import load_inputs
from training.tiny import small_inputs, tiny_recipe, write_folder


def read(file: object, *overrides: str) -> NewImage:
    return read_images([str(file)], tiny_recipe(*overrides))[0]


def test_a_picture_is_what_training_would_have_read(tmp_path: Path) -> None:
    inputs = small_inputs(write_folder(tmp_path / "squares"))
    for row in (0, 5):
        name = inputs.table.rows["id"].iloc[row]
        image = read(tmp_path / "squares" / name)
        assert (image.name, image.mask, image.label) == (name, None, None)
        assert np.array_equal(image.pixels, inputs.decoded.images[row])


@pytest.mark.parametrize("scaling", ["min-max", "dtype"])
def test_the_recipe_says_size_channels_and_scaling(tmp_path: Path, scaling: str) -> None:
    folder = write_folder(tmp_path / "squares")
    sets = ("data.image_size=32", "data.channels=3", f"data.scaling={scaling}")
    inputs = load_inputs(tiny_recipe(*sets), str(folder))
    image = read(folder / inputs.table.rows["id"].iloc[3], *sets)
    assert image.pixels.shape == (3, 32, 32)
    assert np.array_equal(image.pixels, inputs.decoded.images[3])


def test_a_grey_picture_saved_in_colours_is_read_a_coloured_one_refused(tmp_path: Path) -> None:
    ramp = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    Image.fromarray(ramp).convert("RGB").save(tmp_path / "grey.jpg", quality=30)
    assert read(tmp_path / "grey.jpg").pixels.shape == (1, 16, 16)
    marked = np.repeat(ramp[..., None], 3, axis=2)
    marked[5:8, 5:8] = (255, 0, 0)  # an arrow that somebody drew
    Image.fromarray(marked).save(tmp_path / "marked.png")
    with pytest.raises(DataError, match=r"marked.png has colours, and .* read grey images"):
        read(tmp_path / "marked.png")
    assert read(tmp_path / "marked.png", "data.channels=3").pixels.shape == (3, 16, 16)


def test_a_dicom_file_is_called_by_its_pseudonym_and_read_as_in_a_folder(tmp_path: Path) -> None:
    path = dicom_files.write(tmp_path / "Roe_Jane.dcm", dicom_files.dicom())
    dicom_files.label(tmp_path, "PatientID,label\nQX-4711,glioma\n")
    table = read_dicom_folder(tmp_path)
    image = read(path)
    assert image.name == table.rows["id"].iloc[0]
    assert not any(secret in image.name for secret in dicom_files.SECRETS)
    assert np.array_equal(image.pixels, decode(table, 16).images[0])


def test_a_frame_is_named_by_its_number(tmp_path: Path) -> None:
    frames = np.stack([dicom_files.RAMP, dicom_files.RAMP.max() - dicom_files.RAMP])
    path = dicom_files.write(tmp_path / "many.dcm", dicom_files.dicom(frames))
    first, second = (read(f"{path}:{number}") for number in (1, 2))
    assert first.name.endswith("-1")
    assert second.name == f"{first.name[:-2]}-2"
    assert first.pixels[0, 8, 0] < first.pixels[0, 8, -1]
    assert second.pixels[0, 8, 0] > second.pixels[0, 8, -1]
    with pytest.raises(DataError, match=r"many.dcm holds 2 frames: say which .*many.dcm:2"):
        read(path)


def test_plain_ids_are_used_if_the_recipe_does(tmp_path: Path) -> None:
    path = dicom_files.write(tmp_path / "a.dcm", dicom_files.dicom(number=7))
    image = read(path, "data.scans.plain_patient_ids=true")
    assert image.name == f"{dicom_files.ROOT}.3.7"


@pytest.mark.parametrize("plane", ["axial", "sagittal"])
def test_a_slice_of_a_volume_is_that_of_the_recipes_plane(tmp_path: Path, plane: str) -> None:
    path = nifti_files.write(tmp_path / "glioma" / "jane.nii.gz")
    nifti_files.write(tmp_path / "healthy" / "other.nii.gz")
    sets = (f"data.scans.plane={plane}", "data.image_size=16")
    image = read(f"{path}:2", *sets)
    table = read_nifti_folder(tmp_path, plane=plane)
    rows = table.rows
    row = rows.index[(rows["slice"] == 2) & (rows["label"] == "glioma")][0]
    assert np.array_equal(image.pixels, decode(table, 16).images[row])
    assert "jane" not in image.name
    count = {"axial": 5, "sagittal": 3}[plane]
    for given in (path, f"{path}:{count + 1}", f"{path}:0"):
        with pytest.raises(DataError, match=rf"holds {count} {plane} slices: say which"):
            read(given, *sets)


def test_a_volume_of_one_slice_needs_no_number(tmp_path: Path) -> None:
    voxels = nifti_files.VOXELS[:, :, :1]
    path = nifti_files.write(tmp_path / "one.nii", voxels)
    assert read(path).name.endswith("-1")


def folder_in_its_place(path: Path) -> Path:
    path.mkdir()
    return path


def text(path: Path) -> Path:
    path.write_text("no picture")
    return path


def picture(path: Path) -> str:
    Image.fromarray(np.eye(9, dtype=np.uint8)).save(path)
    return f"{path}:3"


@pytest.mark.parametrize(
    ("name", "make", "fault"),
    [
        ("a.png", lambda path: path, "no file .*a.png: give a picture"),
        ("set", folder_in_its_place, "set is a folder: give files, or a data set by --data .*set"),
        ("a.png", text, "cannot read the image .*a.png"),
        ("a.dcm", text, "a.dcm"),
        ("a.nii.gz", text, "a.nii.gz: is damaged or not NIfTI"),
        ("a.png", picture, "a.png is a single picture: leave out :3"),
    ],
)
def test_what_is_no_image_is_said_in_one_line(
    tmp_path: Path, name: str, make: Callable[[Path], object], fault: str
) -> None:
    with pytest.raises(DataError, match=fault) as found:
        read(make(tmp_path / name))
    assert "\n" not in str(found.value)


def test_a_file_whose_name_has_a_colon_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png:3"
    Image.fromarray(np.eye(9, dtype=np.uint8)).save(path, format="png")
    assert read(path).name == "a.png:3"


def test_one_row_of_pixels_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((1, 9), dtype=np.uint8)).save(tmp_path / "line.png")
    with pytest.raises(DataError, match=r"line.png: the image is 9×1 pixels"):
        read(tmp_path / "line.png")
