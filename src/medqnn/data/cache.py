"""Images and masks decoded once, at one size, into memory-mapped files.

The cache is a folder for each data set, size, number of channels and scaling, under `MEDQNN_CACHE`
or the user's cache folder; any of them may be deleted. Its name is a hash of all that decides its
content, so a changed file, row or reader gives another folder. A folder appears whole or not at
all: it is written beside its place and renamed, by one process at a time.

Pixels are kept in 8 bits, also those of files that have more: models read nothing finer, and an
image scaled to its own range is off by 1/510 of that at most. 16 bits would double every file.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO, get_args

import numpy as np
import pandas as pd
from filelock import FileLock

from medqnn.data.code_hash import code_hash
from medqnn.data.decoding import Decoded, Form, Skipped, decode_rows
from medqnn.data.prepare import Scaling
from medqnn.data.table import ImageTable, indicators
from medqnn.errors import DataError
from medqnn.places import cache_folder

Progress = Callable[[Iterable[Any], int], Iterable[Any]]

_NAMES = ("id", "label", "patient")


@dataclass(frozen=True)
class DecodedImages:
    """The pixels of a table, in the order of its rows.

    Attributes:
        images: uint8 (n, C, size, size), memory-mapped, read-only; scaled as asked.
        masks: uint8 (n, size, size), memory-mapped, read-only; 0 or 1.
        annotated: bool (n,), whether the image has a mask annotation (if not, its mask is 0).
        fingerprint: SHA-256 over pixels, masks, ids, labels and patients, in hexadecimal.
        skipped: images of the table that the arrays lack.
    """

    images: np.ndarray
    masks: np.ndarray
    annotated: np.ndarray
    fingerprint: str
    skipped: tuple[Skipped, ...] = ()

    def kept(self, table: ImageTable) -> ImageTable:
        """The table without the images that were skipped: its rows are those of the arrays."""
        if not self.skipped:
            return table
        gone = table.rows["id"].isin([one.id for one in self.skipped])
        rows = table.rows[~gone].reset_index(drop=True)
        occurring = indicators(rows["label"], table.multilabel)
        classes = tuple(name for name in table.classes if name in occurring)
        return replace(table, rows=rows, classes=classes)


def decode(
    table: ImageTable,
    size: int,
    channels: int = 1,
    scaling: Scaling = "min-max",
    progress: Progress | None = None,
    *,
    skip_bad: bool = False,
) -> DecodedImages:
    """Give the table's pixels at one size, from the cache or by reading every image.

    Args:
        table: the data set.
        size: side of the square images in pixels.
        channels: 1 (grey) or 3 (RGB).
        scaling: "min-max" (each image's own range becomes 0..255) or "dtype" (the range of the
            file's pixels: 8-bit values stay as they are, 16-bit ones are divided by 257).
        progress: wraps the iteration over the images, called with an iterable and its length.
        skip_bad: leave out images that cannot be read or used, see `DecodedImages.kept`.

    Raises:
        DataError: An image that cannot be read or used, with `skip_bad` if all are so; or a cache
            that cannot be written (a full disk) or is damaged.
    """
    if size < 1 or channels not in (1, 3):
        raise DataError(f"size {size} and {channels} channels: give a size above 0 and 1 or 3")
    if scaling not in get_args(Scaling):
        raise DataError(f"scaling {scaling!r}: give one of {', '.join(get_args(Scaling))}")
    form = Form(size, channels, scaling)
    folder = cache_folder() / _key(table, form, False)
    if skip_bad and not folder.is_dir():  # which there is only if no image is bad
        folder = cache_folder() / _key(table, form, True)
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):
                if not folder.is_dir():  # another process may have written it meanwhile
                    rows = decode_rows(table, form, skip_bad)
                    _build(folder, table, form, progress(rows, len(table)) if progress else rows)
    except OSError as error:
        raise DataError(
            f"cannot write the image cache {folder.parent} ({error.strerror or error}): free some "
            "space, or set MEDQNN_CACHE to a folder with room that you may write to"
        ) from error
    return _open(folder)


def _key(table: ImageTable, form: Form, skip_bad: bool) -> str:
    """Hash of the rows, the files behind them, and the code that reads them."""
    code = code_hash(table.read, _write)
    digest = hashlib.sha256(pickle.dumps((code, table.name, table.read, form, skip_bad)))
    # All rows of a set may stand in one file, so its state is asked once. A file that was skipped
    # may become readable by its permissions alone, of which only the ctime tells.
    state = cache(partial(_file_state, with_ctime=skip_bad))
    names = (table.rows[column] for column in _NAMES)
    files = (table.rows[column].map(state) for column in ("source", "mask"))
    for row in zip(*names, *files, strict=True):
        digest.update(repr(row).encode())
    return digest.hexdigest()


def _file_state(path: str | None, with_ctime: bool) -> tuple[str, int, int, int] | str | None:
    """Path, size and times of change of a file; the text itself if it names none."""
    if path is None or pd.isna(path):
        return None
    try:
        state = os.stat(path)
    except (OSError, ValueError):  # not a file: the reader says so if it should be one
        return path
    changed = state.st_ctime_ns if with_ctime else 0
    return os.path.abspath(path), state.st_size, state.st_mtime_ns, changed


def _build(folder: Path, table: ImageTable, form: Form, rows: Iterable[Decoded | Skipped]) -> None:
    """Write the cache folder; the caller holds its lock."""
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)  # a killed process left it
    part.mkdir()
    try:
        _write(part, table, form, rows)
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(part: Path, table: ImageTable, form: Form, rows: Iterable[Decoded | Skipped]) -> None:
    """Write by plain writes: on a full disk a memory map would kill the process instead."""
    annotated: list[bool] = []
    skipped: list[Skipped] = []
    digest = hashlib.sha256()
    with open(part / "images.npy", "wb") as images, open(part / "masks.npy", "wb") as masks:
        _write_headers(images, masks, len(table), form)
        names = zip(*(table.rows[column] for column in _NAMES), strict=True)
        for row, name in zip(rows, names, strict=True):
            if isinstance(row, Skipped):
                skipped.append(row)
                continue
            pixels = row.image.tobytes(), row.mask.tobytes()
            images.write(pixels[0])
            masks.write(pixels[1])
            annotated.append(row.annotated)
            digest.update(repr((*name, row.annotated)).encode() + b"".join(pixels))
        _write_headers(images, masks, len(annotated), form)
    if not annotated:
        raise DataError(
            f"{table.name}: none of its {len(table)} images can be used; of the first, "
            f"{skipped[0].id}: {skipped[0].reason}"
        )
    np.save(part / "annotated.npy", np.array(annotated))
    about = {"table": table.name, "fingerprint": digest.hexdigest(), "skipped": skipped}
    (part / "about.json").write_text(json.dumps(about), encoding="utf-8")


def _write_headers(images: BinaryIO, masks: BinaryIO, count: int, form: Form) -> None:
    """Head the files; as NumPy leaves room for any count, a later one fits in place."""
    square = (form.size, form.size)
    for file, shape in ((images, (count, form.channels, *square)), (masks, (count, *square))):
        file.seek(0)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)


def _open(folder: Path) -> DecodedImages:
    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        images, masks = (
            np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("images", "masks")
        )
        annotated = np.load(folder / "annotated.npy")
        skipped = tuple(Skipped(*one) for one in about["skipped"])
        return DecodedImages(images, masks, annotated, about["fingerprint"], skipped)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"the image cache {folder} is damaged ({error}): remove it") from error
