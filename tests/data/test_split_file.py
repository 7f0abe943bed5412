from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medqnn.data.phantom.table import phantom_table
from medqnn.data.split_file import apply_split, split_by_group, write_split
from medqnn.data.splits import split_as_given
from medqnn.data.table import ImageTable
from medqnn.errors import DataError


@pytest.fixture
def table() -> ImageTable:
    return phantom_table(200, size=32)


@pytest.fixture
def strangers(table: ImageTable) -> ImageTable:
    """The same without patients."""
    rows = table.rows.assign(patient=table.rows["id"])
    return ImageTable("strangers", rows, table.classes, table.read, patients_known=False)


def groups_of(table: ImageTable) -> np.ndarray:
    return np.asarray(pd.factorize(table.rows["patient"])[0])


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "split.csv"
    path.write_text(text)
    return path


def test_groups_stay_together_and_classes_in_proportion(table: ImageTable) -> None:
    drawn = split_by_group(table, groups_of(table), (0.6, 0.2, 0.2))
    assert drawn["id"].tolist() == table.rows["id"].tolist()
    assert (drawn.groupby("group")["split"].nunique() == 1).all()
    shares = pd.crosstab(table.rows["label"], drawn["split"], normalize="index")
    assert np.abs(shares[["train", "val", "test"]] - [0.6, 0.2, 0.2]).to_numpy().max() < 0.1
    again = split_by_group(table, groups_of(table), (0.6, 0.2, 0.2), seed=1)
    assert (again["split"] != drawn["split"]).any()


def test_round_trip(table: ImageTable, tmp_path: Path) -> None:
    drawn = split_by_group(table, groups_of(table))
    write_split(drawn, tmp_path / "split.csv")
    shuffled = ImageTable(
        table.name,
        table.rows.sample(frac=1, random_state=0, ignore_index=True),
        table.classes,
        table.read,
    )
    given = apply_split(shuffled, tmp_path / "split.csv")
    assert given.has_split
    expected = drawn.set_index("id")["split"]
    assert given.rows.set_index("id")["split"].to_dict() == expected.to_dict()
    assert given.rows["patient"].tolist() == shuffled.rows["patient"].tolist()
    assert split_as_given(given.rows).tolist() == given.rows["split"].tolist()


def test_groups_stand_for_unknown_patients(strangers: ImageTable, tmp_path: Path) -> None:
    group = np.arange(len(strangers)) // 2
    write_split(split_by_group(strangers, group, (0.8, 0, 0.2)), tmp_path / "split.csv")
    given = apply_split(strangers, tmp_path / "split.csv")
    assert not given.patients_known
    assert given.rows["patient"].nunique() == 100
    # So a validation part that is drawn later keeps them together too.
    split = split_as_given(given.rows)
    assert (split.groupby(given.rows["patient"]).nunique() == 1).all()
    assert strangers.rows["split"].isna().all()


def test_group_column_may_be_left_out(strangers: ImageTable, tmp_path: Path) -> None:
    lines = "\n".join(f"{id_},train" for id_ in strangers.rows["id"])
    given = apply_split(strangers, written(tmp_path, f"id,split\n{lines}\n"))
    assert given.rows["patient"].tolist() == given.rows["id"].tolist()


def test_nothing_is_overwritten(table: ImageTable, tmp_path: Path) -> None:
    drawn = split_by_group(table, groups_of(table))
    path = written(tmp_path, "mine")
    with pytest.raises(DataError, match="exists: remove it, or name another"):
        write_split(drawn, path)
    assert path.read_text() == "mine"
    with pytest.raises(DataError, match="cannot write"):
        write_split(drawn, tmp_path / "nowhere" / "split.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot read the split"),
        ("id,part\nx,train\n", "has the columns id, part: id and split are needed"),
        ("id,split\nx,training\n", "says 'training' in 1 lines"),
        ("id,split\nx,train\nx,test\n", "names x more than once"),
        ("id,split\nx,train\n", "200 images of the data are not in it, such as phantom-0-00000"),
        ("id,split\nx,train\n", "1 of its lines are no images of the data, such as x"),
        ("id,split,group\nx,train,\n", "without a group"),
    ],
)
def test_a_file_that_does_not_fit(
    table: ImageTable, tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        apply_split(table, written(tmp_path, text))


def test_a_file_that_is_not_there(table: ImageTable, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the split"):
        apply_split(table, tmp_path / "split.csv")


def test_too_few_groups(table: ImageTable) -> None:
    with pytest.raises(DataError, match="none in"):
        split_by_group(table, np.zeros(len(table), dtype=int))
