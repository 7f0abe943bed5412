from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.conftest import Medqnn
from data.fetching.http_files import FileServer, serving
from medqnn.data.fetching import public_sets
from medqnn.data.fetching.remote_file import RemoteFile

BODY = b"12345" * 1000


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """Has breastmnist.npz, in place of its public home."""
    monkeypatch.setenv("NO_PROXY", "*")
    with serving() as running:
        running.files["breastmnist.npz"] = BODY
        checksum = f"md5:{hashlib.md5(BODY).hexdigest()}"
        file = RemoteFile("breastmnist.npz", running.url("breastmnist.npz"), checksum)
        found = public_sets.public_set("breastmnist")._replace(files=(file,))
        monkeypatch.setattr(public_sets, "public_set", lambda name: found)
        yield running


def test_set_is_fetched_and_the_next_command_named(
    medqnn: Medqnn, server: FileServer, tmp_path: Path
) -> None:
    path = tmp_path / "data" / "breastmnist.npz"
    done = medqnn("data", "fetch", "breastmnist", "--out", path.parent)
    assert done.code == 0
    assert path.read_bytes() == BODY
    assert "breastmnist of MedMNIST, 28 pixels, CC BY 4.0" in done.words
    assert f"next: medqnn train hqcnn-medmnist --data {path}" in done.out.splitlines()
    assert "5.0/5.0 kB" in done.words
    again = medqnn("data", "fetch", "breastmnist", "--out", path.parent)
    assert again.code == 0
    assert f"{path} is there, its MD5 right" in again.words
    assert len(server.seen) == 1


def test_default_folder_is_data_here(
    medqnn: Medqnn, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert medqnn("data", "fetch", "breastmnist").code == 0
    assert (tmp_path / "data" / "breastmnist.npz").is_file()


def test_wrong_file_is_one_line(
    fails: Callable[..., str], server: FileServer, tmp_path: Path
) -> None:
    server.files["breastmnist.npz"] = b"wrong"
    line = fails("data", "fetch", "breastmnist", "--out", tmp_path)
    assert "cannot fetch breastmnist.npz" in line


def test_unknown_set_is_one_line(fails: Callable[..., str]) -> None:
    assert "did you mean breastmnist?" in fails("data", "fetch", "brestmnist")


def test_ctrl_c_says_how_to_go_on(
    medqnn: Medqnn, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("medqnn.data.fetching.fetch.fetch", interrupt)
    done = medqnn("data", "fetch", "breastmnist", "--out", tmp_path)
    assert done.code == 130
    assert f"go on with `medqnn data fetch breastmnist --out {tmp_path}`" in done.words


def test_help_teaches_by_example(medqnn: Medqnn) -> None:
    assert "Example: medqnn data fetch breastmnist" in medqnn("data", "fetch", "--help").words
