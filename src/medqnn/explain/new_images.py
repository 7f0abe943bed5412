"""Single files as a run's networks read them: decoded and prepared as in training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from medqnn.data.catalogue import Scans
from medqnn.data.folders import read_pixels
from medqnn.data.prepare import prepare
from medqnn.data.scans.pseudonyms import namer
from medqnn.data.table import Sample
from medqnn.errors import DataError
from medqnn.training.sections import Data, Recipe

COLOURED = 0.1  # difference between a pixel's channels, of the image's range: more is no rounding
FEW = 0.001  # share of coloured pixels that a grey JPEG may have


class NewImage(NamedTuple):
    """An image as networks read it.

    Attributes:
        name: A picture's file name; a scan's pseudonym, for its name may be the patient's.
        pixels: uint8 (C, H, W).
        mask: bool (H, W); None if nobody annotated it.
        label: What the data set says that it shows; None for a file.
    """

    name: str
    pixels: np.ndarray
    mask: np.ndarray | None = None
    label: str | None = None


def read_images(files: Sequence[str], recipe: Recipe) -> list[NewImage]:
    """Read single files as the data readers do, and prepare them by the run's recipe.

    Args:
        files: Pictures, DICOM files and NIfTI volumes. ``FILE:NUMBER`` takes a slice of a volume,
            in the recipe's plane, or a frame of a DICOM file, counted from 1.
        recipe: Says size, channels, scaling and how scans are read.

    Raises:
        DataError: A file that is not there, is none of these, holds several slices of which none
            is named, or has colours where the networks read grey.
    """
    return [_read(file, recipe.data) for file in files]


def scan_options(spec: Data) -> Scans:
    """How a recipe has scans read."""
    return Scans(**dict(spec.scans)) if spec.scans else Scans()


def _read(given: str, spec: Data) -> NewImage:
    path, number = _parted(given)
    name, sample = _sample(path, number, scan_options(spec))
    channels = int(spec.channels)
    if channels == 1:
        _require_grey(sample.image, path)
    try:
        pixels, _ = prepare(sample, spec.image_size, channels, spec.scaling)
    except ValueError as error:
        raise DataError(f"{path}: {error}: mend the file") from error
    return NewImage(name, pixels)


def _parted(given: str) -> tuple[Path, int | None]:
    """A file, and the number behind a colon."""
    path, number = Path(given).expanduser(), None
    head, _, tail = given.rpartition(":")
    if head and tail.isdecimal() and not path.exists():
        path, number = Path(head).expanduser(), int(tail)
    if path.is_dir():
        raise DataError(f"{path} is a folder: give files, or a data set by --data {path}")
    if not path.is_file():
        raise DataError(f"no file {path}: give a picture, a DICOM file or a NIfTI volume")
    return path, number


def _sample(path: Path, number: int | None, scans: Scans) -> tuple[str, Sample]:
    """Name and pixels of a file."""
    from medqnn.data.scans.nifti_files import is_nifti  # slow to load

    if is_nifti(str(path)):
        return _slice(path, number, scans)
    if _is_dicom(path):
        return _frame(path, number, scans)
    if number is not None:
        raise DataError(f"{path} is a single picture: leave out :{number}")
    return path.name, Sample(read_pixels(path), None)


def _is_dicom(path: Path) -> bool:
    from medqnn.data.scans.dicom_header import MAGIC

    try:
        with path.open("rb") as file:
            marked = file.read(132)[128:] == MAGIC
    except OSError as error:
        raise DataError(f"cannot read {path} ({error.strerror}): mend its permissions") from error
    return marked or path.suffix.lower() in (".dcm", ".dicom", ".ima")


def _slice(path: Path, number: int | None, scans: Scans) -> tuple[str, Sample]:
    """A slice of a NIfTI volume."""
    from medqnn.data.scans.nifti import read_nifti_slice
    from medqnn.data.scans.nifti_volume import read_volume

    count = read_volume(str(path)).count(scans.plane)
    number = _which(path, number, count, f"{scans.plane} slices")
    row = pd.Series({"source": str(path), "slice": number, "mask": None})
    name = namer(scans.plain_patient_ids)("image", path.name)
    return f"{name}-{number}", read_nifti_slice(row, scans.plane)


def _frame(path: Path, number: int | None, scans: Scans) -> tuple[str, Sample]:
    """A frame of a DICOM file; its name is the image's id in a data set that holds the file."""
    from medqnn.data.scans.dicom_header import read_header
    from medqnn.data.scans.dicom_pixels import read_dicom_image

    header = read_header(str(path))
    if header is None:
        raise DataError(f"{path} is a DICOM object without images: give one that holds an image")
    number = _which(path, number, len(header.frames), "frames")
    suffix = f"-{number}" if len(header.frames) > 1 else ""
    row = pd.Series({"source": str(path), "frame": number})
    name = namer(scans.plain_patient_ids)("image", header.image)
    return name + suffix, read_dicom_image(row, scans.window)


def _which(path: Path, number: int | None, count: int, what: str) -> int:
    if number is None and count == 1:
        return 1
    if number is None or not 1 <= number <= count:
        raise DataError(
            f"{path} holds {count} {what}: say which by a number from 1, such as "
            f"{path}:{count // 2 + 1}"
        )
    return number


def _require_grey(image: np.ndarray, path: Path) -> None:
    """Refuse colours, which training would have turned grey, but a grey image need not have."""
    if image.ndim < 3 or not image.size:
        return
    pixels = image.astype(np.float64)
    spread = np.ptp(pixels, axis=-1)
    if (spread > COLOURED * np.ptp(pixels)).mean() > FEW:
        raise DataError(
            f"{path} has colours, and the run's networks read grey images: give the picture "
            "without marks or colour map, saved in grey"
        )
