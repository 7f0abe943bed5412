"""Which data set a text names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from medqnn.data.cheng import is_cheng_folder, read_cheng_folder
from medqnn.data.class_folders import LAYOUTS, is_class_folder, read_class_folders
from medqnn.data.folders import INDEX, read_index_folder
from medqnn.data.medmnist import read_medmnist
from medqnn.data.scans.scan_files import OnBad
from medqnn.data.table import ImageTable
from medqnn.errors import DataError

_UNDERSTOOD = (
    '"phantom", "phantom:IMAGES" or "phantom:IMAGES:SEED"; the .npz file of a MedMNIST 2D set; '
    f"a folder with {INDEX}; a folder with the MATLAB files of Cheng 2015; "
    f"a folder of images laid out as {LAYOUTS}; a folder of DICOM files or NIfTI volumes with "
    "labels.csv"
)


@dataclass(frozen=True)
class Scans:
    """How folders of DICOM files (`read_dicom_folder`) or NIfTI volumes are read.

    Attributes:
        labels: path of the table of labels; by default in the folder.
        label_column: its column of labels.
        window: DICOM: "file" takes the window that a file names, "percentile" the image's own.
        plane: NIfTI: plane of the slices.
        every: NIfTI: take every so many slices.
        tumor_only: NIfTI: take slices in which the mask marks anything.
        plain_patient_ids: use the patients' own ids instead of pseudonyms.
    """

    labels: str | None = None
    label_column: str = "label"
    window: Literal["file", "percentile"] = "file"
    plane: Literal["axial", "coronal", "sagittal"] = "axial"
    every: int = 1
    tumor_only: bool = False
    plain_patient_ids: bool = False


def open_table(
    source: str,
    *,
    image_size: int = 128,
    scans: Scans | None = None,
    on_bad: OnBad | None = None,
) -> ImageTable:
    """Open a data set by name or path.

    Args:
        source: "phantom", "phantom:IMAGES", "phantom:IMAGES:SEED" (the embedded synthetic set, by
            default 1,200 images of seed 0), a MedMNIST .npz file, or a folder.
        image_size: side of the phantom's images in pixels; files keep theirs.
        scans: how DICOM files and NIfTI volumes are read.
        on_bad: told of each such file that cannot be used, which is then left out.

    Raises:
        DataError: Nothing of the kind, with a list of what is understood.
    """
    name, _, numbers = source.partition(":")
    if name == "phantom":
        return _open_phantom(numbers, image_size)
    root = Path(source).expanduser()
    if root.suffix.lower() == ".npz" and root.is_file():
        return read_medmnist(root)
    if not root.is_dir():
        fault = "is a file of another kind" if root.exists() else "does not exist"
        raise DataError(f"the data set {source} {fault}: give {_UNDERSTOOD}")
    if (root / INDEX).is_file():
        return read_index_folder(root)
    if is_cheng_folder(root):
        return read_cheng_folder(root)
    table = _open_scans(root, scans or Scans(), on_bad)
    if table is not None:
        return table
    if is_class_folder(root):
        return read_class_folders(root)
    raise DataError(f"the folder {source} holds no data set: give {_UNDERSTOOD}")


def _open_scans(root: Path, scans: Scans, on_bad: OnBad | None) -> ImageTable | None:
    """A folder of DICOM files or NIfTI volumes; None if it is neither."""
    from medqnn.data.scans.dicom import is_dicom_folder, read_dicom_folder  # slow to load
    from medqnn.data.scans.nifti import is_nifti_folder, read_nifti_folder

    if is_dicom_folder(root):
        return read_dicom_folder(
            root,
            scans.labels,
            label_column=scans.label_column,
            window=scans.window,
            plain_patient_ids=scans.plain_patient_ids,
            on_bad=on_bad,
        )
    if is_nifti_folder(root):
        return read_nifti_folder(
            root,
            scans.labels,
            label_column=scans.label_column,
            plane=scans.plane,
            every=scans.every,
            tumor_only=scans.tumor_only,
            plain_patient_ids=scans.plain_patient_ids,
            on_bad=on_bad,
        )
    return None


def _open_phantom(numbers: str, image_size: int) -> ImageTable:
    from medqnn.data.phantom.table import phantom_table  # the atlas is slow to load

    given = numbers.split(":") if numbers else []
    if len(given) > 2 or not all(number.isdecimal() for number in given):
        raise DataError(f"the data set phantom:{numbers} is not understood: give {_UNDERSTOOD}")
    options = dict(zip(("images", "seed"), map(int, given), strict=False))
    return phantom_table(**options, size=image_size)
