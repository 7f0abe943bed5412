from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medqnn.data.cache import decode
from medqnn.data.folders import read_index_folder
from medqnn.data.medmnist import read_medmnist
from medqnn.data.prepare import prepare
from medqnn.data.table import ImageTable, Sample
from medqnn.errors import DataError
from medqnn.places import cache_folder

from .medmnist_files import write_medmnist

DECODE = """
import sys, time
from medqnn.data.cache import decode
from medqnn.data.folders import read_index_folder

def slowly(items, total):
    for item in items:
        print("one", flush=True)
        time.sleep(float(sys.argv[2]))
        yield item

print(decode(read_index_folder(sys.argv[1]), 16, progress=slowly).fingerprint)
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQNN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten noise images; the first five with a mask, the left half."""
    root = tmp_path / "set"
    root.mkdir()
    draw = np.random.default_rng(0)
    for i in range(10):
        Image.fromarray(draw.integers(5, 200, (24, 24), dtype=np.uint8)).save(root / f"{i}.png")
    Image.fromarray(np.tile(np.arange(24) < 12, (24, 1))).save(root / "half.png")
    lines = [f"{i}.png,{'half.png' if i < 5 else ''},{'ab'[i % 2]},p{i // 2}" for i in range(10)]
    (root / "index.csv").write_text("image,mask,label,patient\n" + "\n".join(lines) + "\n")
    return root


def never(items: Iterable, total: int) -> Iterable:
    raise AssertionError("read again what the cache should hold")


def rebuilt(table: ImageTable, **options: int | str) -> bool:
    """Whether decoding reads the images again."""
    seen: list[int] = []

    def watch(items: Iterable, total: int) -> Iterable:
        seen.append(total)
        return items

    decode(table, **{"size": 16} | options, progress=watch)
    return seen == [len(table)]


def test_pixels_masks_and_annotation_by_row(folder: Path) -> None:
    table = read_index_folder(folder)
    decoded = decode(table, 12)
    assert decoded.images.shape == (10, 1, 12, 12)
    assert decoded.images.dtype == decoded.masks.dtype == np.uint8
    assert decoded.annotated.tolist() == [True] * 5 + [False] * 5
    assert not decoded.masks[5:].any()
    np.testing.assert_array_equal(decoded.masks[0], np.tile(np.arange(12) < 6, (12, 1)))
    for i in (0, 7):
        image, mask = prepare(table.read(table.rows.iloc[i]), 12)
        np.testing.assert_array_equal(decoded.images[i], image)
        np.testing.assert_array_equal(decoded.masks[i], mask)


