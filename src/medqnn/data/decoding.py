"""The rows of a table read and brought to one form, several at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from medqnn.data.prepare import Scaling, prepare
from medqnn.data.scans.scan_files import BadFileError
from medqnn.data.table import ImageTable
from medqnn.errors import DataError

_CHUNK = 128  # decoded images that wait for the disk: bounds the memory
_THREADS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class Form:
    """What the pixels of a table are brought to, see `prepare`."""

    size: int
    channels: int
    scaling: Scaling


class Decoded(NamedTuple):
    """A row's pixels.

    Attributes:
        image: uint8 (channels, size, size).
        mask: uint8 (size, size), 0 or 1.
        annotated: whether the image has a mask annotation.
    """

    image: np.ndarray
    mask: np.ndarray
    annotated: bool


class Skipped(NamedTuple):
    """An image that was left out.

    Attributes:
        id: its id in the table.
        reason: what is wrong with it; no more personal than the id.
        patient: its patient in the table; empty for one that came into no table.
    """

    id: str
    reason: str
    patient: str = ""


def decode_rows(
    table: ImageTable, form: Form, skip_bad: bool = False
) -> Iterator[Decoded | Skipped]:
    """Read and prepare each row, in order.

    Args:
        table: the data set.
        form: what the pixels are brought to.
        skip_bad: give a row that cannot be used as `Skipped`.

    Raises:
        DataError: Without `skip_bad`, the first row that cannot be used.
    """

    def one(index: int) -> Decoded | DataError:
        try:
            return _decode(table, table.rows.iloc[index], form)
        except DataError as error:
            return error

    for index, outcome in enumerate(_in_threads(one, len(table))):
        if isinstance(outcome, Decoded):
            yield outcome
        elif skip_bad:
            reason = outcome.reason if isinstance(outcome, BadFileError) else str(outcome)
            row = table.rows.iloc[index]
            yield Skipped(str(row["id"]), reason, str(row["patient"]))
        else:
            raise DataError(f"{outcome}; --skip-bad leaves out all such images") from outcome


def colour_channels(table: ImageTable, skip_bad: bool = False) -> int:
    """3 if the table's images have colours, by the first that can be read, else 1.

    Raises:
        DataError: The first image cannot be read, or with `skip_bad` none can.
    """
    for index in range(len(table)):
        try:
            return 3 if table.read(table.rows.iloc[index]).image.ndim == 3 else 1
        except DataError:
            if not skip_bad:
                raise
    raise DataError(f"{table.name}: none of its {len(table)} images can be read: mend the files")


def _decode(table: ImageTable, row: pd.Series, form: Form) -> Decoded:
    sample = table.read(row)
    try:
        image, mask = prepare(sample, form.size, form.channels, form.scaling)
    except ValueError as error:
        raise DataError(
            f"image {row['id']} of {table.name}: {error}: mend the file or remove the image"
        ) from error
    return Decoded(image, mask, sample.mask is not None)


def _in_threads(
    one: Callable[[int], Decoded | DataError], count: int
) -> Iterator[Decoded | DataError]:
    """Call a function with 0, 1 … in threads; give its results in order."""
    yield one(0)  # alone: what a reader loads once, each thread would load for itself
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(1, count, _CHUNK):
            yield from pool.map(one, range(start, min(start + _CHUNK, count)))
