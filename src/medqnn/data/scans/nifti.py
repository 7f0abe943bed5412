"""A folder of NIfTI volumes, and the slices of them that make a data set.

Which files are images, masks and whose they are: `nifti_files`. How slices lie: `nifti_volume`.
"""

from __future__ import annotations

import os
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medqnn.data.scans.nifti_files import Scan, is_nifti, labelled_scans
from medqnn.data.scans.nifti_volume import PLANES, Plane, Volume, read_volume
from medqnn.data.scans.pseudonyms import Namer, namer
from medqnn.data.scans.scan_files import BadFileError, OnBad, files_below, printable, refuse
from medqnn.data.table import ImageTable, Sample
from medqnn.errors import DataError


def is_nifti_folder(root: str | Path) -> bool:
    """Whether a NIfTI file stands in the folder or below it."""
    return any(is_nifti(path) for path in files_below(root))


def read_nifti_folder(
    root: str | Path,
    labels: str | Path | None = None,
    *,
    label_column: str = "label",
    plane: Plane = "axial",
    every: int = 1,
    tumor_only: bool = False,
    plain_patient_ids: bool = False,
    on_bad: OnBad | None = None,
) -> ImageTable:
    """List slices of a folder's volumes; pixels are read later, see `read_nifti_slice`.

    A slice's id is the pseudonym of its volume's path in the folder, "-" and its number from the
    left, the back or below. Its patient is the BIDS subject (`sub-XX` in the path), or what the
    label table says, or else the volume itself, and `patients_known` is then False. A label table
    lists files (by name, by path in the folder, or by a folder they stand in) or patients (by BIDS
    subject, or by the name of a folder or file on the path).

    Besides the columns of every table there are `slice` (its number, from 1), `plane`, `row_mm`
    and `column_mm` (between rows and columns), and the label table's attributes.

    Args:
        root: the folder.
        labels: the table of labels; by default `labels.csv` or `participants.tsv` in the folder.
            See `label_table`.
        label_column: its column of labels.
        plane: "axial", "coronal" or "sagittal".
        every: take every so many slices.
        tumor_only: of volumes with a mask, take the slices in which it marks anything, and every
            so many of these. Of volumes without a mask, slices are taken as ever.
        plain_patient_ids: use patients and file names themselves instead of pseudonyms.
        on_bad: told of each file that cannot be used or has no label, which is then left out.

    Raises:
        DataError: Options out of range, no labels or no volumes, and without `on_bad` the first
            file that is bad, of another grid than its mask, a mask without image, or without
            a label.
    """
    if plane not in PLANES or every < 1:
        raise DataError(
            f"plane {plane!r}, every {every}: give one of {', '.join(PLANES)}, and 1 or more"
        )
    root = Path(root)
    scans = list(labelled_scans(root, labels, label_column, on_bad))
    name = namer(plain_patient_ids)
    rows = []
    for scan in scans:
        try:
            numbers = _chosen(scan, plane, every, tumor_only)
        except BadFileError as error:
            refuse(error, on_bad)
        else:
            rows += [_row(scan, number, plane, name) for number in numbers]
    if not rows:
        raise DataError(f"{printable(root)} holds no labelled NIfTI slice: give volumes and labels")
    table = pd.DataFrame(rows).astype({"fold": "Int64"})
    return ImageTable(
        root.resolve().name,
        table,
        tuple(sorted(table["label"].unique())),
        partial(read_nifti_slice, plane=plane),
        patients_known=all(scan.patient for scan in scans),
    )


def read_nifti_slice(row: pd.Series, plane: Plane) -> Sample:
    """Read the slice `slice` (from 1) of the volume `source`, and of the volume `mask` if given.

    The patient's right is on the left of the image, the front up in axial slices and the head up
    in others; in sagittal ones the front is on the left. A mask is True above 0.

    Returns:
        Intensities float32 H×W.

    Raises:
        BadFileError: A file that has gone or changed, is damaged, or has values not finite.
    """
    image = _slice(str(row["source"]), plane, int(row["slice"])).astype(np.float32)
    if not np.isfinite(image).all():
        raise BadFileError(
            str(row["source"]),
            f"has values that are not finite in {plane} slice {row['slice']}: replace them, by 0 "
            "outside the body, or leave the file out",
        )
    if pd.isna(row["mask"]):
        return Sample(image, None)
    return Sample(image, _slice(str(row["mask"]), plane, int(row["slice"])) > 0)


def _slice(path: str, plane: Plane, number: int) -> np.ndarray:
    try:
        state = os.stat(path)
    except OSError as error:
        raise BadFileError(path, f"cannot be read ({error.strerror}): put it back") from error
    volume = _cached_volume(path, state.st_size, state.st_mtime_ns)
    if number > volume.count(plane):
        raise BadFileError(path, "has changed since it was listed: list the folder again")
    return volume.slice(plane, number - 1)


@lru_cache(maxsize=16)  # every slice asks for its volume's header
def _cached_volume(path: str, size: int, changed: int) -> Volume:
    return read_volume(path)


def _chosen(scan: Scan, plane: Plane, every: int, tumor_only: bool) -> list[int]:
    """Numbers of the slices to take, from 0."""
    if scan.mask and tumor_only:
        return [int(number) for number in np.flatnonzero(scan.mask.occupied(plane))[::every]]
    count = scan.volume.count(plane)
    return list(range(min(every, count) // 2, count, every))  # not the outermost, often empty


def _row(scan: Scan, number: int, plane: Plane, name: Namer) -> dict[str, Any]:
    volume, facts = scan.volume, scan.facts
    row_mm, column_mm = volume.spacing(plane)
    volume_name = name("image", scan.place)
    return {
        "id": f"{volume_name}-{number + 1}",
        "source": volume.path,
        "label": facts.label,
        "patient": name("patient", scan.patient) if scan.patient else volume_name,
        "mask": scan.mask.path if scan.mask else None,
        "split": facts.split,
        "fold": facts.fold,
        "slice": number + 1,
        "plane": plane,
        "row_mm": row_mm,
        "column_mm": column_mm,
        **dict(facts.attributes),
    }
