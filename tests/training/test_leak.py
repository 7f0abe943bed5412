from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medqnn.errors import DataError
from medqnn.report.html import write_report
from medqnn.training.inputs import load_inputs
from medqnn.training.leak import check_leak
from medqnn.training.plan import start
from medqnn.training.run import proceed
from training.tiny import SETS, tiny_recipe

RECIPE = tiny_recipe(*SETS, "variants=[hybrid]", "data.classes=[]", "loss.attention=null")


def blobs(random: np.random.Generator) -> Image.Image:
    """A picture of its own: blurred noise."""
    noise = Image.fromarray(random.integers(0, 256, (8, 8), dtype=np.uint8))
    return noise.resize((96, 96), Image.Resampling.BICUBIC)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Training and test images of two classes, none like another."""
    random = np.random.default_rng(0)
    for part, count in (("train", 12), ("val", 4), ("test", 4)):
        for name in ("one", "two"):
            folder = tmp_path / "pictures" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                blobs(random).save(folder / f"{number}.png")
    return tmp_path / "pictures"


def plant(root: Path) -> None:
    """A byte-identical and a mirrored copy of training images among the test images."""
    shutil.copy(root / "train" / "one" / "0.png", root / "test" / "one" / "same.png")
    mirrored = Image.open(root / "train" / "two" / "1.png").transpose(Image.Transpose(0))
    mirrored.save(root / "test" / "two" / "mirrored.png")


def test_clean_split_is_let_through(pictures: Path) -> None:
    assert check_leak(load_inputs(RECIPE, str(pictures)), allowed=False) is None


@pytest.mark.parametrize("size", [32, 96])
def test_copies_across_the_split_are_refused(pictures: Path, tmp_path: Path, size: int) -> None:
    """Whether the decoded images are large enough to tell, or the files are read again."""
    plant(pictures)
    recipe = tiny_recipe("data.classes=[]", "loss.attention=null", f"data.image_size={size}")
    with pytest.raises(DataError, match=r"2 of 10 images of test .* mirrored .*--allow-leak"):
        start(recipe, str(pictures), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_allowed_leak_marks_run_and_report(pictures: Path, tmp_path: Path) -> None:
    plant(pictures)
    folder = start(RECIPE, str(pictures), tmp_path / "run", allow_leak=True)
    assert folder.facts()["data"]["leak"].startswith("2 of 10 images of test")
    proceed(folder)
    page = write_report(folder.path).read_text(encoding="utf-8")
    assert "LEAKING SPLIT" in page
    assert "2 of 10 images of test" in page


def test_search_is_made_once(pictures: Path, tmp_path: Path) -> None:
    plant(pictures)
    first = start(RECIPE, str(pictures), tmp_path / "one", allow_leak=True)

    def only_decoding(items: object, total: int) -> object:
        raise AssertionError("images were read again")

    again = start(RECIPE, str(pictures), tmp_path / "two", only_decoding, allow_leak=True)
    assert again.facts()["data"]["leak"] == first.facts()["data"]["leak"]


def test_split_file_decides_the_parts_and_is_remembered(pictures: Path, tmp_path: Path) -> None:
    plant(pictures)
    table = load_inputs(RECIPE, str(pictures)).table.rows
    numbers = table.groupby("label").cumcount()
    part = numbers.map(lambda n: "test" if n < 4 else "val" if n < 8 else "train")
    copied = table["id"].str.contains("same|mirrored|train/one/0|train/two/1")
    split = tmp_path / "split.csv"
    pd.DataFrame({"id": table["id"], "split": part.where(~copied, "train")}).to_csv(
        split, index=False
    )
    folder = start(RECIPE, str(pictures), tmp_path / "run", split_file=str(split))
    assert folder.facts()["data"]["leak"] is None
    assert folder.facts()["data"]["split_file"] == str(split)
    written = pd.read_csv(folder.path / "split.csv", dtype=str).set_index("id")["part"]
    expected = part.where(~copied, "train").set_axis(table["id"])
    assert written.to_dict() == expected.to_dict()
    assert folder.facts()["data"]["split_rule"] == "as split.csv gives it"
    proceed(folder)
    assert folder.facts()["status"] == "complete"


def test_groups_of_copies_are_not_called_patients(pictures: Path, tmp_path: Path) -> None:
    table = load_inputs(RECIPE, str(pictures)).table.rows
    split = tmp_path / "split.csv"
    pairs = table.groupby("label").cumcount() // 2
    groups = table["label"] + pairs.astype(str)
    part = pairs.map(lambda n: "test" if n < 3 else "val" if n < 5 else "train")
    pd.DataFrame({"id": table["id"], "split": part, "group": groups}).to_csv(split, index=False)
    recipe = tiny_recipe(*SETS, "variants=[hybrid, none]", "data.classes=[]", "loss.attention=null")
    folder = start(recipe, str(pictures), tmp_path / "run", split_file=str(split))
    proceed(folder)
    scores = folder.read_json("hybrid/metrics.json")
    assert scores["interval"]["method"] == "percentile bootstrap over groups of copies"
    assert (scores["images"], scores["patients"]) == (12, 6)
    words = folder.read_json("comparisons.json")[0]["words"]
    assert "of 12 images, a difference" in words
    assert "names no patients" in words
