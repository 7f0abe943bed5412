from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZipFile

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from medqnn.data.catalogue import open_table
from medqnn.data.fetching.fetch import SUMS, fetch
from medqnn.data.fetching.public_sets import CHENG, PublicSet, names, public_set
from medqnn.data.fetching.remote_file import RemoteFile, digest
from medqnn.data.medmnist_classes import OFFICIAL
from medqnn.errors import DataError

from ..medmnist_files import write_medmnist
from .http_files import FileServer, breaks_after, serving, status

SLICES = {"brainTumorDataPublic_1-4.zip": range(1, 5), "brainTumorDataPublic_5-7.zip": range(5, 8)}
Fetch = Callable[[], Path]


def slice_file(number: int) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as stored:
        stored["cjdata/label"] = np.array([[number % 3 + 1.0]])
        stored["cjdata/PID"] = np.array([[ord(letter)] for letter in f"p{number}"])
        stored["cjdata/image"] = np.full((4, 4), number, dtype=np.int16)
        stored["cjdata/tumorMask"] = np.eye(4, dtype=np.uint8)
    return file.getvalue()


def archive(numbers: range) -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w") as packed:
        for number in numbers:
            packed.writestr(f"{number}.mat", slice_file(number))
    return file.getvalue()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with serving() as running:
        yield running


@pytest.fixture
def small(server: FileServer) -> PublicSet:
    """A set like Cheng's, of seven slices in two archives."""
    folds = io.BytesIO()
    savemat(folds, {"cvind": np.array([[1, 2, 3, 4, 5, 1, 2]]).T})
    server.files = {name: archive(numbers) for name, numbers in SLICES.items()}
    server.files["cvind.mat"] = folds.getvalue()
    files = [
        RemoteFile(name, server.url(name), f"sha256:{hashlib.sha256(body).hexdigest()}", len(body))
        for name, body in server.files.items()
    ]
    files[-1] = files[-1]._replace(checksum=None)
    return public_set(CHENG)._replace(files=tuple(files))


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def get(small: PublicSet, tmp_path: Path, told: list[str]) -> Fetch:
    return lambda: fetch(small, tmp_path, tell=told.append, pauses=(0,))


def test_names_are_those_of_the_official_sets_in_every_size() -> None:
    assert set(names()) == {CHENG, *OFFICIAL}
    for name in OFFICIAL:
        for size in ("", "_64", "_128", "_224"):
            (file,) = public_set(name + size).files
            assert file.name == f"{name}{size}.npz"
            assert f"/{file.name}?" in file.url
            assert len(file.checksum) == len("md5:") + 32
    every = [public_set(name + size).files[0] for name in OFFICIAL for size in ("", "_64", "_224")]
    assert len({file.checksum for file in every}) == len(every)
    assert "CC BY-NC" in public_set("dermamnist_64").about
    assert "CC BY-NC" not in public_set("pathmnist").about


def test_archives_of_cheng_hold_its_slices_once_each() -> None:
    files = public_set(CHENG).files
    assert [file.size for file in files] == [214401279, 217848429, 215563856, 231679762, 5736]
    assert [len(file.checksum or "") for file in files] == [71, 71, 71, 71, 0]


def test_unknown_name_is_answered_by_the_known_ones() -> None:
    with pytest.raises(
        DataError, match=r"did you mean pathmnist_64\?\): give one of cheng2015, path"
    ):
        public_set("pathmnst_64")
    with pytest.raises(DataError, match="no public data set is called 'pathmnist_28'"):
        public_set("pathmnist_28")


def test_sums_are_those_of_the_files(shared_data: Path) -> None:
    for name in ("breastmnist", "pneumoniamnist"):
        path = shared_data / "medmnist" / f"{name}.npz"
        assert public_set(name).files[0].checksum == f"md5:{digest(path, 'md5')}"


