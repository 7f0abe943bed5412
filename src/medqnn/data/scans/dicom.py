"""A folder of DICOM files with a table of labels.

Files may stand anywhere below the folder, with or without an extension, one image each or many
(enhanced multi-frame). `labels.csv` gives the labels by `SOPInstanceUID`, `SeriesInstanceUID` or
`PatientID`. Patients, series and images are known by pseudonyms, see `pseudonyms`; no other
personal data is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from medqnn.data.scans.dicom_frames import Frame
from medqnn.data.scans.dicom_header import MAGIC, Header, read_header
from medqnn.data.scans.dicom_pixels import Window, read_dicom_image
from medqnn.data.scans.label_table import LABELS, Facts, LabelTable, read_labels
from medqnn.data.scans.pseudonyms import Namer, namer
from medqnn.data.scans.scan_files import BadFileError, OnBad, files_below, printable, refuse
from medqnn.data.table import ImageTable
from medqnn.errors import DataError

_SUFFIXES = (".dcm", ".dicom", ".ima")
_LEVELS = ("image", "series", "patient")


def is_dicom_folder(root: str | Path) -> bool:
    """Whether a DICOM file stands in the folder or below it."""
    return any(_is_dicom(path) for path in files_below(root))


def read_dicom_folder(
    root: str | Path,
    labels: str | Path | None = None,
    *,
    label_column: str = "label",
    window: Window = "file",
    plain_patient_ids: bool = False,
    on_bad: OnBad | None = None,
) -> ImageTable:
    """List the images of a folder of DICOM files; pixels are read later, see `read_dicom_image`.

    An image's id is the pseudonym of its SOPInstanceUID, with "-" and the number of the frame in a
    multi-frame file. Its patient is that of its PatientID; where a file has none, its study stands
    for the patient and `patients_known` is False. Images of a series follow each other in space.
    DICOM objects without images (reports, directories, segmentations, doses) are left out.

    Besides the columns of every table there are `series`, `frame` (from 1), `plane` ("axial",
    "coronal" or "sagittal", the closest), `orientation` (direction cosines of a row and a column),
    `position_mm` (along the normal), `row_mm` and `column_mm` (between rows and columns), missing
    where the file does not say; and the label table's attributes.

    Args:
        root: the folder.
        labels: the table of labels; by default `labels.csv` in the folder. See `label_table`.
        label_column: its column of labels.
        window: "file" or "percentile", see `read_dicom_image`.
        plain_patient_ids: use PatientID and UIDs themselves instead of pseudonyms.
        on_bad: told of each file that cannot be used or has no label, which is then left out.

    Raises:
        DataError: No labels or no images, and without `on_bad` the first file that is bad, listed
            twice or without a label.
    """
    root = Path(root)
    table = _label_table(root, labels, label_column)
    images = list(_labelled_images(root, table, on_bad))
    if not images:
        raise DataError(
            f"{printable(root)} holds no DICOM image that {table.name} labels (by {table.column}): "
            "give the files it lists, or mend it"
        )
    name = namer(plain_patient_ids)
    rows = pd.DataFrame([_row(image, name) for image in sorted(images, key=_Image.place)])
    return ImageTable(
        root.resolve().name,
        rows.astype({"fold": "Int64"}),
        tuple(sorted(rows["label"].unique())),
        partial(read_dicom_image, window=window),
        patients_known=all(image.header.patient or image.facts.patient for image in images),
    )


class _Image(NamedTuple):
    """One image of a file."""

    path: str
    header: Header
    number: int  # of the frame, from 0
    facts: Facts

    @property
    def frame(self) -> Frame:
        return self.header.frames[self.number]

    def place(self) -> tuple:
        """What puts the images of a series in the order of space."""
        header, frame = self.header, self.frame
        depth = 0.0 if frame.depth is None else frame.depth
        plane = frame.plane or ""
        return header.study, header.series, plane, depth, header.instance, header.image, self.number


def _label_table(root: Path, labels: str | Path | None, column: str) -> LabelTable:
    path = root / LABELS if labels is None else Path(labels)
    if not path.is_file():
        raise DataError(
            f"no {printable(path)}: write one with the columns PatientID (or SeriesInstanceUID, "
            f"or SOPInstanceUID) and {column}"
        )
    return read_labels(path, _LEVELS, column)


def _labelled_images(root: Path, table: LabelTable, on_bad: OnBad | None) -> Iterator[_Image]:
    """The images that have a label."""
    unlabelled, count = "", 0
    for path, header in _headers(root, on_bad):
        facts = table.of(image=header.image, series=header.series, patient=header.patient)
        if facts is None:
            reason = f"has no label: {table.name} does not list its {table.column}"
            if on_bad:
                on_bad(path, reason)
            unlabelled, count = unlabelled or path, count + 1
        elif facts.label is not None:
            for number in range(len(header.frames)):
                yield _Image(path, header, number, facts)
    if count and on_bad is None:
        raise DataError(
            f"{count} DICOM files have no label, the first is {printable(unlabelled)}: add their "
            f"{table.column} to {table.name}, with an empty label to leave them out"
        )


def _headers(root: Path, on_bad: OnBad | None) -> Iterator[tuple[str, Header]]:
    """The files that hold images, each image once."""
    seen = set()
    for path in files_below(root):
        try:
            header = read_header(path) if _is_dicom(path) else None
            if header is None:
                continue
            if header.image in seen:
                raise BadFileError(path, "holds the same image as a file before it: keep one")
            seen.add(header.image)
        except BadFileError as error:
            refuse(error, on_bad)
        else:
            yield path, header


def _is_dicom(path: str) -> bool:
    """Whether a file is DICOM by its suffix or, if that says nothing, by its content."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix in _SUFFIXES:
        return True
    if suffix[1:2].isalpha():  # not .7 of a UID that serves as a name
        return False
    try:
        with open(path, "rb") as file:
            return file.read(132)[128:] == MAGIC
    except OSError:  # not readable, so nobody knows
        return False


def _row(image: _Image, name: Namer) -> dict[str, Any]:
    header, facts, frame = image.header, image.facts, image.frame
    patient = facts.patient or header.patient
    suffix = f"-{image.number + 1}" if len(header.frames) > 1 else ""
    row_mm, column_mm = frame.spacing or (None, None)
    return {
        "id": name("image", header.image) + suffix,
        "source": image.path,
        "label": facts.label,
        "patient": name("patient", patient) if patient else name("study", header.study),
        "mask": None,
        "split": facts.split,
        "fold": facts.fold,
        "series": name("series", header.series),
        "frame": image.number + 1,
        "plane": frame.plane,
        "orientation": frame.orientation,
        "position_mm": frame.depth,
        "row_mm": row_mm,
        "column_mm": column_mm,
        **dict(facts.attributes),
    }
