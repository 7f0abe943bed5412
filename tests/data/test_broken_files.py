"""Every kind of broken file among good ones, in each layout of image files and in .npz files."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medqnn.data.cache import decode
from medqnn.data.catalogue import open_table
from medqnn.errors import DataError, MedqnnError

from .medmnist_files import write_medmnist

NAMES = ["plain.png", "with spaces.png", "ümläut 脑.png", "two\nlines.png", "tab\t\x1b[31m.png"]
Spoil = Callable[[Path], None]


def noise(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(str(path))).integers(0, 256, (24, 24), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:300])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("<html>404</html>")


def zeros(path: Path) -> None:
    path.write_bytes(bytes(5000))


def one_pixel(path: Path) -> None:
    Image.fromarray(np.ones((1, 1), dtype=np.uint8)).save(path)


def bomb(path: Path) -> None:
    """A PNG of a few bytes that claims 400 million pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(20_001))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.png")


def vanished(path: Path) -> None:
    path.unlink()


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def locked(path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path.chmod(0)


SPOILS = [
    *(truncated, empty, text, zeros, one_pixel, bomb),
    *(loop, dangling, vanished, folder_instead, locked),
]


@pytest.fixture(params=["class folders", "index.csv"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Two classes of the names above."""
    root = tmp_path / "the set"
    for label in "ab":
        for name in NAMES:
            noise(root / label / name)
    if request.param == "index.csv":
        quoted = (f'"{label}/{name}",{label}' for label in "ab" for name in NAMES)
        (root / "index.csv").write_text("image,label\n" + "\n".join(quoted) + "\n")
    return root


def printed(name: str) -> str:
    """A name as an error shows it: on one line."""
    return name.replace("\n", r"\n").replace("\t", r"\t").replace("\x1b", r"\x1b")


@pytest.mark.parametrize("name", NAMES, ids=["plain", "spaces", "unicode", "newline", "control"])
@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: spoil.__name__)
def test_broken_image_is_one_line_with_its_name_and_may_be_skipped(
    folder: Path, spoil: Spoil, name: str
) -> None:
    table = open_table(str(folder))
    spoil(folder / "a" / name)
    with pytest.raises(DataError) as caught:
        decode(table, 16)
    message = str(caught.value)
    assert f"a/{printed(name)}" in message
    assert message.isprintable()
    assert message.endswith("; --skip-bad leaves out all such images")
    decoded = decode(table, 16, skip_bad=True)
    assert [one.id for one in decoded.skipped] == [f"a/{name}"]
    assert len(decoded.images) == len(decoded.kept(table)) == 2 * len(NAMES) - 1


def test_good_images_of_odd_names_are_read(folder: Path) -> None:
    table = open_table(str(folder))
    assert sorted(table.rows["id"]) == sorted(f"{label}/{name}" for label in "ab" for name in NAMES)
    assert len(decode(table, 16).images) == 2 * len(NAMES)


def test_jpeg_named_png_is_read(folder: Path) -> None:
    Image.fromarray(np.eye(24, dtype=np.uint8) * 255).save(folder / "a" / "plain.png", "jpeg")
    assert len(decode(open_table(str(folder)), 16).images) == 2 * len(NAMES)


def test_loop_of_folders_ends(folder: Path) -> None:
    (folder / "a" / "back").symlink_to("..", target_is_directory=True)
    assert len(open_table(str(folder))) == 2 * len(NAMES)


@pytest.mark.parametrize("spoil", [truncated, empty, text, zeros, loop, vanished, folder_instead])
def test_broken_npz_file_is_one_line_with_its_name(tmp_path: Path, spoil: Spoil) -> None:
    path = write_medmnist(tmp_path / "two\nlines ü.npz")
    spoil(path)
    with pytest.raises(DataError) as caught:
        open_table(str(path))
    assert r"two\nlines ü.npz" in str(caught.value)
    assert str(caught.value).isprintable()


def test_npz_file_that_vanishes_after_it_was_opened(tmp_path: Path) -> None:
    path = write_medmnist(tmp_path / "two\nlines ü.npz")
    table = open_table(str(path))
    path.unlink()
    with pytest.raises(DataError) as caught:
        decode(table, 28)
    assert r"two\nlines ü.npz cannot be read" in str(caught.value)
    with pytest.raises(DataError, match="none of its 22 images can be used"):
        decode(table, 28, skip_bad=True)


def test_every_error_is_one_line() -> None:
    names = "a\nb\r\x1b[2K\u2028\udcff ä脑"
    assert str(MedqnnError(names)) == r"a\nb\r\x1b[2K\u2028\udcff ä脑"
    assert str(DataError("plain")) == "plain"
