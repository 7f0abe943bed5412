from __future__ import annotations

import shutil
import struct
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from medqnn.data.fetching.unpack import unpack
from medqnn.errors import DataError

NAMES = ("1.mat", "2.mat")


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("below", ["", "some/folder/", "../../", "/", "C:/"])
def test_files_land_in_the_folder_wherever_the_archive_says(tmp_path: Path, below: str) -> None:
    root = tmp_path / "a" / "b" / "c"
    members = {f"{below}{name}": name.encode() for name in NAMES}
    archive = zipped(tmp_path / "set.zip", members | {"../evil.txt": b"", "__MACOSX/._1.mat": b""})
    before = set(tmp_path.rglob("*"))
    seen: list[tuple] = []
    unpack(archive, root, NAMES, lambda *args: seen.append(args))
    assert set(tmp_path.rglob("*")) - before == {
        *(tmp_path / "a", tmp_path / "a" / "b", root, root / "1.mat", root / "2.mat")
    }
    assert (root / "2.mat").read_bytes() == b"2.mat"
    assert seen == [("unpacking set.zip", 5, 10), ("unpacking set.zip", 10, 10)]


def test_links_in_an_archive_become_plain_files(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "set.zip", "w") as archive:
        link = ZipInfo("1.mat")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    unpack(tmp_path / "set.zip", tmp_path / "out", ["1.mat"])
    assert not (tmp_path / "out" / "1.mat").is_symlink()
    assert (tmp_path / "out" / "1.mat").read_bytes() == b"/etc/passwd"


def test_folder_that_is_there_is_replaced(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "set.zip", dict.fromkeys(NAMES, b"new"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "1.mat").write_bytes(b"old")
    unpack(archive, tmp_path / "out", NAMES)
    assert (tmp_path / "out" / "1.mat").read_bytes() == b"new"


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[60] ^= 255  # in the first file's content
    path.write_bytes(content)


def encrypted(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        at = content.index(mark) + (6 if mark == b"PK\x03\x04" else 8)
        content[at] |= 1
    path.write_bytes(content)


def claims_less(path: Path) -> None:
    """The sizes in the archive are too small, as in a zip bomb that hides."""
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", 3)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("members", "spoil", "message"),
    [
        ({"1.mat": b"a", "x/1.mat": b"b", "2.mat": b"c"}, None, "holds 1.mat twice"),
        ({"1.mat": b"a"}, None, "1 of 2 files are missing, such as 2.mat"),
        ({"1.mat": b"a", "2.mat": bytes(2**25)}, None, "2.mat would have 33,554,432 bytes"),
        ({"1.mat": bytes(range(256)), "2.mat": b"b"}, damaged, "cannot be unpacked"),
        ({"1.mat": b"a", "2.mat": b"b"}, encrypted, "encrypted"),
        ({"1.mat": bytes(2**25), "2.mat": b"b"}, claims_less, "Bad CRC-32"),
        ({"1.mat": b"a", "2.mat": b"b"}, lambda path: path.write_bytes(b"<html>"), "not a zip"),
        ({"1.mat": b"a", "2.mat": b"b"}, lambda path: path.write_bytes(b""), "not a zip"),
    ],
)
def test_bad_archive_is_one_line_and_leaves_nothing(
    tmp_path: Path, members: dict, spoil: object, message: str
) -> None:
    archive = zipped(tmp_path / "set.zip", members)
    if callable(spoil):
        spoil(archive)
    with pytest.raises(DataError, match=message) as caught:
        unpack(archive, tmp_path / "out", NAMES)
    assert str(archive) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [archive]


def test_full_disk_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zipped(tmp_path / "set.zip", dict.fromkeys(NAMES, bytes(10**6)))
    few = shutil._ntuple_diskusage(10**9, 10**9, 66 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: few)
    unpack(zipped(tmp_path / "small.zip", dict.fromkeys(NAMES, b"")), tmp_path / "out", NAMES)
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: few._replace(free=few.free - 2 * 2**20 + 1)
    )
    with pytest.raises(DataError, match="are needed in"):
        unpack(archive, tmp_path / "large", NAMES)
    assert not (tmp_path / "large").exists()
