from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medqnn.data.table import ImageTable, Sample, indicators
from medqnn.errors import DataError


def read(row: pd.Series) -> Sample:
    return Sample(np.zeros((4, 4)), None)


def make_rows(**columns: object) -> pd.DataFrame:
    rows = {
        "id": ["a", "b", "c", "d"],
        "source": "made",
        "label": ["ill", "ill", "well", "ill"],
        "patient": ["p1", "p1", "p2", "p3"],
        "mask": None,
        "split": None,
        "fold": None,
    }
    return pd.DataFrame(rows | columns)


def make_table(classes: tuple[str, ...] = ("ill", "well"), **columns: object) -> ImageTable:
    return ImageTable("made", make_rows(**columns), classes, read)


def test_counts_images_and_patients_by_class_and_part() -> None:
    split = pd.Series(["train", "train", "train", "test"])
    images = make_table().counts(split)
    assert images.index.tolist() == ["ill", "well", "total"]
    assert images.to_dict("list") == {"train": [2, 1, 3], "test": [1, 0, 1], "total": [3, 1, 4]}
    patients = make_table().counts(split, of="patients")
    assert patients.to_dict("list") == {"train": [1, 1, 2], "test": [1, 0, 1], "total": [2, 1, 3]}


def test_counts_without_a_split_gives_the_total_alone() -> None:
    assert make_table().counts().to_dict("list") == {"total": [3, 1, 4]}


def test_patient_with_two_classes_counts_once_in_the_total() -> None:
    counts = make_table(patient="p1").counts(of="patients")
    assert counts["total"].tolist() == [1, 1, 1]


def test_folds_and_split_count_as_given_only_when_every_row_has_one() -> None:
    assert not make_table().has_folds
    assert not make_table(fold=[1, 2, 3, None]).has_folds
    assert make_table(fold=[1, 2, 3, 3]).has_folds
    assert not make_table(split=["train", None, "val", "test"]).has_split
    assert make_table(split=["train", "train", "val", "test"]).has_split


def make_findings(*labels: str, classes: tuple[str, ...] = ("mass", "edema")) -> ImageTable:
    return ImageTable("made", make_rows(label=labels), classes, read, multilabel=True)


def test_findings_are_counted_by_image_and_by_patient() -> None:
    table = make_findings("mass|edema", "mass", "no finding", "edema|mass")
    split = pd.Series(["train", "train", "train", "test"])
    images = table.counts(split)
    assert images.index.tolist() == ["mass", "edema", "total"]
    assert images.to_dict("list") == {"train": [2, 1, 3], "test": [1, 1, 1], "total": [3, 2, 4]}
    patients = table.counts(split, of="patients")
    assert patients.to_dict("list") == {"train": [1, 1, 2], "test": [1, 1, 1], "total": [2, 2, 3]}


def test_findings_that_are_not_the_tables_are_refused() -> None:
    with pytest.raises(DataError, match="both must hold the same names"):
        make_findings("mass|effusion", "mass", "edema", "mass")
    with pytest.raises(DataError, match="both must hold the same names"):
        make_findings("mass", "mass", "no finding", "mass")
    with pytest.raises(DataError, match="both must hold the same names"):
        make_findings("mass", "edema", "mass", "mass|")


def test_bar_in_a_class_name_is_no_separator_where_labels_are_single() -> None:
    table = make_table(label=["a|b", "a|b", "c", "c"], classes=("a|b", "c"))
    assert table.counts()["total"].tolist() == [2, 2, 4]


def test_indicators_of_classes_and_findings() -> None:
    single = indicators(pd.Series(["b", "a", "b"]))
    assert single.to_dict("list") == {"a": [False, True, False], "b": [True, False, True]}
    several = indicators(pd.Series(["b|a", "no finding", "b"]), multilabel=True)
    assert several.dtypes.eq(bool).all()
    assert several.astype(int).to_dict("list") == {
        "a": [1, 0, 0],
        "b": [1, 0, 1],
        "no finding": [0, 1, 0],
    }


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["a", "b", "b", "d"]}, "listed more than once, the first is b"),
        (
            {"label": ["ill", None, "well", "ill"]},
            "1 of 4 images have no label, the first in row 2",
        ),
        ({"patient": ["p1", "p1", "", ""]}, "2 of 4 images have no patient, the first in row 3"),
        ({"label": ["ill", "ill", "well", "dead"]}, "dead"),
        ({"label": "ill"}, "well"),
    ],
)
def test_rows_that_are_no_data_set_are_refused(columns: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        make_table(**columns)


def test_empty_table_and_absent_columns_are_refused() -> None:
    with pytest.raises(DataError, match="no images"):
        ImageTable("made", make_rows().iloc[:0], (), read)
    with pytest.raises(DataError, match="lacks the columns patient, fold"):
        ImageTable("made", make_rows().drop(columns=["patient", "fold"]), ("ill", "well"), read)
