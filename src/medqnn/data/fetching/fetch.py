"""Public data sets, fetched from where their authors publish them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from medqnn.data.cheng import FOLDS_FILE, read_cheng_folder
from medqnn.data.fetching.download import PAUSES, Progress, Tell, download
from medqnn.data.fetching.public_sets import CHENG, PublicSet
from medqnn.data.fetching.remote_file import RemoteFile, digest
from medqnn.data.fetching.unpack import unpack
from medqnn.errors import DataError

SUMS = "SHA256SUMS"  # as sha256sum writes and checks it


def fetch(
    found: PublicSet,
    folder: Path,
    *,
    progress: Progress = lambda what, done, total: None,
    tell: Tell = lambda line: None,
    pauses: Sequence[float] = PAUSES,
) -> Path:
    """Fetch a public set, or what is still missing of it, and check it.

    Args:
        found: the set, see `public_sets.public_set`.
        folder: where its file or folder goes.
        progress: told of the bytes that have come or are unpacked.
        tell: told of what is found and of further attempts.
        pauses: see `download`.

    Returns:
        What to give as `--data`: `FOLDER/pathmnist.npz` or `FOLDER/cheng2015`.

    Raises:
        DataError: What `download`, `unpack` and `read_cheng_folder` raise, or a set not complete.
    """
    get = partial(download, progress=progress, tell=tell, pauses=pauses)
    if found.name != CHENG:
        return get(found.files[0], folder)
    root = folder / CHENG
    try:
        for file in found.files:
            if file.name == FOLDS_FILE:
                get(_as_recorded(file, root), root)
            elif not _is_unpacked(root, file):
                archive = get(file, root)
                unpack(archive, _unpacked(root, file), _slices(file), progress)
                archive.unlink()
    except OSError as error:
        raise DataError(
            f"cannot write {root} ({error.strerror or error}): free some space, or choose a "
            "folder that you may write to with --out"
        ) from error
    facts = _checked(root, found)
    _record(root / FOLDS_FILE, tell)
    tell(facts)
    return root


def _slices(file: RemoteFile) -> set[str]:
    """Names of the slices in an archive: `…_1-766.zip` holds 1.mat to 766.mat."""
    first, last = re.findall(r"\d+", file.name)
    return {f"{number}.mat" for number in range(int(first), int(last) + 1)}


def _unpacked(root: Path, file: RemoteFile) -> Path:
    return root / file.name.removesuffix(".zip")


def _is_unpacked(root: Path, file: RemoteFile) -> bool:
    return _slices(file) <= {path.name for path in _unpacked(root, file).glob("*.mat")}


def _checked(root: Path, found: PublicSet) -> str:
    """What there is, once every slice can be opened and has a fold."""
    expected = sum(len(_slices(file)) for file in found.files if file.name != FOLDS_FILE)
    table = read_cheng_folder(root)
    folds = sorted(int(fold) for fold in table.rows["fold"].dropna().unique())
    if len(table) != expected or folds != [1, 2, 3, 4, 5]:
        raise DataError(
            f"{root} holds {len(table):,} slices in the folds {folds}, expected {expected:,} in "
            "1 to 5: remove it and run the command again"
        )
    return (
        f"{root} is complete: {len(table):,} slices of {table.rows['patient'].nunique()} patients"
    )


def _as_recorded(file: RemoteFile, root: Path) -> RemoteFile:
    """The file with the checksum that it had when it was first fetched."""
    try:
        text = (root / SUMS).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return file
    found = re.search(rf"^([0-9a-f]{{64}})  {re.escape(file.name)}$", text, re.MULTILINE)
    return file._replace(checksum=f"sha256:{found[1]}") if found else file


def _record(path: Path, tell: Tell) -> None:
    """Take down the checksum of a file for which none is published."""
    sums = path.with_name(SUMS)
    found = digest(path)
    line = f"{found}  {path.name}\n"
    if not sums.is_file() or sums.read_text(encoding="utf-8", errors="replace") != line:
        sums.write_text(line, encoding="utf-8")
        tell(f"no checksum of {path.name} is published: its SHA-256 is {found}, kept in {sums}")
