from __future__ import annotations

import gzip
from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from tests.data.scans.nifti_files import AFFINE, SHAPE, SPACING, VOXELS, write

from medqnn.data.scans import nifti_volume
from medqnn.data.scans.nifti_volume import PLANES, read_volume
from medqnn.errors import DataError

ORIENTATIONS = [
    np.array(list(zip(axes, flips, strict=True)))
    for axes in permutations(range(3))
    for flips in product((1, -1), repeat=3)
]


def test_axial_slice_has_the_front_up_and_the_right_on_the_left(tmp_path: Path) -> None:
    volume = read_volume(str(write(tmp_path / "a.nii")))
    image = volume.slice("axial", 1)
    assert image.shape == (4, 3)
    assert image[0, 0] == VOXELS[2, 3, 1]  # the rightmost, frontmost voxel
    assert image[0, 2] == VOXELS[0, 3, 1]  # left
    assert image[3, 0] == VOXELS[2, 0, 1]  # back


def test_coronal_slice_has_the_head_up_and_the_right_on_the_left(tmp_path: Path) -> None:
    image = read_volume(str(write(tmp_path / "a.nii"))).slice("coronal", 2)
    assert image.shape == (5, 3)
    assert image[0, 0] == VOXELS[2, 2, 4]
    assert image[0, 2] == VOXELS[0, 2, 4]
    assert image[4, 0] == VOXELS[2, 2, 0]


def test_sagittal_slice_has_the_head_up_and_the_front_on_the_left(tmp_path: Path) -> None:
    image = read_volume(str(write(tmp_path / "a.nii"))).slice("sagittal", 0)
    assert image.shape == (5, 4)
    assert image[0, 0] == VOXELS[0, 3, 4]
    assert image[0, 3] == VOXELS[0, 0, 4]
    assert image[4, 0] == VOXELS[0, 3, 0]


@pytest.mark.parametrize(
    "orientation", ORIENTATIONS, ids=lambda o: "".join(nib.orientations.ornt2axcodes(o))
)
def test_slices_do_not_depend_on_how_the_axes_are_stored(tmp_path: Path, orientation) -> None:
    image = nib.Nifti1Image(VOXELS, AFFINE)
    turned = image.as_reoriented(orientation)
    nib.save(turned, tmp_path / "turned.nii.gz")
    straight = read_volume(str(write(tmp_path / "straight.nii")))
    volume = read_volume(str(tmp_path / "turned.nii.gz"))
    for plane, axis in PLANES.items():
        assert volume.count(plane) == SHAPE[axis]
        assert volume.spacing(plane) == pytest.approx(straight.spacing(plane))
        for index in range(SHAPE[axis]):
            np.testing.assert_array_equal(volume.slice(plane, index), straight.slice(plane, index))
        np.testing.assert_array_equal(volume.occupied(plane), straight.occupied(plane))


def test_spacing_is_between_rows_and_between_columns(tmp_path: Path) -> None:
    volume = read_volume(str(write(tmp_path / "a.nii")))
    right, front, up = SPACING
    assert volume.spacing("axial") == (front, right)
    assert volume.spacing("coronal") == (up, right)
    assert volume.spacing("sagittal") == (up, front)


def test_oblique_volume_is_sliced_along_the_closest_axes(tmp_path: Path) -> None:
    angle = np.deg2rad(20)
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    affine = AFFINE.copy()
    affine[:3, :3] = turn @ AFFINE[:3, :3]
    tilted = read_volume(str(write(tmp_path / "tilted.nii", affine=affine)))
    straight = read_volume(str(write(tmp_path / "straight.nii")))
    np.testing.assert_array_equal(tilted.slice("axial", 2), straight.slice("axial", 2))


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "A.NII.GZ"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i8", "f4", "f8"])
def test_formats_compression_and_types(tmp_path: Path, kind, name: str, dtype: str) -> None:
    path = tmp_path / "b.nii"
    nib.save(kind(VOXELS.astype(dtype), AFFINE, dtype=np.dtype(dtype)), path)
    content = path.read_bytes()
    (tmp_path / name).write_bytes(gzip.compress(content) if "gz" in name.lower() else content)
    volume = read_volume(str(tmp_path / name))
    np.testing.assert_array_equal(volume.slice("sagittal", 1), VOXELS[1, ::-1, ::-1].T)


