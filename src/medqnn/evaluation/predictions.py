"""The table of predictions: the one thing that every evaluation reads.

As a file it is a CSV of `id,patient,label,p_0:<class 0>,p_1:<class 1>,…`: one row an image, `label`
the index of the true class. Where findings may occur together, columns `y_0:<finding 0>,…` of 0 and
1 stand in the place of `label`. Titles without names (`p_0`, `p_1`) are read too; the classes are
then called "0", "1" and so on.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from medqnn.errors import EvaluationError
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.prediction_table import (
    PredictionTable,
    outside_unit_interval,
    refuse_probabilities,
)

SUM_TOLERANCE = 1e-3  # single-precision softmax over many classes, or five printed decimals
FORMAT = "id,patient,label,p_0,p_1,…, or id,patient,y_0,…,p_0,… where findings occur together"


@dataclass(frozen=True, eq=False)
class Predictions(PredictionTable):
    """What a model said about n images of K classes.

    Attributes:
        ids: (n,) str, unique, none empty.
        patients: (n,) str, none empty; images of one patient are not independent. Where patients
            are unknown, the id of the image.
        labels: (n,) int64, index of the true class, 0..K-1.
        probabilities: (n, K) float64 in [0, 1], each row summing to 1 within 1e-3.
        classes: K unique names, K >= 2.

    Raises:
        EvaluationError: if the arrays break any of these rules.
    """

    FEWEST: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_range()
        p = self.probabilities
        with np.errstate(invalid="ignore"):  # inf - inf; caught by the first condition
            off = np.abs(p.sum(axis=1) - 1) > SUM_TOLERANCE
        refuse_probabilities(
            self,
            outside_unit_interval(p) | off,
            "finite numbers in [0, 1] that sum to 1; apply softmax to logits before writing them",
        )

    @property
    def predicted(self) -> np.ndarray:
        """(n,) int64: the most probable class; the first of several equals."""
        predicted: np.ndarray = self.probabilities.argmax(axis=1)
        return predicted

    @property
    def correct(self) -> np.ndarray:
        """(n,) bool: the most probable class is the true one."""
        correct: np.ndarray = self.predicted == self.labels
        return correct

    def answer(self, row: int) -> str:
        """The name of the most probable class of an image."""
        return self.classes[self.predicted[row]]

    def _checked_labels(self) -> np.ndarray:
        labels = np.asarray(self.labels)
        if labels.dtype.kind not in "iu":
            raise EvaluationError(
                f"labels are {labels.dtype}, not integers: give the index of each true class"
            )
        return labels.astype(np.int64)

    def _label_shape(self) -> tuple[int, ...]:
        return ()

    def _check_range(self) -> None:
        last = len(self.classes) - 1
        outside = (self.labels < 0) | (self.labels > last)
        if outside.any():
            row = outside.argmax()
            raise EvaluationError(
                f"image '{self.ids[row]}' has label {self.labels[row]}, expected 0 to "
                f"{last}: correct the label or give a probability for each class"
            )


AnyPredictions = Predictions | MultiLabelPredictions


def read_predictions(path: str | Path) -> AnyPredictions:
    """Read a CSV file of predictions; its columns tell of which kind they are.

    Raises:
        EvaluationError: if the file cannot be read, lacks a column or breaks a rule of
            `Predictions` or `MultiLabelPredictions`.
    """
    path = Path(path)
    frame = _read_text(path)
    columns, classes = _numbered_columns(frame, "p", path)
    probabilities = _parse(frame[columns], float, path)
    kind, labels = _truth(frame, classes, path)
    ids, patients = frame["id"].to_numpy(), frame["patient"].to_numpy()
    try:
        return kind(ids, patients, labels, probabilities, classes)
    except EvaluationError as error:
        raise EvaluationError(f"{path}: {error}") from error


def write_predictions(path: str | Path, predictions: AnyPredictions) -> None:
    """Write predictions as CSV, whole or not at all; reading gives the same numbers back.

    Raises:
        EvaluationError: if the file cannot be written.
    """
    path = Path(path)
    table = {"id": predictions.ids, "patient": predictions.patients}
    if isinstance(predictions, MultiLabelPredictions):
        for k, name in enumerate(predictions.classes):
            table[f"y_{k}:{name}"] = predictions.labels[:, k].astype(np.int64)
    else:
        table["label"] = predictions.labels
    for k, name in enumerate(predictions.classes):
        table[f"p_{k}:{name}"] = predictions.probabilities[:, k]
    partial = path.with_name(f".{path.name}.partial")
    try:
        pd.DataFrame(table).to_csv(partial, index=False)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise EvaluationError(
            f"predictions cannot be written to {path} ({error}): "
            "give a folder that exists, is writable and has space left"
        ) from error


def _read_text(path: Path) -> pd.DataFrame:
    """The file's cells as text, so that an id such as 007 or NA stays what it is."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise EvaluationError(
            f"{path} cannot be read as a CSV file of predictions ({reason}): "
            f"expected the columns {FORMAT}"
        ) from error
    has_findings = any(re.match(r"y_\d", name) for name in frame.columns)
    needed = ("id", "patient") if has_findings else ("id", "patient", "label")
    missing = [name for name in needed if name not in frame]
    if missing:
        raise EvaluationError(f"{path} has no column {', '.join(missing)}: expected {FORMAT}")
    return frame


