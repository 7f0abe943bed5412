"""Chosen files of a zip archive, unpacked into a folder that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from medqnn.data.fetching.download import Progress
from medqnn.data.fetching.remote_file import check_space
from medqnn.errors import DataError

_BROKEN = (BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, IndexError)
_LARGEST = 2**24  # bytes of one file: no slice comes near, and a zip bomb is stopped


def unpack(
    archive: Path,
    folder: Path,
    names: Collection[str],
    progress: Progress = lambda what, done, total: None,
) -> None:
    """Write the files with these names into the folder, whatever folder they have in the archive.

    Nothing else is written, so no name in the archive can lead out of the folder. A folder that
    is there is replaced.

    Args:
        archive: the zip file.
        folder: where to.
        names: of the files, without folders.
        progress: told of the bytes that are written.

    Raises:
        DataError: A damaged archive, a file that is missing, there twice or too large, or no space.
        OSError: The folder cannot be written.
    """
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # a killed process left it
    part.mkdir(parents=True)
    try:
        with ZipFile(archive) as packed:
            members = _members(packed, names)
            total = sum(member.file_size for member in members.values())
            check_space(part, total)
            done = 0
            for name, member in members.items():
                with packed.open(member) as source, open(part / name, "wb") as out:
                    shutil.copyfileobj(source, out)  # ends with the checksum compared
                done += member.file_size
                progress(f"unpacking {archive.name}", done, total)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(part, folder)
    except _BROKEN as error:
        raise DataError(
            f"{archive} cannot be unpacked ({error}): remove it and run the command again"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _members(packed: ZipFile, names: Collection[str]) -> dict[str, ZipInfo]:
    """The archive's entry of each name."""
    wanted, members = set(names), dict[str, ZipInfo]()
    for member in packed.infolist():
        name = PurePosixPath(member.filename).name
        if member.is_dir() or name not in wanted:
            continue
        if name in members:
            raise ValueError(f"it holds {name} twice")
        if member.file_size > _LARGEST:
            raise ValueError(f"{name} would have {member.file_size:,} bytes")
        members[name] = member
    missing = sorted(wanted - set(members))
    if missing:
        raise ValueError(f"{len(missing)} of {len(wanted)} files are missing, such as {missing[0]}")
    return members
