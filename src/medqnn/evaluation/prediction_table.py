"""What every table of predictions has: images by id, their patients, probabilities of classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from medqnn.errors import EvaluationError


@dataclass(frozen=True, eq=False)
class PredictionTable(ABC):
    """What a model said about n images of K classes; a subclass says how labels are written.

    Attributes:
        ids: (n,) str, unique, none empty.
        patients: (n,) str, none empty; images of one patient are not independent. Where patients
            are unknown, the id of the image.
        labels: the truth, n rows.
        probabilities: (n, K) float64 in [0, 1].
        classes: K unique names.

    Raises:
        EvaluationError: if the arrays break any of these rules.
    """

    FEWEST: ClassVar[int]  # classes

    ids: np.ndarray
    patients: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", _text(self.ids))
        object.__setattr__(self, "patients", _text(self.patients))
        object.__setattr__(self, "labels", self._checked_labels())
        object.__setattr__(self, "probabilities", np.asarray(self.probabilities, dtype=np.float64))
        object.__setattr__(self, "classes", tuple(self.classes))
        _check_classes(self)
        _check_shapes(self)
        _check_rows(self)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def patient_count(self) -> int:
        """Number of different patients."""
        return len(np.unique(self.patients))

    @property
    def patients_known(self) -> bool:
        """False where every image stands as a patient of its own."""
        return bool((self.patients != self.ids).any())

    @abstractmethod
    def _checked_labels(self) -> np.ndarray:
        """The labels in their own dtype."""

    @abstractmethod
    def _label_shape(self) -> tuple[int, ...]:
        """Shape of one image's label."""


def refuse_probabilities(table: PredictionTable, bad: np.ndarray, expected: str) -> None:
    """Raise for the first of the images that are `bad`, (n,) bool."""
    if bad.any():
        row = bad.argmax()
        raise EvaluationError(
            f"image '{table.ids[row]}' has probabilities {table.probabilities[row].tolist()}: "
            f"expected {expected}"
        )


def outside_unit_interval(p: np.ndarray) -> np.ndarray:
    """(n,) bool: a number of the row is not finite or not in [0, 1]."""
    outside: np.ndarray = (~np.isfinite(p) | (p < 0) | (p > 1)).any(axis=1)
    return outside


def _text(values: np.ndarray) -> np.ndarray:
    """As str; a missing value becomes the empty string, which no id may be."""
    values = np.array(values, dtype=object)
    values[pd.isna(values)] = ""
    return values.astype(np.str_)


def _check_classes(table: PredictionTable) -> None:
    classes, fewest = table.classes, table.FEWEST
    if len(classes) < fewest or len(set(classes)) != len(classes) or not all(classes):
        number = {1: "one", 2: "two"}[fewest]
        raise EvaluationError(
            f"class names are {classes}: give {number} or more, all different, none empty"
        )


def _check_shapes(table: PredictionTable) -> None:
    n, k = len(table.labels), len(table.classes)
    shapes = {"ids": (n,), "patients": (n,), "probabilities": (n, k)}
    for name, shape in {**shapes, "labels": (n, *table._label_shape())}.items():
        given = getattr(table, name).shape
        if given != shape:
            raise EvaluationError(
                f"{name} have shape {given}, expected {shape} for {n} labels and {k} classes: "
                "give one row for each image and one probability for each class"
            )
    if n == 0:
        raise EvaluationError("there are no predictions: give at least one row")


def _check_rows(table: PredictionTable) -> None:
    nameless = (table.ids == "") | (table.patients == "")
    if nameless.any():
        raise EvaluationError(
            f"row {nameless.argmax()} has no id or no patient: "
            "give both; where patients are unknown, repeat the id"
        )
    ids, counts = np.unique(table.ids, return_counts=True)
    if counts.max() > 1:
        raise EvaluationError(
            f"id '{ids[counts.argmax()]}' occurs {counts.max()} times: give each image one row"
        )