def test_files_are_memory_mapped_and_read_only(folder: Path) -> None:
    decoded = decode(read_index_folder(folder), 16)
    assert isinstance(decoded.images, np.memmap)
    assert isinstance(decoded.masks, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        decoded.images[0] = 0


def test_second_decoding_reads_no_image(folder: Path) -> None:
    first = decode(read_index_folder(folder), 16)
    second = decode(read_index_folder(folder), 16, progress=never)
    np.testing.assert_array_equal(first.images, second.images)
    assert first.fingerprint == second.fingerprint
    assert len(first.fingerprint) == 64


def test_what_decides_the_content_decides_the_cache(folder: Path) -> None:
    table = read_index_folder(folder)
    assert rebuilt(table)
    assert not rebuilt(table)
    assert rebuilt(table, size=17)
    assert rebuilt(table, channels=3)
    assert rebuilt(table, scaling="dtype")
    index = folder / "index.csv"
    index.write_text(index.read_text().replace("p4", "p5"))
    assert rebuilt(read_index_folder(folder))


@pytest.mark.parametrize("name", ["3.png", "half.png"])
def test_changed_file_is_read_again_and_changes_the_fingerprint(folder: Path, name: str) -> None:
    before = decode(read_index_folder(folder), 16).fingerprint
    Image.fromarray(np.tile(np.arange(24) >= 12, (24, 1))).save(folder / name)
    assert rebuilt(read_index_folder(folder))
    assert decode(read_index_folder(folder), 16).fingerprint != before


def test_fingerprint_ignores_where_and_when_the_files_were_written(folder: Path) -> None:
    before = decode(read_index_folder(folder), 16).fingerprint
    moved = folder.rename(folder.parent / "elsewhere")
    os.utime(moved / "0.png", (0, 0))
    assert rebuilt(read_index_folder(moved))
    assert decode(read_index_folder(moved), 16).fingerprint == before


class Ramp:
    """A reader without files, with a parameter that must tell its caches apart."""

    def __init__(self, slope: int) -> None:
        self.slope = slope

    def __call__(self, row: pd.Series) -> Sample:
        return Sample(np.arange(64).reshape(8, 8) ** self.slope, None)


def test_readers_parameters_are_part_of_the_cache() -> None:
    columns = {"id": ["a"], "source": "made", "label": "x", "patient": "p"}
    rows = pd.DataFrame(columns | {"mask": None, "split": None, "fold": None})
    one, two = (decode(ImageTable("ramp", rows, ("x",), Ramp(slope)), 8) for slope in (1, 2))
    assert one.fingerprint != two.fingerprint


def test_progress_sees_every_image(folder: Path) -> None:
    seen: list[int] = []

    def count(items: Iterable, total: int) -> Iterable:
        for item in items:
            seen.append(total)
            yield item

    decode(read_index_folder(folder), 16, progress=count)
    assert seen == [10] * 10


def start(folder: Path, seconds: float) -> subprocess.Popen:
    command = [sys.executable, "-c", DECODE, str(folder), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_killed_half_way_leaves_nothing_that_looks_whole(folder: Path) -> None:
    process = start(folder, 0.2)
    for _ in range(3):
        assert process.stdout.readline() == "one\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert [path.suffix for path in cache_folder().iterdir() if path.is_dir()] == [".part"]
    assert rebuilt(read_index_folder(folder))
    assert decode(read_index_folder(folder), 16, progress=never).images.shape == (10, 1, 16, 16)
    assert not list(cache_folder().glob("*.part"))


def test_two_processes_at_once_read_the_images_once(folder: Path) -> None:
    processes = [start(folder, 0.1) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0].split() for process in processes]
    assert sum(lines.count("one") for lines in outputs) == 10
    assert {lines[-1] for lines in outputs} == {decode(read_index_folder(folder), 16).fingerprint}


def test_full_disk_is_one_line_with_the_mend_and_leaves_no_part(folder: Path) -> None:
    limited = (
        "import resource, sys\n"
        "from medqnn.errors import DataError\n"
        "import medqnn.data.folders, medqnn.data.cache\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "try:\n"
        "    table = medqnn.data.folders.read_index_folder(sys.argv[1])\n"
        "    medqnn.data.cache.decode(table, 64)\n"
        "except DataError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", limited, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "cannot write the image cache" in done.stdout
    assert "MEDQNN_CACHE" in done.stdout
    assert done.stdout.count("\n") == 1
    assert not [path for path in cache_folder().iterdir() if path.is_dir()]


def test_cache_below_a_file_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQNN_CACHE", str(folder / "index.csv" / "cache"))
    with pytest.raises(DataError, match="cannot write the image cache"):
        decode(read_index_folder(folder), 16)


def test_damaged_cache_is_named(folder: Path) -> None:
    decode(read_index_folder(folder), 16)
    (images,) = cache_folder().glob("*/images.npy")
    images.write_bytes(images.read_bytes()[:200])
    with pytest.raises(DataError, match=r"is damaged .*remove it"):
        decode(read_index_folder(folder), 16)


def test_mask_of_another_size_and_unreadable_image_are_named(folder: Path) -> None:
    Image.fromarray(np.zeros((24, 23), dtype=np.uint8)).save(folder / "half.png")
    with pytest.raises(DataError, match=r"image 0\.png of set: the mask is 23×24 .* 24×24"):
        decode(read_index_folder(folder), 16)
    (folder / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"cannot read the image .*0\.png"):
        decode(read_index_folder(folder), 16)
    assert not [path for path in cache_folder().iterdir() if path.is_dir()]


def test_sizes_and_channels_out_of_range_are_refused(folder: Path) -> None:
    for options in ((0, 1), (16, 2)):
        with pytest.raises(DataError, match="size above 0 and 1 or 3"):
            decode(read_index_folder(folder), *options)


def test_scaling_reaches_the_pixels(folder: Path) -> None:
    table = read_index_folder(folder)
    own, files = (decode(table, 24, scaling=scaling) for scaling in ("min-max", "dtype"))
    np.testing.assert_array_equal(files.images[3][0], table.read(table.rows.iloc[3]).image)
    assert own.images[3].max() == 255 > files.images[3].max()
    with pytest.raises(DataError, match="scaling 'window': give one of min-max, dtype"):
        decode(table, 16, scaling="window")


def test_floating_pixels_under_dtype_scaling_are_refused_by_name(folder: Path) -> None:
    Image.fromarray(np.ones((24, 24), dtype=np.float32)).save(folder / "0.tif")
    index = folder / "index.csv"
    index.write_text(index.read_text().replace("0.png", "0.tif"))
    with pytest.raises(DataError, match=r"image 0\.tif of set: pixels of float32 .*min-max"):
        decode(read_index_folder(folder), 16, scaling="dtype")


def spoil(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes((folder / name).read_bytes()[:100])


def test_bad_images_are_skipped_the_rest_is_as_if_they_had_never_been(folder: Path) -> None:
    table = read_index_folder(folder)
    spoil(folder, "0.png", "7.png")
    with pytest.raises(
        DataError, match=r"0\.png \(.*\): .*; --skip-bad leaves out all such images"
    ):
        decode(table, 16)
    decoded = decode(table, 16, skip_bad=True)
    assert [one.id for one in decoded.skipped] == ["0.png", "7.png"]
    assert all("cannot read the image" in one.reason for one in decoded.skipped)
    rows = table.rows.drop([0, 7]).reset_index(drop=True)
    good = decode(replace(table, rows=rows), 16)
    assert decoded.images.shape == (8, 1, 16, 16)
    assert decoded.images.dtype == decoded.masks.dtype == np.uint8
    np.testing.assert_array_equal(decoded.images, good.images)
    np.testing.assert_array_equal(decoded.masks, good.masks)
    np.testing.assert_array_equal(decoded.annotated, good.annotated)
    assert decoded.fingerprint == good.fingerprint
    assert good.skipped == ()
    pd.testing.assert_frame_equal(decoded.kept(table).rows, rows)


def test_what_was_skipped_is_known_from_the_cache(folder: Path) -> None:
    table = read_index_folder(folder)
    spoil(folder, "4.png")
    first = decode(table, 16, skip_bad=True)
    second = decode(table, 16, skip_bad=True, progress=never)
    assert second.skipped == first.skipped
    assert isinstance(second.images, np.memmap)
    assert second.images.shape == (9, 1, 16, 16)


def test_nothing_to_skip_keeps_the_table(folder: Path) -> None:
    table = read_index_folder(folder)
    plain = decode(table, 16)
    skipping = decode(table, 16, skip_bad=True, progress=never)  # from the same cache
    assert skipping.fingerprint == plain.fingerprint
    assert skipping.kept(table) is table


def test_images_that_were_skipped_are_never_taken_for_good_ones(folder: Path) -> None:
    table = read_index_folder(folder)
    spoil(folder, "4.png")
    decode(table, 16, skip_bad=True)
    with pytest.raises(DataError, match=r"4\.png"):
        decode(table, 16)


@pytest.mark.skipif(os.name == "nt", reason="permissions of another kind")
def test_skipped_image_that_becomes_readable_is_read(folder: Path) -> None:
    table = read_index_folder(folder)
    times = os.stat(folder / "4.png")
    good = (folder / "4.png").read_bytes()
    (folder / "4.png").write_bytes(bytes(len(good)))
    os.utime(folder / "4.png", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert len(decode(table, 16, skip_bad=True).skipped) == 1
    (folder / "4.png").write_bytes(good)
    os.utime(folder / "4.png", ns=(times.st_atime_ns, times.st_mtime_ns))  # as chmod leaves them
    assert decode(table, 16, skip_bad=True).skipped == ()


def test_class_whose_images_are_all_bad_is_gone(folder: Path) -> None:
    table = read_index_folder(folder)
    assert table.classes == ("a", "b")
    spoil(folder, *(f"{i}.png" for i in range(0, 10, 2)))
    kept = decode(table, 16, skip_bad=True).kept(table)
    assert kept.classes == ("b",)
    assert len(kept) == 5


def test_set_of_bad_images_alone_is_refused(folder: Path) -> None:
    spoil(folder, *(f"{i}.png" for i in range(10)))
    with pytest.raises(DataError, match=r"none of its 10 images can be used; of the first, 0\.png"):
        decode(read_index_folder(folder), 16, skip_bad=True)
    assert not [path for path in cache_folder().iterdir() if path.is_dir()]


def test_damaged_part_of_a_file_of_many_images_is_skipped(tmp_path: Path) -> None:
    path = write_medmnist(tmp_path / "cells.npz")
    table = read_medmnist(path)
    with ZipFile(path) as archive:
        at = archive.getinfo("val_images.npy").header_offset
    content = bytearray(path.read_bytes())
    content[at + 120] ^= 255
    path.write_bytes(content)
    decoded = decode(table, 28, skip_bad=True)
    assert {one.id.partition("-")[0] for one in decoded.skipped} == {"val"}
    assert len(decoded.images) + len(decoded.skipped) == len(table)


def test_state_of_a_file_is_asked_once_for_all_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = read_medmnist(write_medmnist(tmp_path / "cells.npz"))
    asked: list[str] = []
    stat = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **kw: (asked.append(path), stat(path, **kw))[1])
    decode(table, 28)
    assert asked.count(str(tmp_path / "cells.npz")) == 1


def test_real_slices_decode(shared_data: Path) -> None:
    whole = read_index_folder(shared_data / "cheng2015")
    rows = whole.rows[::40].reset_index(drop=True)
    table = ImageTable(whole.name, rows, whole.classes, whole.read, patients_known=False)
    decoded = decode(table, 128)
    assert decoded.images.shape == (60, 1, 128, 128)
    assert (decoded.images.reshape(60, -1).max(1) == 255).all()
    assert (decoded.images.reshape(60, -1).min(1) == 0).all()
    assert decoded.annotated.all()
    assert (decoded.masks.reshape(60, -1).sum(1) > 0).all()
    decode(table, 128, progress=never)
