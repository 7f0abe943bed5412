"""From a recipe and a data set to what training reads: task, classes, split, pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medqnn.data.cache import DecodedImages, Progress, decode
from medqnn.data.catalogue import Scans, open_table
from medqnn.data.decoding import Skipped, colour_channels
from medqnn.data.scans.pseudonyms import namer
from medqnn.data.split_file import apply_split
from medqnn.data.splits import split_as_given, split_by_fold, split_by_patient
from medqnn.data.table import ImageTable, indicators
from medqnn.data.tasks import one_vs_rest, two_classes
from medqnn.errors import DataError, RecipeError
from medqnn.training.sections import Recipe


@dataclass(frozen=True)
class Inputs:
    """A data set made ready for a recipe.

    Attributes:
        recipe: The recipe, what it left to the data filled in.
        table: The data set, its labels those of the task.
        task: What is asked of each image, in words.
        classes: Names of the classes that occur, in the recipe's order; or of the findings.
        labels: Index of each row's class, int64 (n,); of a multi-label set the presence of each
            finding, float32 (n, L).
        split: "train", "val" or "test" of each row.
        split_rule: How the split was made, in words.
        decoded: Pixels of each row.
        skipped: Images that were left out since they cannot be used.
    """

    recipe: Recipe
    table: ImageTable
    task: str
    classes: tuple[str, ...]
    labels: np.ndarray
    split: pd.Series
    split_rule: str
    decoded: DecodedImages
    skipped: tuple[Skipped, ...] = ()

    def rows(self, part: str, label: int | None = None) -> np.ndarray:
        """Row numbers of a part, int64, in order; only those of a class or finding if given."""
        chosen = self.split.to_numpy() == part
        if label is not None:
            shown = self.labels[:, label] > 0 if self.labels.ndim == 2 else self.labels == label
            chosen &= shown
        return np.flatnonzero(chosen)

    def facts(self, source: str) -> dict[str, Any]:
        """What a run's facts say of its data."""
        return {
            "name": self.table.name,
            "source": source,
            "synthetic": self.table.synthetic,
            "benchmark": self.table.benchmark,
            "fingerprint": self.decoded.fingerprint,
            "task": self.task,
            "multilabel": self.table.multilabel,
            "classes": list(self.classes),
            "images": len(self.table),
            "patients": int(self.table.rows["patient"].nunique()),
            "patients_known": self.table.patients_known,
            "image_size": int(self.decoded.images.shape[-1]),
            "split_rule": self.split_rule,
            "skipped": len(self.skipped),
        }


def load_inputs(
    recipe: Recipe,
    source: str,
    progress: Progress | None = None,
    *,
    split_file: str | None = None,
    skip_bad: bool = False,
) -> Inputs:
    """Open, check, split and decode a data set.

    Args:
        recipe: Says which task, classes, parts and pixels.
        source: See ``data.catalogue.open_table``.
        progress: Wraps the decoding of images.
        split_file: CSV file of `medqnn data split` to take the split from.
        skip_bad: Whether images that cannot be used are left out.

    Raises:
        DataError: If the set cannot be read, has labels that the recipe does not know, or cannot
            be split as asked.
        RecipeError: If the recipe does not say what its task is on this set.
    """
    spec = recipe.data
    unread: list[Skipped] = []
    table = _open(recipe, source, unread if skip_bad else None)
    if split_file is not None:
        table = apply_split(table, split_file)
    table, task = ask(table, recipe)
    classes = _classes(table, recipe)
    split, rule = divide(table, recipe)
    if split_file is not None:
        rule = rule.replace("the data set", Path(split_file).name)
    if spec.channels == "auto":
        channels = colour_channels(table, skip_bad)
        spec = spec.model_copy(update={"channels": channels})
        recipe = recipe.model_copy(update={"data": spec})
    form = (spec.image_size, int(spec.channels), spec.scaling)
    decoded = decode(table, *form, progress, skip_bad=skip_bad)
    if decoded.skipped:  # what depends on the rows is made anew without them
        table = decoded.kept(table)
        classes, (split, _) = _classes(table, recipe), divide(table, recipe)
    labels, skipped = _labels(table, classes), (*unread, *decoded.skipped)
    return Inputs(recipe, table, task, classes, labels, split, rule, decoded, skipped)


