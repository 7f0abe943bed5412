"""Other questions asked of the same images: one group of classes against the rest, or a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from medqnn.data.table import ImageTable
from medqnn.errors import DataError

REST = "rest"


def one_vs_rest(table: ImageTable, positives: Sequence[str | int]) -> ImageTable:
    """Ask whether an image is of one of some classes.

    Args:
        table: a set with one label an image.
        positives: the classes, each by name or by its index in `table.classes`.

    Returns:
        The same rows with two classes: "rest" (index 0) and the positives' names joined by " + "
        in the table's order (index 1).

    Raises:
        DataError: Several labels an image, an unknown class, one twice, none, or none left over.
    """
    names = _members(table, positives)
    if len(names) == len(table.classes):
        raise DataError(
            f"{table.name}: the positives are all of its classes ({', '.join(names)}): leave at "
            "least one out"
        )
    positive = " + ".join(names)
    label = np.where(table.rows["label"].isin(names), positive, REST)
    return replace(table, rows=table.rows.assign(label=label), classes=(REST, positive))


def two_classes(table: ImageTable, pair: Sequence[str | int]) -> ImageTable:
    """Keep the images of two classes.

    Args:
        table: a set with one label an image.
        pair: the classes, each by name or by its index in `table.classes`.

    Returns:
        The rows of the two, numbered anew; the classes in the table's order.

    Raises:
        DataError: Several labels an image, an unknown class, or not two different ones.
    """
    names = _members(table, pair)
    if len(names) != 2:
        raise DataError(f"{table.name}: {len(names)} classes given ({', '.join(names)}): give two")
    rows = table.rows[table.rows["label"].isin(names)].reset_index(drop=True)
    return replace(table, rows=rows, classes=names)


def _members(table: ImageTable, given: Sequence[str | int]) -> tuple[str, ...]:
    """Names of the given classes, in the table's order."""
    if table.multilabel:
        raise DataError(
            f"{table.name} has several findings an image: ask for one class against another of a "
            "set with one label an image, or train on all findings"
        )
    known = dict(enumerate(table.classes)) | {name: name for name in table.classes}
    unknown = [member for member in given if member not in known]
    chosen = {known[member] for member in given if member in known}
    if unknown or not chosen or len(chosen) < len(given):
        fault = f"knows no class {unknown[0]!r}" if unknown else f"cannot take {list(given)}"
        numbered = ", ".join(f"{number} {name}" for number, name in enumerate(table.classes))
        raise DataError(
            f"{table.name} {fault}: give one or more of its classes, each once, by name or "
            f"number: {numbered}"
        )
    return tuple(name for name in table.classes if name in chosen)
