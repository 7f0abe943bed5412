from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medqnn.data import npz_stream
from medqnn.data.npz_stream import ArrayStream, read_header

ITEMS = np.random.default_rng(0).integers(0, 256, (1000, 5, 7), dtype=np.uint8)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("npz") / "items.npz"
    np.savez_compressed(path, items=ITEMS)
    return path


@pytest.fixture(scope="module")
def _small_blocks() -> object:
    """Blocks of three items, so that a thousand are many blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(npz_stream, "_BLOCK_BYTES", 3 * 35 + 1)
        yield


@pytest.mark.usefixtures("_small_blocks")
@given(st.lists(st.integers(0, 999), max_size=20))
def test_items_in_any_order(path: Path, numbers: list[int]) -> None:
    stream = ArrayStream(path, "items")
    for number in [*numbers, *sorted(numbers)]:
        np.testing.assert_array_equal(stream[number], ITEMS[number])


def restarts(stream: ArrayStream, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with each restart of the stream."""
    seen: list[int] = []
    again = stream._restart
    monkeypatch.setattr(stream, "_restart", lambda: (seen.append(1), again()))
    return seen


@pytest.mark.usefixtures("_small_blocks")
def test_rows_in_order_and_lagging_a_little_are_read_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = ArrayStream(path, "items")
    seen = restarts(stream, monkeypatch)
    for number in range(21, 1000):
        np.testing.assert_array_equal(stream[number], ITEMS[number])
        np.testing.assert_array_equal(stream[number - 21], ITEMS[number - 21])
    assert not seen
    assert len(stream._kept) == 8  # of the 334 blocks
    np.testing.assert_array_equal(stream[0], ITEMS[0])
    assert seen == [1]


@pytest.mark.parametrize("number", [-1, 1000])
def test_item_out_of_range_is_refused(path: Path, number: int) -> None:
    with pytest.raises(ValueError, match=f"items has no item {number}"):
        ArrayStream(path, "items")[number]


def test_item_larger_than_a_block_and_an_uncompressed_file(tmp_path: Path) -> None:
    items = np.random.default_rng(1).integers(0, 9, (3, 1500, 1000, 3), dtype=np.uint8)
    np.savez(tmp_path / "large.npz", items=items)
    stream = ArrayStream(tmp_path / "large.npz", "items")
    assert all(np.array_equal(stream[number], items[number]) for number in range(3))


def header_of(path: Path, **arrays: np.ndarray) -> npz_stream.Header:
    np.savez(path, **arrays)
    with zipfile.ZipFile(path) as archive:
        return read_header(archive, "items")


def test_header_tells_shape_dtype_and_start(tmp_path: Path) -> None:
    shape, dtype, start = header_of(tmp_path / "a.npz", items=ITEMS.astype(">u2"))
    assert (shape, dtype.str, start) == ((1000, 5, 7), ">u2", 128)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (np.array([{}, 1], dtype=object), "pickled objects, which are never loaded"),
        (np.asfortranarray(ITEMS), "Fortran order"),
    ],
)
def test_arrays_that_cannot_be_streamed_are_refused(
    tmp_path: Path, items: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        header_of(tmp_path / "a.npz", items=items)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda whole: whole[:-1], r"not as long as its shape \(1000, 5, 7\)"),
        (lambda whole: whole + b"\0", "not as long as its shape"),
        (lambda whole: whole[:6] + b"\x07" + whole[7:], "format version"),
        (lambda whole: whole[:40], "EOF"),
        (lambda whole: b"no array", "magic string"),
    ],
)
def test_member_that_is_no_whole_array_is_refused(
    tmp_path: Path, content: Callable, message: str
) -> None:
    buffer = io.BytesIO()
    np.save(buffer, ITEMS)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("items.npy", content(buffer.getvalue()))
    with pytest.raises(ValueError, match=message):
        ArrayStream(tmp_path / "a.npz", "items")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("count", [1, 10, 999, 1000])
def test_checksum_is_compared_by_the_last_item(tmp_path: Path, save: Callable, count: int) -> None:
    path = tmp_path / "a.npz"
    save(path, items=ITEMS[:count])
    with zipfile.ZipFile(path) as archive:
        checksum = archive.getinfo("items.npy").CRC.to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(checksum, bytes(byte ^ 1 for byte in checksum)))
    with pytest.raises(zipfile.BadZipFile, match="CRC"):
        ArrayStream(path, "items")[count - 1]


@pytest.mark.usefixtures("_small_blocks")
def test_damage_stays_damage_and_spares_what_was_read_before(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "items.npz", items=ITEMS)
    content = bytearray((tmp_path / "items.npz").read_bytes())
    content[-2000] ^= 255
    (tmp_path / "items.npz").write_bytes(content)
    stream = ArrayStream(tmp_path / "items.npz", "items")
    np.testing.assert_array_equal(stream[500], ITEMS[500])
    for _ in range(3):
        with pytest.raises((zlib.error, zipfile.BadZipFile)):
            stream[999]
        with pytest.raises((zlib.error, zipfile.BadZipFile)):
            stream[998]
    np.testing.assert_array_equal(stream[0], ITEMS[0])