def test_medmnist_is_one_file_that_opens(server: FileServer, tmp_path: Path) -> None:
    body = write_medmnist(tmp_path / "made.npz").read_bytes()
    server.files["cells.npz"] = body
    file = RemoteFile("cells.npz", server.url("cells.npz"), f"md5:{hashlib.md5(body).hexdigest()}")
    path = fetch(public_set("bloodmnist")._replace(files=(file,)), tmp_path / "data")
    assert path == tmp_path / "data" / "cells.npz"
    assert len(open_table(str(path))) > 0


def test_cheng_comes_unpacked_checked_and_ready_to_open(
    get: Fetch, tmp_path: Path, told: list[str]
) -> None:
    root = get()
    assert root == tmp_path / CHENG
    table = open_table(str(root))
    assert table.rows["id"].tolist() == list("1234567")
    assert table.rows["fold"].tolist() == [1, 2, 3, 4, 5, 1, 2]
    assert not list(root.rglob("*.zip"))
    assert told[-1] == f"{root} is complete: 7 slices of 7 patients"


def test_checksum_that_nobody_publishes_is_told_kept_and_compared(
    get: Fetch, small: PublicSet, server: FileServer, told: list[str]
) -> None:
    root = get()
    found = digest(root / "cvind.mat")
    assert (root / SUMS).read_text() == f"{found}  cvind.mat\n"
    assert sum(found in line for line in told) == 1
    get()
    assert sum(found in line for line in told) == 1
    good = (root / "cvind.mat").read_bytes()
    (root / "cvind.mat").write_bytes(b"x" * len(good))
    get()
    assert (root / "cvind.mat").read_bytes() == good


@pytest.mark.parametrize("text", ["", "nonsense\n", "\0", "ab  cvind.mat\n"])
def test_damaged_list_of_sums_is_written_anew(get: Fetch, text: str) -> None:
    root = get()
    (root / SUMS).write_text(text)
    get()
    assert (root / SUMS).read_text().endswith("  cvind.mat\n")


def test_what_is_there_is_not_fetched_again(get: Fetch, server: FileServer) -> None:
    root = get()
    assert len(server.seen) == 3
    get()
    assert len(server.seen) == 3
    (root / "brainTumorDataPublic_5-7" / "6.mat").unlink()
    get()
    assert len(server.seen) == 4
    assert (root / "brainTumorDataPublic_5-7" / "6.mat").is_file()


def test_archive_put_there_by_hand_is_used(get: Fetch, server: FileServer, tmp_path: Path) -> None:
    (tmp_path / CHENG).mkdir()
    name = "brainTumorDataPublic_1-4.zip"
    (tmp_path / CHENG / name).write_bytes(server.files[name])
    get()
    assert len(server.seen) == 2


def test_broken_fetch_goes_on_later(get: Fetch, server: FileServer) -> None:
    server.answers = [breaks_after(10**9), status(404)]
    with pytest.raises(DataError, match="404"):
        get()
    get()
    assert len(server.seen) == 4


def test_slice_that_cannot_be_opened_is_named(get: Fetch) -> None:
    path = get() / "brainTumorDataPublic_1-4" / "3.mat"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"3\.mat is not a slice .*download it again"):
        get()


def test_folds_that_do_not_fit_are_refused(get: Fetch, server: FileServer, tmp_path: Path) -> None:
    folds = io.BytesIO()
    savemat(folds, {"cvind": np.array([[1, 2, 3, 4, 4, 1, 2]]).T})
    assert len(folds.getvalue()) == len(server.files["cvind.mat"])
    server.files["cvind.mat"] = folds.getvalue()
    with pytest.raises(DataError, match=r"7 slices in the folds \[1, 2, 3, 4\], expected 7 in 1"):
        get()
    assert not list(tmp_path.rglob(SUMS))


def test_folder_that_cannot_be_written(small: PublicSet, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write .*--out"):
        fetch(small, tmp_path / "file")
