"""A data set as a table: one row an image, and one function that reads a row's pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from medqnn.errors import DataError

COLUMNS = ("id", "source", "label", "patient", "mask", "split", "fold")
SPLITS = ("train", "val", "test")
NO_FINDING = "no finding"  # label of a multi-label image without any
SEPARATOR = "|"  # between the findings in a multi-label image's label


class Sample(NamedTuple):
    """What a reader gives for one row.

    Attributes:
        image: H×W (grey) or H×W×3 (RGB), any real dtype, raw intensities.
        mask: bool H×W; None without annotation, all False where annotated as empty.
    """

    image: np.ndarray
    mask: np.ndarray | None


@dataclass(frozen=True)
class ImageTable:
    """A data set: its rows, its classes and how a row is read.

    Attributes:
        name: what the set is called in reports, such as "cheng2015".
        rows: one row an image, numbered from 0, with the columns `id` (unique text), `source`
            (path, or what made the image), `label` (class name; of a multi-label set the findings
            joined by "|", or "no finding"), `patient` (text), `mask` (path; missing: no
            annotation), `split` ("train", "val", "test" or missing) and `fold` (integer or
            missing). Further ones are the reader's own, or attributes, see `data.attributes`.
        classes: names of the classes or findings that occur, in the source's order.
        read: row -> Sample; a module-level function or another picklable callable.
        synthetic: True for made-up images; shown wherever the set is shown.
        patients_known: False where the source names no patients: `patient` is then the image's
            own id, and a split by patient is no better than one by image.
        multilabel: True if an image may have any number of findings.
        benchmark: the published benchmark whose format and score the set has, if any.
    """

    name: str
    rows: pd.DataFrame
    classes: tuple[str, ...]
    read: Callable[[pd.Series], Sample]
    synthetic: bool = False
    patients_known: bool = True
    multilabel: bool = False
    benchmark: Literal["medmnist"] | None = None

    def __post_init__(self) -> None:
        """Check the rows.

        Raises:
            DataError: No rows, a column missing, an id, label or patient missing, an id twice,
                or labels that are not `classes`.
        """
        absent = [column for column in COLUMNS if column not in self.rows]
        if absent:
            raise DataError(f"{self.name}: the table lacks the columns {', '.join(absent)}")
        if self.rows.empty:
            raise DataError(f"{self.name}: no images: give a data set with at least one image")
        for column in ("id", "label", "patient"):
            self._check_filled(column)
        self._check_ids()
        self._check_classes()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def has_folds(self) -> bool:
        """Whether every image belongs to a fold given by the source."""
        return bool(self.rows["fold"].notna().all())

    @property
    def has_split(self) -> bool:
        """Whether every image belongs to a part given by the source."""
        return bool(self.rows["split"].notna().all())

    def counts(
        self, split: pd.Series | None = None, of: Literal["images", "patients"] = "images"
    ) -> pd.DataFrame:
        """Count images or patients by class or finding (rows) and part of the split (columns).

        Args:
            split: "train"/"val"/"test" aligned with the rows; without it one column, "total".
            of: what to count. A patient with images of two classes counts in both, an image
                without findings in the total alone.

        Returns:
            Integers: one row a class in the order of `classes`, then "total"; one column a part
            that occurs, then "total".
        """
        units = self.rows["id" if of == "images" else "patient"]
        members = indicators(self.rows["label"], self.multilabel)[list(self.classes)]
        members["total"] = True
        parts = {} if split is None else {part: split.eq(part) for part in SPLITS}
        columns = {part: held for part, held in parts.items() if held.any()}
        columns["total"] = pd.Series(True, index=self.rows.index)
        return pd.DataFrame(
            {
                part: {name: units[held & members[name]].nunique() for name in members}
                for part, held in columns.items()
            }
        )

    def _check_filled(self, column: str) -> None:
        empty = self.rows[column].isna() | (self.rows[column] == "")
        if empty.any():
            row = int(np.flatnonzero(empty)[0])
            raise DataError(
                f"{self.name}: {int(empty.sum())} of {len(self)} images have no {column}, the "
                f"first in row {row + 1}: fill the column {column} or remove these rows"
            )

    def _check_ids(self) -> None:
        repeated = self.rows.loc[self.rows["id"].duplicated(), "id"]
        if not repeated.empty:
            raise DataError(
                f"{self.name}: {len(repeated)} images are listed more than once, the first is "
                f"{repeated.iloc[0]}: keep one row for each"
            )

    def _check_classes(self) -> None:
        found = set(self.rows["label"])
        if self.multilabel:
            found = {name for label in found for name in label.split(SEPARATOR)} - {NO_FINDING}
        if found != set(self.classes) or len(set(self.classes)) != len(self.classes):
            raise DataError(
                f"{self.name}: the labels are {sorted(found)}, the table's classes "
                f"{list(self.classes)}: both must hold the same names, each once"
            )


def indicators(labels: pd.Series, multilabel: bool = False) -> pd.DataFrame:
    """Which classes each image has.

    Args:
        labels: an ImageTable's labels.
        multilabel: whether they are findings joined by "|"; "no finding" is then a class too.

    Returns:
        bool (n, classes), the columns sorted by name.
    """
    wide = labels.str.get_dummies(SEPARATOR) if multilabel else pd.get_dummies(labels)
    return wide.astype(bool)
