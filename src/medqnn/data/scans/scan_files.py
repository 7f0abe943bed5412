"""The files of a folder of scans, and how an error names one."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from medqnn.errors import DataError

OnBad = Callable[[str, str], None]
"""Told of a file that is left out: its path, and why, without any personal data."""


class BadFileError(DataError):
    """A file that cannot be used; the rest of its folder may.

    Attributes:
        path: the file.
        reason: what is wrong and how to mend it, on one line; neither names nor header values.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{printable(path)}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[BadFileError], tuple[str, str]]:
        return BadFileError, (self.path, self.reason)


class BoundedReader(io.BufferedReader):
    """A file that is never asked for more bytes than it holds.

    Python sets the memory for a read aside first, and a parser asks for what a damaged file says.
    """

    def __init__(self, path: str) -> None:
        super().__init__(io.FileIO(path))
        self._size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Read so many bytes, or to the end."""
        if size is not None and size > 0:
            size = min(size, max(0, self._size - self.tell()))
        return super().read(size)


def refuse(error: BadFileError, on_bad: OnBad | None) -> None:
    """Tell of a bad file, or raise the error if nobody listens."""
    if on_bad is None:
        raise error
    on_bad(error.path, error.reason)


def printable(path: str | Path) -> str:
    """A path on one line: line breaks and other control characters escaped."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in str(path)
    )


def files_below(root: str | Path) -> Iterator[str]:
    """Paths of the files in a folder at any depth, by name; links are followed, once each.

    Hidden files and folders, and what some systems add to archives, are left out.

    Raises:
        DataError: A folder that cannot be read.
    """
    seen = set()
    for here, below, files in os.walk(root, onerror=_refuse_folder, followlinks=True):
        if (real := os.path.realpath(here)) in seen:  # a link back
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted(name for name in below if not _is_clutter(name))
        yield from (os.path.join(here, name) for name in sorted(files) if not _is_clutter(name))


def _is_clutter(name: str) -> bool:
    return name.startswith(".") or name.lower() in ("__macosx", "thumbs.db", "desktop.ini")


def _refuse_folder(error: OSError) -> NoReturn:
    raise DataError(
        f"cannot read the folder {printable(error.filename)} ({error.strerror}): mend its "
        "permissions"
    ) from error
