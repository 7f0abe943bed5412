"""The brain tumour set of Cheng and others (2015) as its authors publish it.

3,064 T1-weighted contrast-enhanced slices of 233 patients (doi:10.6084/m9.figshare.1512427), one
MATLAB v7.3 file a slice, `1.mat` to `3064.mat`, each with a structure `cjdata` of `label` (1
meningioma, 2 glioma, 3 pituitary tumour), `PID` (patient), `image`, `tumorBorder` and `tumorMask`;
beside them `cvind.mat`, the authors' five patient-wise folds in the order of the file numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from scipy.io import loadmat

from medqnn.data.table import ImageTable, Sample
from medqnn.errors import DataError

LABELS = {1: "meningioma", 2: "glioma", 3: "pituitary"}
FOLDS_FILE = "cvind.mat"


def is_cheng_folder(root: str | Path) -> bool:
    """Whether the folder or one below it holds a numbered .mat file."""
    return any(path.stem.isdigit() for path in Path(root).rglob("*.mat"))


def read_cheng_folder(root: str | Path) -> ImageTable:
    """Read labels, patients and folds of the numbered .mat files; pixels are read later.

    Args:
        root: folder of the files, which may stand in several folders below it; any part of the
            set will do. `fold` is missing where `cvind.mat` is.

    Raises:
        DataError: No numbered file, a number twice, a file that is not MATLAB v7.3 with the
            structure above, an unknown label, or too few folds in `cvind.mat`.
    """
    root = Path(root)
    files = sorted(
        (path for path in root.rglob("*.mat") if path.stem.isdigit()),
        key=lambda path: (int(path.stem), path),
    )
    if not files:
        raise DataError(f"no files 1.mat, 2.mat … in {root}: unpack the set's archives there")
    labels, patients = zip(*map(_read_header, files), strict=True)
    rows = pd.DataFrame(
        {
            "id": [path.stem for path in files],
            "source": [str(path) for path in files],
            "label": labels,
            "patient": patients,
            "mask": [str(path) for path in files],
            "split": None,
            "fold": _read_folds(root, [int(path.stem) for path in files]),
        }
    )
    classes = tuple(name for name in LABELS.values() if name in labels)
    return ImageTable("cheng2015", rows, classes, read_cheng_slice)


def read_cheng_slice(row: pd.Series) -> Sample:
    """Read the slice and its tumour mask, turned back from MATLAB's column order.

    Raises:
        DataError: The file cannot be read.
    """
    with _cjdata(Path(row["source"])) as fields:
        return Sample(np.asarray(fields["image"]).T, np.asarray(fields["tumorMask"]).T > 0)


@contextmanager
def _cjdata(path: Path) -> Iterator[h5py.Group]:
    """Open the structure of a file; any fault of the file or its layout is a DataError."""
    try:
        with h5py.File(path, "r") as file:
            yield file["cjdata"]
    except (OSError, KeyError, ValueError) as error:
        raise DataError(
            f"{path} is not a slice of the Cheng 2015 set ({error}): expected a MATLAB v7.3 file "
            "with cjdata/label, PID, image and tumorMask; download it again or move it away"
        ) from error


def _read_header(path: Path) -> tuple[str, str]:
    """Label and patient of a slice."""
    with _cjdata(path) as fields:
        code = int(np.asarray(fields["label"]).item())
        patient = "".join(map(chr, np.asarray(fields["PID"]).ravel()))
    if code not in LABELS:
        raise DataError(f"{path} has label {code}: expected {LABELS}; download it again")
    return LABELS[code], patient


def _read_folds(root: Path, numbers: list[int]) -> pd.Series:
    """Folds 1 to 5 of the slices with these numbers; missing without `cvind.mat`."""
    path = next(iter(sorted(root.rglob(FOLDS_FILE))), None)
    if path is None:
        return pd.Series(pd.NA, index=range(len(numbers)), dtype="Int64")
    try:
        if h5py.is_hdf5(path):
            with h5py.File(path, "r") as file:
                folds = np.asarray(file["cvind"]).ravel()
        else:
            folds = loadmat(path)["cvind"].ravel()
        return pd.Series(folds[np.array(numbers) - 1].astype(int), dtype="Int64")
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise DataError(
            f"cannot read the folds in {path} ({error}): expected cvind with a fold for each of "
            f"the slices 1 to {max(numbers)}; download it again or remove it"
        ) from error
