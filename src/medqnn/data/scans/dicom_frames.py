"""Where each frame of a DICOM file lies and how its pixels become intensities.

A file of one image says so at its top level; an enhanced multi-frame file in groups of facts, one
for each frame and one that all frames share.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

FRAME_TAGS = (
    "NumberOfFrames",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "RescaleSlope",
    "RescaleIntercept",
    "WindowCenter",
    "WindowWidth",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
_PLANES = ("sagittal", "coronal", "axial")  # by the axis that is closest to the normal


class Frame(NamedTuple):
    """What the header says of one image; None where it says nothing.

    Attributes:
        position: of the centre of the first pixel, x, y, z in mm, patient coordinates.
        orientation: direction cosines of a row and of a column, six numbers.
        spacing: between rows and between columns, in mm.
        rescale: slope and intercept.
        window: center and width, the first where there are several.
    """

    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    rescale: tuple[float, float] | None
    window: tuple[float, float] | None

    @property
    def plane(self) -> str | None:
        """The closest of "axial", "coronal" and "sagittal"."""
        normal = self._normal()
        return None if normal is None else _PLANES[int(np.argmax(np.abs(normal)))]

    @property
    def depth(self) -> float | None:
        """Position along the normal of the image plane, in mm."""
        normal = self._normal()
        return None if normal is None or self.position is None else float(normal @ self.position)

    def _normal(self) -> np.ndarray | None:
        if self.orientation is None:
            return None
        return np.cross(self.orientation[:3], self.orientation[3:])


def read_frames(data: Dataset) -> tuple[Frame, ...]:
    """Give the facts of every frame in the order of the file."""
    shared = _first(data, "SharedFunctionalGroupsSequence")
    groups = list(data.get("PerFrameFunctionalGroupsSequence") or ())
    return tuple(
        _frame(data, [*groups[index : index + 1], shared]) for index in range(count_frames(data))
    )


def _frame(data: Dataset, groups: list[Dataset]) -> Frame:
    """Facts of one frame: from its own groups, then the shared ones, then the file."""

    def find(sequence: str, keyword: str, count: int) -> tuple[float, ...] | None:
        items = [_first(group, sequence) for group in groups]
        found = (_numbers(item, keyword, count) for item in (*items, data))
        return next((numbers for numbers in found if numbers), None)

    slope = find("PixelValueTransformationSequence", "RescaleSlope", 1)
    intercept = find("PixelValueTransformationSequence", "RescaleIntercept", 1)
    center = find("FrameVOILUTSequence", "WindowCenter", 1)
    width = find("FrameVOILUTSequence", "WindowWidth", 1)
    return Frame(
        position=find("PlanePositionSequence", "ImagePositionPatient", 3),
        orientation=find("PlaneOrientationSequence", "ImageOrientationPatient", 6),
        spacing=find("PixelMeasuresSequence", "PixelSpacing", 2),
        rescale=(slope[0], intercept[0]) if slope and intercept else None,
        window=(center[0], width[0]) if center and width else None,
    )


def _first(data: Dataset, keyword: str) -> Dataset:
    """First item of a sequence; nothing if there is none."""
    return next(iter(data.get(keyword) or ()), Dataset())


def _numbers(data: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """The first numbers of an element; None if there are fewer, or not finite ones."""
    value = data.get(keyword)
    values = [] if value is None else value if isinstance(value, MultiValue) else [value]
    numbers = tuple(float(number) for number in values[:count])
    return _shared(numbers) if len(numbers) == count and np.isfinite(numbers).all() else None


@lru_cache(maxsize=1024)  # the slices of a series agree in most: one tuple for all saves memory
def _shared(numbers: tuple[float, ...]) -> tuple[float, ...]:
    return numbers


def count_frames(data: Dataset) -> int:
    """Number of frames that the header speaks of."""
    frames = data.get("NumberOfFrames")
    return 1 if frames is None else int(frames)
