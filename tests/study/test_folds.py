from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medqnn.data.catalogue import open_table
from medqnn.data.split_file import apply_split
from medqnn.errors import DataError
from medqnn.study.folds import make_splits, split_file
from medqnn.training.inputs import load_inputs
from training.tiny import read_index, small_inputs, tiny_recipe, write_folder, write_index


def test_without_folds_the_recipes_split_is_the_only_one(tmp_path: Path) -> None:
    inputs = small_inputs(write_folder(tmp_path / "d"))
    splits = make_splits(inputs, None)
    assert [parts.tolist() for parts in splits.parts] == [inputs.split.tolist()]
    assert splits.rule == inputs.split_rule


def test_drawn_folds_test_every_image_once_and_part_no_patient(tmp_path: Path) -> None:
    inputs = small_inputs(write_folder(tmp_path / "d", patients=9))
    splits = make_splits(inputs, 3)
    tested = np.stack([parts == "test" for parts in splits.parts])
    assert (tested.sum(axis=0) == 1).all()
    patients = inputs.table.rows["patient"]
    for parts in splits.parts:
        assert set(parts) == {"train", "val", "test"}
        assert (parts.groupby(patients).nunique() == 1).all()
    assert splits.rule == "3 folds that part no patients and copies, stratified by class"


def test_drawn_folds_depend_on_the_recipes_seed_alone(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "d", patients=9)
    first, same, other = (
        make_splits(small_inputs(folder, f"seed={seed}"), 3).parts for seed in (0, 0, 1)
    )
    assert all(a.equals(b) for a, b in zip(first, same, strict=True))
    assert not all(a.equals(b) for a, b in zip(first, other, strict=True))


def test_drawn_folds_keep_copies_together_where_patients_are_unknown(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "d", patients=9, images=1, annotate=False)
    index = read_index(folder).drop(columns="patient")
    random, copies = np.random.default_rng(1), []
    for label in ("glioma", "healthy"):
        for number in range(4):
            pixels = random.integers(0, 255, (16, 16)).astype(np.uint8)
            for twin in "ab":
                name = f"{label}-copy{number}{twin}.png"
                Image.fromarray(pixels).save(folder / name)
                copies.append((name, "", label))
    write_index(folder, pd.concat([index, pd.DataFrame(copies, columns=index.columns)]))
    inputs = small_inputs(folder)
    splits = make_splits(inputs, 4)
    pair = inputs.table.rows["id"].str.extract(r"(.*copy\d)")[0]
    assert pair.notna().sum() == 16
    for parts in splits.parts:
        assert (parts.groupby(pair).nunique() == 1).all()
    by_image = make_splits(inputs, 4).group.groupby(pair).nunique()
    assert (by_image == 1).all()


def test_own_folds_are_tested_in_turn(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "d", patients=9)
    index = read_index(folder)
    index["fold"] = index["patient"].str.extract(r"(\d+)")[0].astype(int) % 3 + 1
    write_index(folder, index)
    inputs = small_inputs(folder)
    splits = make_splits(inputs, "own")
    folds = inputs.table.rows["fold"].astype(int)
    for fold, parts in enumerate(splits.parts, start=1):
        assert ((parts == "test") == (folds == fold)).all()
    assert splits.rule == "each of the data set's 3 folds tested in turn"


def test_own_folds_of_a_set_without_any_are_refused(tmp_path: Path) -> None:
    inputs = small_inputs(write_folder(tmp_path / "d"))
    with pytest.raises(DataError, match="has no folds of its own: give a number"):
        make_splits(inputs, "own")


def test_too_many_folds_are_refused(tmp_path: Path) -> None:
    inputs = small_inputs(write_folder(tmp_path / "d", patients=3))
    with pytest.raises(DataError, match="none in"):
        make_splits(inputs, 5)


def test_a_split_file_gives_the_same_split_back_with_bad_images_too(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "d")
    (folder / "glioma-1.png").write_bytes(b"no image")
    inputs = load_inputs(tiny_recipe(), str(folder), skip_bad=True)
    splits = make_splits(inputs, 2)
    path = tmp_path / "split.csv"
    split_file(inputs, splits.parts[0], splits.group).to_csv(path, index=False)
    recipe = tiny_recipe("data.split.by=given")
    again = load_inputs(recipe, str(folder), split_file=str(path), skip_bad=True)
    assert again.split.tolist() == splits.parts[0].tolist()
    assert len(again.table) == len(inputs.table) == 31
    assert len(apply_split(open_table(str(folder)), path)) == 32
