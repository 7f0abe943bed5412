"""Images are made once; one that is damaged, another user's or of other code is not run."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable
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
    owner, same = os.geteuid(), kept._identity()
    monkeypatch.setattr(kept, "_identity", lambda: same)
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    no_python(monkeypatch)
    with pytest.raises(RuntimeError):
        kept.kept_image("matrix", 32)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_not_waited_for(
    folder: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kept.kept_image("matrix", 32)
    (file,) = folder.iterdir()
    file.unlink()
    make(file)
    assert kept.kept_image("matrix", 32) == made


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


@pytest.mark.parametrize("raised", [OSError, KeyboardInterrupt])
def test_a_write_that_is_stopped_leaves_nothing(
    folder: Path, raised: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(source: str, target: Path) -> None:
        assert Path(source).read_bytes() == b"code"  # whole before it takes its place
        raise raised

    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(raised):
        kept._write(folder / "image", b"code")
    assert list(folder.iterdir()) == []


def test_the_code_llvm_and_the_processor_decide_what_image_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = kept.sealed(b"code")
    assert kept.opened(seal) == b"code"
    other, unknown = tmp_path / "other", tmp_path / "unknown"
    other.write_text(re.sub("^flags.*", "flags : fpu", kept._CPUINFO.read_text(), flags=re.M))
    unknown.write_text("processor : 0\nBogoMIPS : 100\n\nflags : another core's\n")
    for name, value in (
        ("version", lambda package: "0.0"),
        ("_CPUINFO", other),
        ("_OWN_SOURCES", kept._sources(Path(__file__).parent)),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(kept, name, value)
            with pytest.raises(ValueError, match="not of this"):
                kept.opened(seal)
    for name, value in (("_CPUINFO", unknown), ("_OWN_SOURCES", kept._sources(tmp_path / "none"))):
        with monkeypatch.context() as patch:
            patch.setattr(kept, name, value)
            with pytest.raises(OSError, match="cannot tell"):
                kept.sealed(b"code")


def test_the_hash_of_sources_feels_each_byte_and_where_a_file_ends(tmp_path: Path) -> None:
    hashes = set()
    for first, second in ((b"ab", b"c"), (b"a", b"bc"), (b"ab", b"d")):
        (tmp_path / "a.py").write_bytes(first)
        (tmp_path / "b.py").write_bytes(second)
        hashes.add(kept._sources(tmp_path))
    assert len(hashes) == 3
