"""A folder of images with an `index.csv` that says what each image is.

Columns: `image` and `label`, and any of `mask`, `fold`, `split` ("train", "val", "test") and
`patient` (or `group`, its other name), and attributes, see `attributes`. Paths are relative to the
folder. An empty `mask` cell says that nobody annotated the image; an annotated image without a
lesion has an all-black mask.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps, UnidentifiedImageError

from medqnn.data.attributes import PREFIX, attribute_columns
from medqnn.data.table import SPLITS, ImageTable, Sample
from medqnn.errors import DataError

INDEX = "index.csv"
_UNDERSTOOD = ("image", "label", "mask", "fold", "split", "patient", "group")
_DIRECT_MODES = ("L", "RGB", "1", "I", "F", "I;16", "I;16L", "I;16B")  # others go through RGB
_UNREADABLE = (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError)


def read_index_folder(root: str | Path) -> ImageTable:
    """Read the `index.csv` of a folder into a table; pixels are read later.

    An image's id is its path in the index. Without a patient column every image is its own
    patient and `patients_known` is False; folds, where given, are then taken to be the index
    maker's patient-wise ones. Links inside the folder are followed.

    Args:
        root: folder that holds `index.csv`.

    Raises:
        DataError: No or a broken index, columns missing or unknown, paths that leave the folder,
            files missing, folds that are not integers, parts that are not train, val or test.
    """
    root = Path(root)
    index = _read_index(root / INDEX)
    patients_known = "patient" in index
    rows = pd.DataFrame(
        {
            "id": index["image"],
            "source": _paths(root, index["image"], "image"),
            "label": index["label"],
            "patient": index["patient"] if patients_known else index["image"],
            "mask": _paths(root, index["mask"], "mask") if "mask" in index else None,
            "split": _splits(index, root / INDEX),
            "fold": _folds(index, root / INDEX),
            **{name: index[column] for column, name in _attributes(index, root / INDEX).items()},
        }
    )
    classes = tuple(rows["label"].dropna().unique())
    name = root.resolve().name
    return ImageTable(name, rows, classes, read_image_files, patients_known=patients_known)


def read_image_files(row: pd.Series) -> Sample:
    """Read the image and the mask of a row: 8 or 16 bit, grey, RGB, palette or 1 bit.

    A mask's pixels are True where any channel is above 0.

    Raises:
        DataError: A file that cannot be read.
    """
    image = read_pixels(row["source"])
    if pd.isna(row["mask"]):
        return Sample(image, None)
    mask: np.ndarray = read_pixels(row["mask"]) > 0
    return Sample(image, np.any(mask, axis=-1) if mask.ndim == 3 else mask)


def read_pixels(path: str | Path) -> np.ndarray:
    """Read an image file as H×W, or H×W×3 if it has colours; transparency is dropped.

    An image that its EXIF tag says to show turned or mirrored is turned so.

    Raises:
        DataError: The file is missing, truncated or not an image.
    """
    try:
        # Given a path, Pillow maps a plain TIFF into memory and forgets that it is turned.
        with open(path, "rb") as file, Image.open(file) as stored:
            image = ImageOps.exif_transpose(stored)
            return np.array(image if image.mode in _DIRECT_MODES else image.convert("RGB"))
    except _UNREADABLE as error:
        said = getattr(error, "strerror", None) or str(error)
        reason = said.splitlines()[0] if said else type(error).__name__
        if isinstance(error, UnidentifiedImageError):  # it names an object of ours, not the file
            reason = "not an image of a known format"
        raise DataError(
            f"cannot read the image {path} ({reason}): replace the file or leave it out"
        ) from error


def _read_index(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"no {path}: give a folder that holds an {INDEX}")
    try:
        # Only an empty cell is missing: "None" and "NA" are possible class names.
        index = pd.read_csv(
            path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig"
        )
    except (ValueError, OSError) as error:  # pandas' parser errors and bad encodings included
        reason = str(error).splitlines()[0]
        raise DataError(
            f"cannot read {path} ({reason}): save it as UTF-8 text with commas"
        ) from error
    index.columns = index.columns.str.strip()
    for column in index:
        index[column] = index[column].str.strip()
    _check_columns(index, path)
    return index.rename(columns={"group": "patient"})


def _check_columns(index: pd.DataFrame, path: Path) -> None:
    understood = (*_UNDERSTOOD, *_attributes(index, path))
    unknown = [column for column in index if column not in understood]
    absent = [column for column in ("image", "label") if column not in index]
    if unknown or absent:
        fault = f"unknown columns {unknown}" if unknown else f"no column {' or '.join(absent)}"
        raise DataError(
            f"{path} has {fault}: image and label are needed, "
            f"{', '.join(_UNDERSTOOD[2:])}, sex and age understood; rename or remove the others, "
            f"or title what describes an image {PREFIX}NAME"
        )
    if "patient" in index and "group" in index:
        raise DataError(f"{path} has both patient and group, two names for one thing: keep one")


def _attributes(index: pd.DataFrame, path: Path) -> dict[str, str]:
    return attribute_columns([c for c in index if c not in _UNDERSTOOD], str(path))


def _paths(root: Path, cells: pd.Series, column: str) -> pd.Series:
    """Join the cells to the folder, as text; an empty mask stays missing."""
    if column == "image" and cells.isna().any():
        raise DataError(f"{root / INDEX} has {int(cells.isna().sum())} rows without an image path")
    given = cells.dropna()
    for cell in given:
        if os.path.isabs(cell) or os.path.normpath(cell).startswith(".."):
            raise DataError(
                f"{root / INDEX} names the {column} {cell}, outside its folder: "
                "move the file inside and give a relative path"
            )
    paths = given.map(lambda cell: str(root / cell))
    missing = [path for path in paths if not os.path.isfile(path)]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(paths)} {column} files of {root / INDEX} are not there, the "
            f"first is {missing[0]}: copy them or mend their paths"
        )
    return paths.reindex(cells.index)


def _splits(index: pd.DataFrame, path: Path) -> pd.Series | None:
    if "split" not in index:
        return None
    strange = index.loc[~index["split"].isin(SPLITS), "split"]
    if not strange.empty:
        raise DataError(
            f"{path} has {len(strange)} rows whose split is not {', '.join(SPLITS)}, the first "
            f"{strange.iloc[0]!r}: use these words"
        )
    return index["split"]


def _folds(index: pd.DataFrame, path: Path) -> pd.Series:
    if "fold" not in index:
        return pd.Series(pd.NA, index=index.index, dtype="Int64")
    strange = index.loc[~index["fold"].str.fullmatch(r"\d+").fillna(False).astype(bool), "fold"]
    if not strange.empty:
        raise DataError(
            f"{path} has {len(strange)} rows whose fold is not a whole number, the first "
            f"{strange.iloc[0]!r}: number the folds"
        )
    return index["fold"].astype("Int64")
