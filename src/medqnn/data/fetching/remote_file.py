"""A file on the web, and whether one on the disk is that file."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import NamedTuple

from medqnn.errors import DataError

_SPARE = 2**26  # bytes that are left free on the disk


class RemoteFile(NamedTuple):
    """A file on the web.

    Attributes:
        name: of the file here.
        url: where it is.
        checksum: "md5:" or "sha256:" and hexadecimal digits, where known.
        size: bytes, where known.
    """

    name: str
    url: str
    checksum: str | None = None
    size: int | None = None

    def fault(self, path: Path) -> str | None:
        """What tells a file on the disk from this one: its size, or its checksum."""
        size = path.stat().st_size
        if self.size is not None and size != self.size:
            return f"has {size:,} bytes, expected {self.size:,}"
        if self.checksum is None:
            return None
        kind, _, expected = self.checksum.partition(":")
        found = digest(path, kind)
        return None if found == expected else f"has the {kind.upper()} {found}, expected {expected}"

    @property
    def known_by(self) -> str:
        """What a file on the disk is compared by, in words."""
        if self.checksum:
            return self.checksum.partition(":")[0].upper()
        return "size" if self.size is not None else "name"

    def refused(self, target: Path, reason: str) -> DataError:
        """The error of a file that cannot be fetched, with the steps by hand."""
        known = f" ({self.checksum.replace(':', ' ')})" if self.checksum else ""
        return DataError(
            f"cannot fetch {self.name} from {self.url}: {reason}. Run the command again later, "
            f"or save that address with a browser as {target}{known} and run the command again"
        )


def digest(path: Path, kind: str = "sha256") -> str:
    """Checksum of a file, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(kind, usedforsecurity=False)
        ).hexdigest()


def check_space(folder: Path, wanted: int) -> None:
    """Refuse what will not fit on the disk.

    Raises:
        DataError: Fewer bytes than that are free, and some to spare.
    """
    free = shutil.disk_usage(folder).free
    if free < wanted + _SPARE:
        raise DataError(
            f"{(wanted + _SPARE) / 1e9:.2f} GB are needed in {folder}, where {free / 1e9:.2f} GB "
            "are free: free some space, or choose another folder with --out"
        )