def test_big_endian_file(tmp_path: Path) -> None:
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(np.int16)
    nib.save(nib.Nifti1Image(VOXELS, AFFINE, header), tmp_path / "a.nii")
    assert (tmp_path / "a.nii").read_bytes()[:4] == b"\0\0\1\x5c"
    volume = read_volume(str(tmp_path / "a.nii"))
    np.testing.assert_array_equal(volume.slice("sagittal", 1), VOXELS[1, ::-1, ::-1].T)


def test_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VOXELS, AFFINE)
    image.header.set_slope_inter(0.5, -10)
    nib.save(image, tmp_path / "a.nii.gz")
    stored = nib.load(tmp_path / "a.nii.gz")
    volume = read_volume(str(tmp_path / "a.nii.gz"))
    np.testing.assert_allclose(
        volume.slice("sagittal", 1), np.asarray(stored.dataobj)[1, ::-1, ::-1].T, atol=1e-4
    )
    assert (volume.slope, volume.intercept) == (0.5, -10)
    assert volume.occupied("sagittal").tolist() == (VOXELS * 0.5 > 10).any(axis=(1, 2)).tolist()


def test_occupied_slices_are_those_above_zero(tmp_path: Path) -> None:
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[1, 2, 3] = voxels[0, 2, 1] = 1
    volume = read_volume(str(write(tmp_path / "a.nii.gz", voxels)))
    assert volume.occupied("axial").tolist() == [False, True, False, True, False]
    assert volume.occupied("coronal").tolist() == [False, False, True, False]
    assert volume.occupied("sagittal").tolist() == [True, True, False]


def test_one_volume_of_a_fourth_axis_and_a_flat_image_are_taken(tmp_path: Path) -> None:
    write(tmp_path / "four.nii", VOXELS[..., np.newaxis])
    assert read_volume(str(tmp_path / "four.nii")).shape == SHAPE
    write(tmp_path / "flat.nii", VOXELS[..., 0])
    flat = read_volume(str(tmp_path / "flat.nii"))
    assert flat.shape == (3, 4, 1)
    np.testing.assert_array_equal(flat.slice("axial", 0), VOXELS[::-1, ::-1, 0].T)


def test_volumes_over_time_colors_and_complex_numbers_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.nii", np.zeros((3, 4, 5, 2), np.int16))
    with pytest.raises(DataError, match=r"a\.nii: holds 3×4×5×2 values of int16: one volume"):
        read_volume(str(tmp_path / "a.nii"))
    write(tmp_path / "a.nii", VOXELS.astype(np.complex64))
    with pytest.raises(DataError, match="3×4×5 values of complex64"):
        read_volume(str(tmp_path / "a.nii"))
    rgb = np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    write(tmp_path / "a.nii", rgb)
    with pytest.raises(DataError, match="one volume of real numbers is read"):
        read_volume(str(tmp_path / "a.nii"))


def test_compressed_volume_is_read_once_for_all_slices(tmp_path: Path, monkeypatch) -> None:
    read = []
    original = nifti_volume._read

    def counted(volume: nifti_volume.Volume) -> np.ndarray:
        read.append(volume.path)
        return original(volume)

    monkeypatch.setattr(nifti_volume, "_read", counted)
    volumes = [read_volume(str(write(tmp_path / f"{n}.nii.gz", VOXELS + n))) for n in range(6)]
    for volume in volumes:
        for index in range(volume.count("axial")):
            volume.slice("axial", index)
    assert len(read) == 6
    assert len(nifti_volume._kept) == 4
    write(tmp_path / "5.nii.gz", VOXELS + 900)  # changed: read again
    assert read_volume(str(tmp_path / "5.nii.gz")).slice("axial", 0).min() == 900
    assert len(read) == 7