def _open(recipe: Recipe, source: str, unread: list[Skipped] | None) -> ImageTable:
    """The data set; scans that cannot be used are added to a list, if there is one."""
    spec = recipe.data
    scans = Scans(**dict(spec.scans)) if spec.scans else None
    if unread is None:
        return open_table(source, image_size=spec.image_size, scans=scans)
    name = namer()  # a scan's path may hold the patient's name

    def on_bad(path: str, reason: str) -> None:
        unread.append(Skipped(name("file", path), reason))

    return open_table(source, image_size=spec.image_size, scans=scans, on_bad=on_bad)


def ask(table: ImageTable, recipe: Recipe) -> tuple[ImageTable, str]:
    """The table with the labels of the recipe's task, and the task in words.

    A set of two classes, or of findings that may stand together, stays as it is.

    Raises:
        RecipeError: If the recipe names no positives for this set.
        DataError: If it names classes that the set lacks.
    """
    spec = recipe.data
    if table.multilabel:
        return table, f"{len(table.classes)} findings, each present or absent"
    if spec.task == "all-classes" or len(table.classes) == 2:
        return table, f"{len(table.classes)} classes"
    if spec.task == "two-classes":
        pair = spec.classes or table.classes[:2]
        return two_classes(table, pair), f"{pair[0]} or {pair[1]}, other images left out"
    if table.name not in spec.positives:
        numbered = ", ".join(f"{number} {name}" for number, name in enumerate(table.classes))
        raise RecipeError(
            f"the recipe does not say which labels of {table.name} are the positives: give "
            f"--set data.positives.{table.name}=[1,2], out of {numbered}, or "
            "--set data.task=all-classes"
        )
    table = one_vs_rest(table, spec.positives[table.name])
    return table, f"{table.classes[1]} against the rest"


def divide(table: ImageTable, recipe: Recipe) -> tuple[pd.Series, str]:
    """Split a table as the recipe says, and say so in words.

    ``auto`` takes the set's folds if some are asked for, else its own split if it has one, else
    its folds if patients are unknown, and draws patients otherwise.
    """
    spec, rows, seed = recipe.data.split, table.rows, recipe.seed
    share, several = spec.val / (spec.train + spec.val), table.multilabel
    by = _division(table, recipe)
    if by == "given":
        split = split_as_given(rows, share, seed, multilabel=several)
        drawn = "" if (rows["split"] == "val").any() else ", validation drawn from training"
        return split, f"as the data set gives it{drawn}"
    if by == "fold":
        test = spec.test_folds or tuple(sorted(rows["fold"].dropna().unique())[-1:])
        split = split_by_fold(
            rows,
            test,
            patients_known=table.patients_known,
            val_folds=spec.val_folds or None,
            val_fraction=share,
            seed=seed,
            multilabel=several,
        )
        return split, _fold_rule(rows, split)
    split = split_by_patient(rows, (spec.train, spec.val, spec.test), seed, multilabel=several)
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
        f"{name} {folds[part]}" if folds[part] else f"no {name}" for part, name in names.items()
    )


def _classes(table: ImageTable, recipe: Recipe) -> tuple[str, ...]:
    known = recipe.data.classes or table.classes
    unknown = [name for name in table.classes if name not in known]
    if unknown:
        raise DataError(
            f"{table.name} has labels that the recipe does not know ({', '.join(unknown)}): "
            f"rename them to {', '.join(known)}, or set data.classes ([] takes the set's own)"
        )
    if len(table.classes) < 2:
        raise DataError(f"{table.name} has one class only, {table.classes[0]}: give two at least")
    return tuple(name for name in known if name in table.classes)


def _labels(table: ImageTable, classes: tuple[str, ...]) -> np.ndarray:
    labels = table.rows["label"]
    if table.multilabel:
        return indicators(labels, True)[list(classes)].to_numpy(np.float32, copy=True)
    return np.array(labels.map(classes.index), dtype=np.int64)
