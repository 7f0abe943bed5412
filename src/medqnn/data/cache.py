"""Images and masks decoded once, at one size, into memory-mapped files.

The cache is a folder for each data set, size and number of channels, under `MEDQNN_CACHE` or the
user's cache folder; any of them may be deleted. Its name is a hash of all that decides its
content, so a changed file, row or reader gives another folder. A folder appears whole or not at
all: it is written beside its place and renamed, by one process at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from filelock import FileLock
from platformdirs import user_cache_dir

from medqnn.data.prepare import prepare
from medqnn.data.table import ImageTable
from medqnn.errors import DataError

Progress = Callable[[Iterable[Any], int], Iterable[Any]]

_CHUNK = 128  # decoded images that wait for the disk: bounds the memory
_THREADS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class DecodedImages:
    """The pixels of a table, in the order of its rows.

    Attributes:
        images: uint8 (n, C, size, size), memory-mapped, read-only; each image spans 0 to 255.
        masks: uint8 (n, size, size), memory-mapped, read-only; 0 or 1.
        annotated: bool (n,), whether the image has a mask annotation (if not, its mask is 0).
        fingerprint: SHA-256 over pixels, masks, ids, labels and patients, in hexadecimal.
    """

    images: np.ndarray
    masks: np.ndarray
    annotated: np.ndarray
    fingerprint: str


def cache_folder() -> Path:
    """Where decoded images are kept: `MEDQNN_CACHE`, or the user's cache folder."""
    return Path(os.environ.get("MEDQNN_CACHE") or user_cache_dir("medqnn"))


def decode(
    table: ImageTable, size: int, channels: int = 1, progress: Progress | None = None
) -> DecodedImages:
    """Give the table's pixels at one size, from the cache or by reading every image.

    Args:
        table: the data set.
        size: side of the square images in pixels.
        channels: 1 (grey) or 3 (RGB).
        progress: wraps the iteration over the images, called with an iterable and its length.

    Raises:
        DataError: An image that cannot be read or used, or a cache that cannot be written (a full
            disk) or is damaged.
    """
    if size < 1 or channels not in (1, 3):
        raise DataError(f"size {size} and {channels} channels: give a size above 0 and 1 or 3")
    folder = cache_folder() / _key(table, size, channels)
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):
                if not folder.is_dir():  # another process may have written it meanwhile
                    _build(folder, table, size, channels, progress or (lambda items, _: items))
    except OSError as error:
        raise DataError(
            f"cannot write the image cache {folder.parent} ({error.strerror or error}): free some "
            "space, or set MEDQNN_CACHE to a folder with room that you may write to"
        ) from error
    return _open(folder)


@cache
def _code() -> str:
    """Hash of this package's code: a mended reader or phantom is not answered from old files."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _key(table: ImageTable, size: int, channels: int) -> str:
    digest = hashlib.sha256(pickle.dumps((_code(), table.name, table.read, size, channels)))
    names = (table.rows[column] for column in ("id", "label", "patient"))
    files = (table.rows[column].map(_file_state) for column in ("source", "mask"))
    for row in zip(*names, *files, strict=True):
        digest.update(repr(row).encode())
    return digest.hexdigest()


def _file_state(path: str | None) -> tuple[str, int, int] | str | None:
    """Path, size and time of change of a file; the text itself if it names none."""
    if path is None or pd.isna(path):
        return None
    try:
        state = os.stat(path)
    except OSError:  # not a file: the reader says so if it should be one
        return path
    return os.path.abspath(path), state.st_size, state.st_mtime_ns


def _build(folder: Path, table: ImageTable, size: int, channels: int, progress: Progress) -> None:
    """Write the cache folder; the caller holds its lock."""
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)  # a killed process left it
    part.mkdir()
    try:
        _write(part, table, size, channels, progress)
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(part: Path, table: ImageTable, size: int, channels: int, progress: Progress) -> None:
    """Write by plain writes: on a full disk a memory map would kill the process instead."""
    count = len(table)
    annotated = np.zeros(count, dtype=bool)
    digest = hashlib.sha256()
    with open(part / "images.npy", "wb") as images, open(part / "masks.npy", "wb") as masks:
        _write_header(images, (count, channels, size, size))
        _write_header(masks, (count, size, size))
        samples = progress(_decoded(table, size, channels), count)
        for index, (image, mask, known) in enumerate(samples):
            images.write(image.tobytes())
            masks.write(mask.tobytes())
            annotated[index] = known
            row = table.rows.iloc[index]
            digest.update(repr((row["id"], row["label"], row["patient"], known)).encode())
            digest.update(image.tobytes() + mask.tobytes())
    np.save(part / "annotated.npy", annotated)
    about = {"table": table.name, "images": count, "fingerprint": digest.hexdigest()}
    (part / "about.json").write_text(json.dumps(about), encoding="utf-8")


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _decoded(
    table: ImageTable, size: int, channels: int
) -> Iterator[tuple[np.ndarray, np.ndarray, bool]]:
    """Image, mask and whether it is annotated, for each row in order."""

    def one(index: int) -> tuple[np.ndarray, np.ndarray, bool]:
        row = table.rows.iloc[index]
        sample = table.read(row)
        try:
            return *prepare(sample, size, channels), sample.mask is not None
        except ValueError as error:
            raise DataError(
                f"image {row['id']} of {table.name}: {error}: mend the file or remove the image"
            ) from error

    yield one(0)  # alone: what a reader loads once, each thread would load for itself
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(1, len(table), _CHUNK):
            yield from pool.map(one, range(start, min(start + _CHUNK, len(table))))


def _open(folder: Path) -> DecodedImages:
    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        images, masks = (
            np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("images", "masks")
        )
        return DecodedImages(images, masks, np.load(folder / "annotated.npy"), about["fingerprint"])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"the image cache {folder} is damaged ({error}): remove it") from error
