from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from tests.data.scans.dicom_files import dicom, item, place

from medqnn.data.scans.dicom_frames import read_frames


def test_single_image_has_one_frame_with_its_facts() -> None:
    data = dicom(
        **place(1, 0, 0, 0, 1, 0, at=(-10, -20, 30)),
        RescaleSlope=2,
        RescaleIntercept=-5,
        WindowCenter=40,
        WindowWidth=400,
    )
    (frame,) = read_frames(data)
    assert frame.position == (-10, -20, 30)
    assert frame.orientation == (1, 0, 0, 0, 1, 0)
    assert frame.spacing == (0.5, 0.25)
    assert frame.rescale == (2, -5)
    assert frame.window == (40, 400)
    assert frame.depth == 30


@pytest.mark.parametrize(
    ("axes", "plane"),
    [
        ((1, 0, 0, 0, 1, 0), "axial"),
        ((1, 0, 0, 0, 0, -1), "coronal"),
        ((0, 1, 0, 0, 0, -1), "sagittal"),
        ((1, 0, 0, 0, 0.9, -0.43), "axial"),  # oblique
        ((0.8, 0.6, 0, 0, 0, -1), "coronal"),
    ],
)
def test_plane_is_the_closest(axes: tuple[float, ...], plane: str) -> None:
    (frame,) = read_frames(dicom(**place(*axes)))
    assert frame.plane == plane


def test_depth_is_along_the_normal_of_an_oblique_image() -> None:
    axes = np.array([[0.6, 0.8, 0], [0, 0, -1]])
    normal = np.cross(*axes)
    point = 7 * normal + 3 * axes[0] - 2 * axes[1]
    (frame,) = read_frames(dicom(**place(*axes.ravel(), at=tuple(point))))
    assert frame.depth == pytest.approx(7)


def test_facts_come_from_the_frame_then_from_what_all_share() -> None:
    frames = np.zeros((3, 4, 4), np.uint16)
    shared = item(
        PixelMeasuresSequence=[item(PixelSpacing=[1, 2])],
        PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
    )
    own = [
        item(PlanePositionSequence=[item(ImagePositionPatient=[0, 0, depth])]) for depth in (5, 3)
    ]
    own[1].PixelMeasuresSequence = [item(PixelSpacing=[3, 4])]
    data = dicom(
        frames,
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=own,  # one too few
    )
    found = read_frames(data)
    assert [frame.depth for frame in found] == [5, 3, None]
    assert [frame.spacing for frame in found] == [(1, 2), (3, 4), (1, 2)]


def test_missing_and_unusable_facts_are_none() -> None:
    (frame,) = read_frames(Dataset())
    assert frame == (None, None, None, None, None)
    assert frame.plane is None
    assert frame.depth is None
    (frame,) = read_frames(dicom(ImagePositionPatient=[1, 2], PixelSpacing=["nan", "1"]))
    assert frame.position is None
    assert frame.spacing is None
