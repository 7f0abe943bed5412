"""The splits of a study: drawn once, kept as files, the same for every variant and seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from medqnn.data.auditing.copies import COLUMNS, groups
from medqnn.data.cache import Progress
from medqnn.data.decoding import Skipped
from medqnn.data.splits import draw_folds, split_by_fold
from medqnn.errors import DataError
from medqnn.training.inputs import Inputs
from medqnn.training.leak import find_copies

Folds = int | Literal["own"] | None


class Splits(NamedTuple):
    """One split a fold, and how they were made.

    Attributes:
        parts: "train", "val" or "test" of each row, one Series a fold.
        group: what was kept together, of each row, as text.
        rule: in words.
    """

    parts: list[pd.Series]
    group: pd.Series
    rule: str


def make_splits(inputs: Inputs, folds: Folds, progress: Progress | None = None) -> Splits:
    """Split a data set for a study.

    Args:
        inputs: The data, split as the recipe says.
        folds: None for the recipe's split alone; "own" to test on each of the set's own folds in
            turn; or a number of folds to draw, by patient and without parting copies.
        progress: Wraps the search for copies.

    Raises:
        DataError: If the set has no folds of its own, or too few patients of a class for so many.
    """
    rows = inputs.table.rows
    if folds is None:
        return Splits([inputs.split], rows["patient"], inputs.split_rule)
    if folds == "own":
        if not inputs.table.has_folds:
            raise DataError(
                f"{inputs.table.name} has no folds of its own: give a number, such as --folds 5"
            )
        number = len(rows["fold"].unique())
        rule = f"each of the data set's {number} folds tested in turn"
        return Splits(_in_turn(inputs, rows, inputs.table.patients_known), rows["patient"], rule)
    together = _groups(inputs, progress)
    drawn = draw_folds(
        rows.assign(patient=together), folds, inputs.recipe.seed, multilabel=inputs.table.multilabel
    )
    parts = _in_turn(inputs, rows.assign(patient=together, fold=drawn), True)
    whole = "patients and copies" if inputs.table.patients_known else "copies"
    return Splits(parts, together, f"{folds} folds that part no {whole}, stratified by class")


def split_file(inputs: Inputs, parts: pd.Series, group: pd.Series) -> pd.DataFrame:
    """A split as ``data.split_file`` reads it.

    Images that were skipped stand there too, beside their patients: whoever loads the set anew
    meets them before it knows that they are bad.
    """
    rows = inputs.table.rows
    known = pd.DataFrame({"id": rows["id"], "split": parts, "group": group})
    beside = known.set_index(rows["patient"])[["split", "group"]]
    beside = beside[~beside.index.duplicated()]
    bad = pd.DataFrame(inputs.decoded.skipped, columns=Skipped._fields)
    lines = beside.reindex(bad["patient"]).set_index(bad["id"])
    lines["split"] = lines["split"].fillna("train")
    lines["group"] = lines["group"].fillna(bad.set_index("id")["patient"])
    return pd.concat([known, lines.reset_index()], ignore_index=True)


def with_split(inputs: Inputs, parts: pd.Series) -> Inputs:
    """The same data, otherwise split."""
    return replace(inputs, split=parts)


def _in_turn(inputs: Inputs, rows: pd.DataFrame, patients_known: bool) -> list[pd.Series]:
    """Each fold tested in turn; validation is drawn from the rest, by patient."""
    spec = inputs.recipe.data.split
    return [
        split_by_fold(
            rows,
            (int(fold),),
            patients_known=patients_known,
            val_fraction=spec.val / (spec.train + spec.val),
            seed=inputs.recipe.seed,
            multilabel=inputs.table.multilabel,
        )
        for fold in np.sort(rows["fold"].unique())
    ]


def _groups(inputs: Inputs, progress: Progress | None) -> pd.Series:
    """What no fold may part: patients, and images that are copies of each other."""
    synthetic = inputs.table.synthetic
    pairs = pd.DataFrame(columns=COLUMNS) if synthetic else find_copies(inputs, progress)
    numbers = groups(pairs, len(inputs.table), inputs.table.rows["patient"])
    return pd.Series([f"group-{number:05d}" for number in numbers])
