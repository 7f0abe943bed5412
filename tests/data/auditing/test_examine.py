from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.auditing.planted import originals, save
from medqnn.data.auditing.examine import examine
from medqnn.data.class_folders import read_class_folders
from medqnn.data.phantom.table import phantom_table
from medqnn.data.table import ImageTable, Sample


def of(table: ImageTable) -> pd.DataFrame:
    """Facts by id."""
    return examine(table).facts.set_index(table.rows["id"])


def in_memory(images: list[Any], masks: list[Any] | None = None) -> ImageTable:
    ids = [str(number) for number in range(len(images))]
    rows = pd.DataFrame(
        {"id": ids, "source": "memory", "label": "a", "patient": ids, "mask": None}
    ).assign(split=None, fold=None)
    masks = masks or [None] * len(images)

    def read(row: pd.Series) -> Sample:
        number = int(row["id"])
        if isinstance(images[number], Exception):
            raise images[number]
        return Sample(images[number], masks[number])

    return ImageTable("memory", rows, ("a",), read)


def test_facts_of_image_files(tmp_path: Path) -> None:
    image = originals()[0]
    save(image, tmp_path / "a/grey.png")
    save(np.stack([image] * 3, -1)[:100], tmp_path / "a/colour.jpg")
    save(image.astype(np.uint16) * 100, tmp_path / "b/deep.tif")
    save(image, tmp_path / "b/really.png").rename(tmp_path / "b/really.jpg")
    facts = of(read_class_folders(tmp_path))
    assert facts["format"].to_dict() == {
        "a/grey.png": "PNG",
        "a/colour.jpg": "JPEG",
        "b/deep.tif": "TIFF",
        "b/really.jpg": "PNG",
    }
    assert facts.loc["a/colour.jpg", ["width", "height"]].tolist() == [128, 100]
    assert facts["pixels"].tolist() == ["RGB uint8", "grey uint8", "grey uint16", "grey uint8"]
    grey = facts.loc["a/grey.png"]
    assert (grey["minimum"], grey["maximum"]) == (image.min(), image.max())
    assert grey["mean"] == pytest.approx(image.mean())
    same = facts.loc[["a/grey.png", "b/really.jpg"]]
    assert same["file_hash"].nunique() == same["pixel_hash"].nunique() == 1
    assert facts["pixel_hash"].nunique() == 3


def test_border_is_the_outermost_share_of_the_range() -> None:
    image = np.full((64, 96), 50, dtype=np.uint8)
    image[2:-2, 2:-2] = 0
    image[30, 30] = 100
    facts = of(in_memory([image]))
    assert facts["border_mean"].tolist() == [0.5]
    assert facts["border_sd"].tolist() == [0]


def test_unreadable_images_are_noted_in_a_line(tmp_path: Path) -> None:
    good = save(originals()[0], tmp_path / "a/good.png").read_bytes()
    (tmp_path / "b").mkdir()
    (tmp_path / "b/cut.png").write_bytes(good[: len(good) // 2])
    (tmp_path / "b/empty.png").write_bytes(b"")
    (tmp_path / "b/page.png").write_text("<html>not found</html>")
    table = read_class_folders(tmp_path)
    os.symlink(tmp_path / "gone.png", tmp_path / "b/gone.png")
    with_gone = read_class_folders(tmp_path)
    seen = examine(with_gone)
    facts = seen.facts.set_index(with_gone.rows["id"])
    assert facts["error"].notna().to_dict() == {
        "a/good.png": False,
        "b/cut.png": True,
        "b/empty.png": True,
        "b/gone.png": True,
        "b/page.png": True,
    }
    bad = facts.drop("a/good.png")
    assert all(str(id_) in error for id_, error in bad["error"].items())
    assert not bad["error"].str.contains("\n").any()
    assert bad["pixel_hash"].isna().all()
    assert not seen.details[1:].any()
    assert len(of(table)) == 4


def test_pixels_that_are_not_finite_are_unreadable() -> None:
    image = np.ones((40, 40))
    image[3, 3] = np.nan
    facts = of(in_memory([image, np.ones((0, 3)), OSError("gone")]))
    assert facts["error"].notna().all()
    assert "finite" in facts["error"].iloc[0]


def test_blank_images() -> None:
    nearly = np.zeros((100, 100), dtype=np.uint8)
    nearly[0, :10] = 200
    hardly = np.zeros((100, 100), dtype=np.uint8)
    hardly[0, :11] = 200
    frame = in_memory([np.full((50, 50), 9), nearly, hardly, originals()[0]])
    seen = examine(frame)
    assert seen.facts["blank"].tolist() == ["constant", "nearly", "", ""]
    assert [bool(detail.any()) for detail in seen.details] == [False, True, True, True]


def test_masks() -> None:
    image = originals()[0]
    some, other = np.zeros((128, 128), bool), np.zeros((64, 128), bool)
    some[0, 0] = True
    masks = [None, np.zeros((128, 128), bool), some, np.ones((128, 128), bool), other]
    facts = of(in_memory([image] * 5, masks))
    assert facts["mask"].tolist() == ["none", "empty", "some", "full", "other size"]


def test_images_of_one_file_have_no_file_hash() -> None:
    facts = of(phantom_table(4, size=32))
    assert facts["file_hash"].isna().all()
    assert facts["format"].eq("unknown").all()
    assert facts["pixel_hash"].nunique() == 4


def test_order_holds_beyond_a_chunk() -> None:
    images = [np.full((8, 8), number, dtype=np.uint16) for number in range(300)]
    totals = []

    def progress(items: Any, total: int) -> Any:
        totals.append(total)
        return items

    facts = examine(in_memory(images), progress).facts
    assert facts["mean"].tolist() == list(range(300))
    assert totals == [300]
