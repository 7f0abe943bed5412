from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from medqnn.data.scans.scan_files import BadFileError, BoundedReader, files_below, printable, refuse
from medqnn.errors import DataError


def names(root: Path) -> list[str]:
    return [Path(path).relative_to(root).as_posix() for path in files_below(root)]


def test_files_come_by_name_without_clutter(tmp_path: Path) -> None:
    for place in ("b/2", "b/1", "a", ".hidden", "__MACOSX/x", ".git/y", "Thumbs.db", "c/d/e f"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    assert names(tmp_path) == ["a", "b/1", "b/2", "c/d/e f"]


def test_links_are_followed_once_each(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "x").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "y").touch()
    (tmp_path / "set" / "loop").symlink_to(tmp_path / "set", target_is_directory=True)
    (tmp_path / "set" / "more").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert names(tmp_path / "set") == ["x", "more/y"]


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read the folder .*gone \(No such file"):
        list(files_below(tmp_path / "gone"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_unreadable_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0)
    with pytest.raises(DataError, match=r"cannot read the folder .*shut \(Permission denied\)"):
        list(files_below(tmp_path))


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("a b/ü/漢.dcm", "a b/ü/漢.dcm"),
        ("two\nlines\r\x1b[31m", "two\\nlines\\r\\x1b[31m"),
        ("caf\udce9", "caf\\udce9"),
    ],
)
def test_paths_are_shown_on_one_line(path: str, shown: str) -> None:
    assert printable(path) == shown


def test_bad_file_is_raised_or_told() -> None:
    error = BadFileError("a\nb", "is empty")
    assert str(error) == "a\\nb: is empty"
    again = pickle.loads(pickle.dumps(error))  # as it comes out of another process
    assert (again.path, again.reason, str(again)) == (error.path, error.reason, str(error))
    with pytest.raises(BadFileError):
        refuse(error, None)
    told = []
    refuse(error, lambda path, reason: told.append((path, reason)))
    assert told == [("a\nb", "is empty")]


def test_reader_asks_for_no_more_than_there_is(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"0123456789")
    with BoundedReader(str(path)) as file:
        assert file.read(4) == b"0123"
        assert file.read(2**62) == b"456789"  # which nobody could set aside
        file.seek(100)
        assert file.read(5) == b""
        file.seek(8)
        assert file.read() == b"89"
