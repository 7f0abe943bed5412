"""From a recipe and a data set to what training reads: classes, split, pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from medqnn.data.cache import DecodedImages, Progress, decode
from medqnn.data.catalogue import open_table
from medqnn.data.splits import split_as_given, split_by_fold, split_by_patient
from medqnn.data.table import ImageTable
from medqnn.errors import DataError
from medqnn.training.recipe import Recipe


@dataclass(frozen=True)
class Inputs:
    """A data set made ready for a recipe.

    Attributes:
        table: The data set.
        classes: Names of the classes that occur, in the recipe's order.
        labels: Index of each row's class, int64 (n,).
        split: "train", "val" or "test" of each row.
        split_rule: How the split was made, in words.
        decoded: Pixels of each row.
    """

    table: ImageTable
    classes: tuple[str, ...]
    labels: np.ndarray
    split: pd.Series
    split_rule: str
    decoded: DecodedImages

    def rows(self, part: str) -> np.ndarray:
        """Row numbers of a part, int64, in order."""
        return np.flatnonzero(self.split.to_numpy() == part)

    def facts(self, source: str) -> dict[str, Any]:
        """What a run's facts say of its data."""
        return {
            "name": self.table.name,
            "source": source,
            "synthetic": self.table.synthetic,
            "fingerprint": self.decoded.fingerprint,
            "classes": list(self.classes),
            "images": len(self.table),
            "patients": int(self.table.rows["patient"].nunique()),
            "patients_known": self.table.patients_known,
            "image_size": int(self.decoded.images.shape[-1]),
            "split_rule": self.split_rule,
        }


def load_inputs(recipe: Recipe, source: str, progress: Progress | None = None) -> Inputs:
    """Open, check, split and decode a data set.

    Args:
        recipe: Says which classes, parts and pixels.
        source: See ``data.catalogue.open_table``.
        progress: Wraps the decoding of images.

    Raises:
        DataError: If the set cannot be read, has labels that the recipe does not know, or cannot
            be split as asked.
    """
    table = open_table(source, image_size=recipe.data.image_size)
    classes = _classes(table, recipe)
    labels = np.array(table.rows["label"].map(classes.index), dtype=np.int64)
    split, rule = divide(table, recipe)
    decoded = decode(table, recipe.data.image_size, recipe.data.channels, progress)
    return Inputs(table, classes, labels, split, rule, decoded)


def divide(table: ImageTable, recipe: Recipe) -> tuple[pd.Series, str]:
    """Split a table as the recipe says, and say so in words.

    ``auto`` takes the set's folds if some are asked for, else its own split if it has one, else
    its folds if patients are unknown, and draws patients otherwise.
    """
    spec, rows, seed = recipe.data.split, table.rows, recipe.seed
    share = spec.val / (spec.train + spec.val)
    by = _division(table, recipe)
    if by == "given":
        return split_as_given(rows, share, seed), "as the data set gives it"
    if by == "fold":
        test = spec.test_folds or tuple(sorted(rows["fold"].dropna().unique())[-1:])
        split = split_by_fold(
            rows,
            test,
            patients_known=table.patients_known,
            val_folds=spec.val_folds or None,
            val_fraction=share,
            seed=seed,
        )
        return split, _fold_rule(rows, split)
    split = split_by_patient(rows, (spec.train, spec.val, spec.test), seed)
    if table.patients_known:
        return split, "by patient, stratified by class"
    return split, "by image, stratified by class: the data set names no patients"


def _division(table: ImageTable, recipe: Recipe) -> str:
    spec = recipe.data.split
    if spec.by != "auto":
        return spec.by
    if spec.test_folds or spec.val_folds:
        return "fold"
    if table.has_split:
        return "given"
    return "fold" if table.has_folds and not table.patients_known else "patient"


def _fold_rule(rows: pd.DataFrame, split: pd.Series) -> str:
    names = {"train": "training", "val": "validation", "test": "test"}
    folds = {
        part: ", ".join(str(int(fold)) for fold in sorted(rows["fold"][split == part].unique()))
        for part in names
    }
    return "by the data set's folds: " + "; ".join(
        f"{name} {folds[part]}" for part, name in names.items()
    )


def _classes(table: ImageTable, recipe: Recipe) -> tuple[str, ...]:
    known = recipe.data.classes
    unknown = [name for name in table.classes if name not in known]
    if unknown:
        raise DataError(
            f"{table.name} has labels that the recipe does not know ({', '.join(unknown)}): "
            f"rename them to {', '.join(known)}, or set data.classes"
        )
    if len(table.classes) < 2:
        raise DataError(f"{table.name} has one class only, {table.classes[0]}: give two at least")
    return tuple(name for name in known if name in table.classes)