def _numbered_columns(
    frame: pd.DataFrame, letter: str, path: Path
) -> tuple[list[str], tuple[str, ...]]:
    """Columns p_0, p_1, … (or y_0, …) in order of their number, and the names of their classes."""
    titles = [re.fullmatch(rf"{letter}_(\d+)(?::(.+))?", name) for name in frame.columns]
    found = sorted((int(m[1]), m[0], m[2] or m[1]) for m in titles if m)
    if not found or [number for number, _, _ in found] != list(range(len(found))):
        what = {"p": "probability", "y": "label"}[letter]
        raise EvaluationError(
            f"{path} has the {what} columns {[title for _, title, _ in found]}: "
            f"expected {letter}_0, {letter}_1, … without a gap, one for each class"
        )
    return [title for _, title, _ in found], tuple(name for _, _, name in found)


def _truth(
    frame: pd.DataFrame, classes: tuple[str, ...], path: Path
) -> tuple[type[Predictions] | type[MultiLabelPredictions], np.ndarray]:
    """Which kind of predictions these are, and their labels."""
    if "label" in frame:
        return Predictions, _parse(frame[["label"]], int, path)[:, 0]
    return MultiLabelPredictions, _findings(frame, classes, path)


def _findings(frame: pd.DataFrame, classes: tuple[str, ...], path: Path) -> np.ndarray:
    """(n, L) bool of the columns y_0, y_1 and so on."""
    columns, names = _numbered_columns(frame, "y", path)
    if names != classes:
        raise EvaluationError(
            f"{path}: the label columns are of {names} and the probability columns of {classes}: "
            "give one of each kind for each finding, in the same order"
        )
    labels = _parse(frame[columns], int, path)
    if not np.isin(labels, (0, 1)).all():
        raise EvaluationError(
            f"{path}: label columns hold {sorted(set(labels.ravel().tolist()))}: give 1 where the "
            "finding is present and 0 where it is not"
        )
    present: np.ndarray = labels == 1
    return present


def _parse(columns: pd.DataFrame, kind: type[int] | type[float], path: Path) -> np.ndarray:
    """(n, columns) of that kind."""
    parsed = np.empty(columns.shape, dtype=kind)
    for i, (name, column) in enumerate(columns.items()):
        try:
            parsed[:, i] = [kind(value) for value in column]
        except ValueError as error:
            raise EvaluationError(
                f"{path}: column {name} has a value that is no {kind.__name__} ({error}): "
                "correct that row"
            ) from error
    return parsed
