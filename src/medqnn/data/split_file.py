"""A split in a file of its own, beside any kind of data set: `id,split,group`, a line an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from medqnn.data.splits import split_by_patient
from medqnn.data.table import SPLITS, ImageTable
from medqnn.errors import DataError

COLUMNS = ["id", "split", "group"]


def split_by_group(
    table: ImageTable,
    group: np.ndarray,
    fractions: Sequence[float] = (0.70, 0.15, 0.15),
    seed: int = 0,
) -> pd.DataFrame:
    """Draw a split that keeps groups of images together, the classes in proportion.

    Args:
        table: the data set.
        group: int (n,), number of each image's group, as `copies.groups` gives it.
        fractions: shares of train, validation and test, not negative, of sum 1.
        seed: of the draw.

    Returns:
        Columns `id`, `split` and `group` ("group-00007"), one row an image in the table's order.

    Raises:
        DataError: Fractions that are not shares, or a class with too few groups for every part.
    """
    rows = table.rows
    names = pd.Series([f"group-{number:05d}" for number in group])
    split = split_by_patient(
        rows.assign(patient=names), fractions, seed, multilabel=table.multilabel
    )
    return pd.DataFrame({"id": rows["id"], "split": split, "group": names})


def write_split(split: pd.DataFrame, path: str | Path) -> None:
    """Write a split of `split_by_group` as CSV; nothing is overwritten.

    Raises:
        DataError: The file exists, or cannot be written.
    """
    try:
        with open(path, "x", encoding="utf-8", newline="") as file:
            split[COLUMNS].to_csv(file, index=False)
    except FileExistsError as error:
        raise DataError(f"{path} exists: remove it, or name another file with --out") from error
    except OSError as error:
        raise DataError(
            f"cannot write {path} ({error.strerror}): name a place with --out that you may write to"
        ) from error


def apply_split(table: ImageTable, path: str | Path) -> ImageTable:
    """Give a table the split of a file.

    Where the table names no patients, the file's groups become its patients, so that whatever is
    drawn or resampled later keeps copies together; `patients_known` stays False.

    Args:
        table: the data set that the split was drawn of.
        path: CSV file with the columns `id` and `split`, and maybe `group`.

    Raises:
        DataError: A file that cannot be read, without these columns, with other words than train,
            val and test, with an id twice, or of other images than the table's.
    """
    given = _read(Path(path))
    _check_ids(given["id"], table.rows["id"], table.name, path)
    own = given.set_index("id").reindex(table.rows["id"])
    rows = table.rows.assign(split=own["split"].to_numpy())
    if "group" in own and not table.patients_known:
        rows["patient"] = own["group"].to_numpy()
    return replace(table, rows=rows)


def _read(path: Path) -> pd.DataFrame:
    try:
        given = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # pandas' parser errors and bad encodings included
        raise DataError(
            f"cannot read the split {path} ({str(error).splitlines()[0]}): give the file that "
            "`medqnn data split` wrote"
        ) from error
    absent = [column for column in COLUMNS[:2] if column not in given]
    if absent:
        raise DataError(
            f"the split {path} has the columns {', '.join(given.columns)}: id and split are needed"
        )
    strange = given.loc[~given["split"].isin(SPLITS), "split"]
    if not strange.empty:
        raise DataError(
            f"the split {path} says {strange.iloc[0]!r} in {len(strange)} lines: the words are "
            f"{', '.join(SPLITS)}"
        )
    if "group" in given and given["group"].eq("").any():
        raise DataError(f"the split {path} has lines without a group: fill them or drop the column")
    return given


def _check_ids(given: pd.Series, wanted: pd.Series, name: str, path: str | Path) -> None:
    twice = given[given.duplicated()]
    if not twice.empty:
        raise DataError(f"the split {path} names {twice.iloc[0]} more than once: keep one line")
    missing, strange = wanted[~wanted.isin(given)], given[~given.isin(wanted)]
    if len(missing) or len(strange):
        faults = [
            f"{len(some)} {words}, such as {some.iloc[0]}"
            for some, words in (
                (missing, "images of the data are not in it"),
                (strange, "of its lines are no images of the data"),
            )
            if len(some)
        ]
        raise DataError(
            f"the split {path} is not one of {name}: {' and '.join(faults)}; draw one anew with "
            "`medqnn data split`"
        )
