"""Images are made once, and one that is damaged or another user's is not run."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from medqnn.kernels import kept, loading

pytestmark = pytest.mark.skipif(not loading._images_run(), reason="images need Linux on x86-64")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDQNN_CACHE", str(tmp_path / "new" / "cache"))
    return tmp_path / "new" / "cache"


def no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on no process can make one."""
    monkeypatch.setattr(sys, "executable", "/bin/false")


def test_an_image_is_made_once_and_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = kept.kept_image("matrix", 32)
    (file,) = folder.iterdir()
    assert file.name.startswith("matrix32.")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    no_python(monkeypatch)
    assert kept.kept_image("matrix", 32) == made
    with pytest.raises(RuntimeError, match="exit status 1"):
        kept.kept_image("matrix", 64)


@pytest.mark.parametrize("damage", [b"", b"short", bytes(100), None])
def test_a_damaged_image_is_made_anew(folder: Path, damage: bytes | None) -> None:
    made = kept.kept_image("matrix", 32)
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if damage is None else damage)
    assert kept.kept_image("matrix", 32) == made
    assert file.read_bytes() == whole


def test_another_users_image_is_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.kept_image("matrix", 32)
    (file,) = folder.iterdir()
    owner = os.geteuid()
    monkeypatch.setattr(kept, "_hash", lambda: file.name.split(".")[1])  # the same name
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    no_python(monkeypatch)
    with pytest.raises(RuntimeError):
        kept.kept_image("matrix", 32)


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MEDQNN_CACHE", str(tmp_path / "file" / "cache"))
    assert len(kept.kept_image("matrix", 32)) > 10_000


def test_nothing_half_written_is_left(folder: Path) -> None:
    (folder / "image").mkdir(parents=True)  # a file cannot take a folder's place
    with pytest.raises(OSError, match="directory"):
        kept._write(folder / "image", b"code")
    assert [path.name for path in folder.iterdir()] == ["image"]


def test_a_processor_or_a_source_of_its_own_has_an_image_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = kept._hash()
    assert here == kept._hash()
    monkeypatch.setattr(kept, "version", lambda name: "0.0")
    assert kept._hash() != here
