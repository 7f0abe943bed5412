"""The MedMNIST 2D sets (Yang and others, doi:10.1038/s41597-022-01721-8), and any in their format.

An .npz file with `train_images`, `val_images` and `test_images`, uint8 N×S×S (grey) or N×S×S×3
(RGB), and beside each `…_labels`, integer N×L: L = 1 for classes, two, many or ordered; L > 1 for
findings, each 0 or 1. The official files have sizes of 28, 64, 128 and 224 pixels.
"""

from __future__ import annotations

import re
import struct
import tokenize
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from zipfile import BadZipFile, ZipFile

import numpy as np
import pandas as pd
from numpy.lib import format as npy

from medqnn.data.medmnist_classes import OFFICIAL
from medqnn.data.npz_stream import ArrayStream, read_header
from medqnn.data.table import NO_FINDING, SEPARATOR, SPLITS, ImageTable, Sample
from medqnn.errors import DataError

# What damaged zip files and array headers raise; RuntimeError: encrypted, or an unknown method.
_BROKEN_ZIP = (OSError, EOFError, RuntimeError, BadZipFile, zlib.error, struct.error)
_BROKEN_ARRAY = (ValueError, SyntaxError, tokenize.TokenError)


def read_medmnist(path: str | Path) -> ImageTable:
    """Read the labels of a MedMNIST 2D file; pixels are read later.

    An image's id is its part and number, such as `train-00012`; the split is the file's. Patients
    are unknown. If the file's name is that of an official set (`pathmnist.npz`,
    `pathmnist_64.npz`), classes have their published names and the table that of the set; else
    classes are "0", "1" and so on.

    Args:
        path: the .npz file.

    Raises:
        DataError: A file that cannot be read, arrays missing, pickled, of another dtype or shape
            (those of a 3D set), or labels out of range or never used.
    """
    path = Path(path)
    with _faults_named(path), ZipFile(path) as archive:
        counts = _check_images(archive)
        codes = np.concatenate([_read_labels(archive, part, counts[part]) for part in SPLITS])
        official = re.sub(r"_(64|128|224)$", "", path.stem.lower())
        classes = _class_names(codes, official)
    multilabel = codes.shape[1] > 1
    ids = [f"{part}-{number:05d}" for part in SPLITS for number in range(counts[part])]
    rows = pd.DataFrame(
        {
            "id": ids,
            "source": str(path),
            "label": _joined(codes, classes) if multilabel else [classes[i] for i in codes[:, 0]],
            "patient": ids,
            "mask": None,
            "split": [part for part in SPLITS for _ in range(counts[part])],
            "fold": pd.Series(pd.NA, index=range(len(ids)), dtype="Int64"),
        }
    )
    return ImageTable(
        official if official in OFFICIAL else path.stem,
        rows,
        classes,
        MedMNISTReader(),
        patients_known=False,
        multilabel=multilabel,
        benchmark="medmnist",
    )


class MedMNISTReader:
    """Reads a row's image, fast in the order of the rows; safe in threads, picklable."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._of: tuple[str, str] | None = None
        self._stream: ArrayStream

    def __reduce__(self) -> tuple[type[MedMNISTReader], tuple[()]]:
        return type(self), ()  # an open file stays with its process

    def __call__(self, row: pd.Series) -> Sample:
        """Give the image, uint8 S×S or S×S×3; there are no masks.

        Raises:
            DataError: The file can no longer be read, or is damaged.
        """
        part, number = row["id"].split("-")
        with self._lock, _faults_named(row["source"]):
            if self._of != (row["source"], part):
                self._stream = ArrayStream(row["source"], f"{part}_images")
                self._of = row["source"], part
            return Sample(self._stream[int(number)], None)


@contextmanager
def _faults_named(path: str | Path) -> Iterator[None]:
    """Any fault of the file or its arrays is a DataError."""
    try:
        yield
    except (*_BROKEN_ZIP, *_BROKEN_ARRAY) as error:
        raise DataError(
            f"{path} cannot be read as a MedMNIST 2D set ({error}): expected an .npz file with "
            "train, val and test _images, uint8 N×S×S or N×S×S×3, and _labels, integer N×L; "
            "download it again or save it so"
        ) from error


def _check_images(archive: ZipFile) -> dict[str, int]:
    """Number of images of each part, once their arrays are found to be images of one size."""
    wanted = [f"{part}_{kind}.npy" for part in SPLITS for kind in ("images", "labels")]
    absent = [name[:-4] for name in wanted if name not in archive.namelist()]
    if absent:
        raise ValueError(f"no {', '.join(absent)}")
    headers = {part: read_header(archive, f"{part}_images") for part in SPLITS}
    shape = headers["train"].shape[1:]
    for part, header in headers.items():
        given = "×".join(map(str, header.shape))
        if header.dtype != np.uint8:
            raise ValueError(f"{part}_images are {header.dtype}")
        if len(header.shape) == 5 or (len(header.shape) == 4 and header.shape[3] != 3):
            raise ValueError(f"{part}_images are {given}, volumes of a 3D set")
        if len(header.shape) < 3 or header.shape[1] != header.shape[2] or not header.shape[1]:
            raise ValueError(f"{part}_images are {given}, not square images")
        if header.shape[1:] != shape:
            raise ValueError(f"{part}_images are {given}, unlike those of train")
    return {part: header.shape[0] for part, header in headers.items()}


def _read_labels(archive: ZipFile, part: str, count: int) -> np.ndarray:
    """Labels of a part, int64 (count, L)."""
    name = f"{part}_labels"
    shape, dtype, _ = read_header(archive, name)
    if dtype.kind not in "iu":
        raise ValueError(f"{name} are {dtype}")
    if len(shape) != 2 or shape[1] < 1:
        raise ValueError(f"{name} have shape {shape}")
    if shape[0] != count:
        raise ValueError(f"{count} {part}_images, but {shape[0]} {name}")
    with archive.open(f"{name}.npy") as file:
        return npy.read_array(file, allow_pickle=False).astype(np.int64)


def _class_names(codes: np.ndarray, official: str) -> tuple[str, ...]:
    """Names of the labels or findings, once all are found to occur and no others."""
    columns = codes.shape[1]
    highest = columns - 1 if columns > 1 else int(codes.max(initial=0))
    names = tuple(map(str, range(highest + 1)))
    if official in OFFICIAL:
        task, names = OFFICIAL[official]
        expected = len(names) if task == "multi-label" else 1
        if columns != expected:
            raise ValueError(f"{columns} labels an image, where {official} has {expected}")
    limit = 2 if columns > 1 else len(names)
    if len(codes) and not 0 <= codes.min() <= codes.max() < limit:
        raise ValueError(f"labels from {codes.min()} to {codes.max()}, expected 0 to {limit - 1}")
    used = codes.any(axis=0) if columns > 1 else np.bincount(codes[:, 0], minlength=limit) > 0
    if not used.all():
        raise ValueError(f"no image with label {names[int(np.argmin(used))]!r}")
    return names


def _joined(codes: np.ndarray, classes: tuple[str, ...]) -> list[str]:
    """Label of each image with several findings or none."""
    names = np.array(classes, dtype=object)
    return [SEPARATOR.join(names[row]) or NO_FINDING for row in codes > 0]
