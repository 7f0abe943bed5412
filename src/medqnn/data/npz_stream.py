"""Arrays of a compressed .npz file, checked by their headers and read an item at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import numpy as np
from numpy.lib import format as npy

_BLOCK_BYTES = 4 * 2**20
_KEPT = 8  # blocks: how far back threads that read rows in order may lag


class Header(NamedTuple):
    """What an array is, and where in its file it starts."""

    shape: tuple[int, ...]
    dtype: np.dtype
    start: int  # bytes


def read_header(archive: ZipFile, name: str) -> Header:
    """Read what an array of the archive is, not its items.

    Raises:
        ValueError: It holds Python objects, stands column by column, or its length in the
            archive is not that of its shape.
    """
    with archive.open(f"{name}.npy") as file:
        versions = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        version = npy.read_magic(file)
        if version not in versions:
            raise ValueError(f"{name} has format version {version}")
        shape, by_columns, dtype = versions[version](file)
        start = file.tell()
    if dtype.hasobject:
        raise ValueError(f"{name} holds pickled objects, which are never loaded")
    if by_columns and len(shape) > 1:
        raise ValueError(f"{name} is in Fortran order")
    if archive.getinfo(f"{name}.npy").file_size != start + math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{name} is not as long as its shape {shape}")
    return Header(shape, dtype, start)


class ArrayStream:
    """Items of one array along its first axis, best asked for in order.

    Memory holds the last few blocks of 4 MiB alone. Going further back starts anew from the
    first item. The file stays open until the last block is read or the stream is dropped.
    """

    def __init__(self, path: str | Path, name: str) -> None:
        self._path, self._name = path, name
        self._fault: Exception | None = None
        with ZipFile(path) as archive:
            self._header = read_header(archive, name)
        self._item_bytes = math.prod(self._header.shape[1:]) * self._header.dtype.itemsize
        self._length = max(1, _BLOCK_BYTES // self._item_bytes)  # items a block
        self._restart()

    def __getitem__(self, number: int) -> np.ndarray:
        """Give one item, read-only.

        Raises:
            ValueError: No such item.
            OSError, ValueError, BadZipFile, zlib.error: The file is damaged.
        """
        if not 0 <= number < self._header.shape[0]:
            raise ValueError(f"{self._name} has no item {number}")
        block, place = divmod(number, self._length)
        if block < self._next and block not in self._kept:
            self._restart()
        if self._fault and block >= self._next:
            raise self._fault
        while self._next <= block:
            try:
                self._kept[self._next] = next(self._blocks)
            except Exception as error:  # nothing can be read behind it
                self._fault = error
                raise
            self._kept.pop(self._next - _KEPT, None)
            self._next += 1
        return self._kept[block][place]

    def _restart(self) -> None:
        self._blocks = self._read_blocks()
        self._kept: dict[int, np.ndarray] = {}
        self._next = 0
        self._fault = None

    def _read_blocks(self) -> Iterator[np.ndarray]:
        shape, dtype, start = self._header
        with ZipFile(self._path) as archive, archive.open(f"{self._name}.npy") as file:
            file.seek(start)
            for first in range(0, shape[0], self._length):
                count = min(self._length, shape[0] - first)
                block = file.read(count * self._item_bytes)  # the last compares the checksum
                yield np.frombuffer(block, dtype).reshape(count, *shape[1:])
