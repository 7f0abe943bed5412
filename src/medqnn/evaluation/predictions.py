"""The table of predictions: the one thing that every evaluation reads.

As a file it is a CSV of `id,patient,label,p_0:<class 0>,p_1:<class 1>,…`: one row an image, `label`
the index of the true class. Titles without names (`p_0`, `p_1`) are read too; the classes are
then called "0", "1" and so on.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from medqnn.errors import EvaluationError

SUM_TOLERANCE = 1e-3  # single-precision softmax over many classes, or five printed decimals


@dataclass(frozen=True, eq=False)
class Predictions:
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

    ids: np.ndarray
    patients: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        labels = np.asarray(self.labels)
        if labels.dtype.kind not in "iu":
            raise EvaluationError(
                f"labels are {labels.dtype}, not integers: give the index of each true class"
            )
        object.__setattr__(self, "ids", _text(self.ids))
        object.__setattr__(self, "patients", _text(self.patients))
        object.__setattr__(self, "labels", labels.astype(np.int64))
        object.__setattr__(self, "probabilities", np.asarray(self.probabilities, dtype=np.float64))
        object.__setattr__(self, "classes", tuple(self.classes))
        _check_classes(self.classes)
        _check_shapes(self)
        _check_rows(self)
        _check_probabilities(self)

    def __len__(self) -> int:
        return len(self.ids)

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

    @property
    def patient_count(self) -> int:
        """Number of different patients."""
        return len(np.unique(self.patients))


def read_predictions(path: str | Path) -> Predictions:
    """Read a CSV file of predictions.

    Raises:
        EvaluationError: if the file cannot be read, lacks a column or breaks a rule of
            `Predictions`.
    """
    path = Path(path)
    frame = _read_text(path)
    columns, classes = _probability_columns(frame, path)
    labels = _parse(frame["label"], int, path)
    probabilities = np.stack([_parse(frame[name], float, path) for name in columns], axis=1)
    try:
        return Predictions(
            frame["id"].to_numpy(), frame["patient"].to_numpy(), labels, probabilities, classes
        )
    except EvaluationError as error:
        raise EvaluationError(f"{path}: {error}") from error


def write_predictions(path: str | Path, predictions: Predictions) -> None:
    """Write predictions as CSV, whole or not at all; reading gives the same numbers back.

    Raises:
        EvaluationError: if the file cannot be written.
    """
    path = Path(path)
    table = {"id": predictions.ids, "patient": predictions.patients, "label": predictions.labels}
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


def _text(values: np.ndarray) -> np.ndarray:
    """As str; a missing value becomes the empty string, which no id may be."""
    values = np.array(values, dtype=object)
    values[pd.isna(values)] = ""
    return values.astype(np.str_)


def _read_text(path: Path) -> pd.DataFrame:
    """The file's cells as text, so that an id such as 007 or NA stays what it is."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise EvaluationError(
            f"{path} cannot be read as a CSV file of predictions ({reason}): "
            "expected the columns id,patient,label,p_0,p_1,…"
        ) from error
    missing = [name for name in ("id", "patient", "label") if name not in frame]
    if missing:
        raise EvaluationError(
            f"{path} has no column {', '.join(missing)}: expected id,patient,label,p_0,p_1,…"
        )
    return frame


def _probability_columns(frame: pd.DataFrame, path: Path) -> tuple[list[str], tuple[str, ...]]:
    """Columns p_0, p_1, … in order of their number, and the names of their classes."""
    titles = [re.fullmatch(r"p_(\d+)(?::(.+))?", name) for name in frame.columns]
    found = sorted((int(m[1]), m[0], m[2] or m[1]) for m in titles if m)
    if not found or [number for number, _, _ in found] != list(range(len(found))):
        raise EvaluationError(
            f"{path} has the probability columns {[title for _, title, _ in found]}: "
            "expected p_0, p_1, … without a gap, one for each class"
        )
    return [title for _, title, _ in found], tuple(name for _, _, name in found)


def _parse(column: pd.Series, kind: type[int] | type[float], path: Path) -> np.ndarray:
    try:
        return np.array([kind(value) for value in column], dtype=kind)
    except ValueError as error:
        raise EvaluationError(
            f"{path}: column {column.name} has a value that is no {kind.__name__} ({error}): "
            "correct that row"
        ) from error


def _check_classes(classes: tuple[str, ...]) -> None:
    if len(classes) < 2 or len(set(classes)) != len(classes) or not all(classes):
        raise EvaluationError(
            f"class names are {classes}: give two or more, all different, none empty"
        )


def _check_shapes(predictions: Predictions) -> None:
    n, k = len(predictions.labels), len(predictions.classes)
    expected = {"ids": (n,), "patients": (n,), "labels": (n,), "probabilities": (n, k)}
    for name, shape in expected.items():
        given = getattr(predictions, name).shape
        if given != shape:
            raise EvaluationError(
                f"{name} have shape {given}, expected {shape} for {n} labels and {k} classes: "
                "give one row for each image and one probability for each class"
            )
    if n == 0:
        raise EvaluationError("there are no predictions: give at least one row")


def _check_rows(predictions: Predictions) -> None:
    nameless = (predictions.ids == "") | (predictions.patients == "")
    if nameless.any():
        raise EvaluationError(
            f"row {nameless.argmax()} has no id or no patient: "
            "give both; where patients are unknown, repeat the id"
        )
    ids, counts = np.unique(predictions.ids, return_counts=True)
    if counts.max() > 1:
        raise EvaluationError(
            f"id '{ids[counts.argmax()]}' occurs {counts.max()} times: give each image one row"
        )
    last = len(predictions.classes) - 1
    outside = (predictions.labels < 0) | (predictions.labels > last)
    if outside.any():
        row = outside.argmax()
        raise EvaluationError(
            f"image '{predictions.ids[row]}' has label {predictions.labels[row]}, expected 0 to "
            f"{last}: correct the label or give a probability for each class"
        )


def _check_probabilities(predictions: Predictions) -> None:
    p = predictions.probabilities
    with np.errstate(invalid="ignore"):  # inf - inf; caught by the first condition
        off = np.abs(p.sum(axis=1) - 1) > SUM_TOLERANCE
    bad = ~np.isfinite(p).all(axis=1) | (p < 0).any(axis=1) | (p > 1).any(axis=1) | off
    if bad.any():
        row = bad.argmax()
        raise EvaluationError(
            f"image '{predictions.ids[row]}' has probabilities {p[row].tolist()}: expected finite "
            "numbers in [0, 1] that sum to 1; apply softmax to logits before writing them"
        )
