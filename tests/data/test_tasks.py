from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medqnn.data.medmnist import read_medmnist
from medqnn.data.medmnist_classes import OFFICIAL
from medqnn.data.table import ImageTable, Sample
from medqnn.data.tasks import one_vs_rest, two_classes
from medqnn.errors import DataError

# Images of each label in the official test splits. Totals: n_samples in medmnist/info.py 3.0.2 of
# https://github.com/MedMNIST/MedMNIST. PathMNIST and BloodMNIST: the counts of the published
# files, as several public repositories print them. OrganAMNIST: its two femurs as the support
# columns of the reproduced report have them; the other nine organs together make up the total.
TEST_LABELS = {
    "pathmnist": [1338, 847, 339, 634, 1035, 592, 741, 421, 1233],
    "organamnist": [16_193, 793, 784, 1, 1, 1, 1, 1, 1, 1, 1],
    "bloodmnist": [244, 624, 311, 579, 243, 284, 666, 470],
}


def read(row: pd.Series) -> Sample:
    return Sample(np.zeros((28, 28), dtype=np.uint8), None)


def make_table(classes: tuple[str, ...], counts: list[int]) -> ImageTable:
    ids = [f"test-{number:05d}" for number in range(sum(counts))]
    rows = {"id": ids, "source": "made", "label": np.repeat(classes, counts), "patient": ids}
    rows = pd.DataFrame(rows | {"mask": None, "split": "test", "fold": None})
    return ImageTable("made", rows, classes, read, patients_known=False, benchmark="medmnist")


@pytest.mark.parametrize(
    ("name", "positives", "images", "total"),
    [
        ("pathmnist", [0, 1], 2185, 7180),
        ("organamnist", [1, 2], 1577, 17778),
        ("bloodmnist", [1, 2], 935, 3421),
    ],
)
def test_positives_of_the_official_test_splits(
    name: str, positives: list[int], images: int, total: int
) -> None:
    table = one_vs_rest(make_table(OFFICIAL[name].classes, TEST_LABELS[name]), positives)
    assert table.counts()["total"].tolist() == [total - images, images, total]


def test_positives_of_real_blood_cells(shared_data: Path) -> None:
    table = read_medmnist(shared_data / "medmnist" / "pbcblood.npz")
    task = one_vs_rest(table, [1, 2])
    assert task.classes == ("rest", "1 + 2")
    assert task.counts(task.rows["split"])["test"].tolist() == [3421 - 935, 935, 3421]
    assert (task.rows["label"] == "1 + 2").equals(table.rows["label"].isin(["1", "2"]))


ORGANS = make_table(("liver", "spleen", "heart", "lung"), [4, 3, 2, 1])


@pytest.mark.parametrize("positives", [["heart", "spleen"], [2, 1], ["spleen", 2]])
def test_positives_by_name_or_number_in_any_order(positives: list[str | int]) -> None:
    task = one_vs_rest(ORGANS, positives)
    assert task.classes == ("rest", "spleen + heart")
    assert task.rows["label"].tolist() == ["rest"] * 4 + ["spleen + heart"] * 5 + ["rest"]
    assert task.benchmark == "medmnist"
    assert task.rows.drop(columns="label").equals(ORGANS.rows.drop(columns="label"))
    assert ORGANS.rows["label"].tolist()[4] == "spleen"  # the given table stays as it is


@pytest.mark.parametrize("pair", [["lung", "spleen"], [1, 3]])
def test_two_classes_keep_their_images_alone(pair: list[str | int]) -> None:
    task = two_classes(ORGANS, pair)
    assert task.classes == ("spleen", "lung")
    assert task.rows["id"].tolist() == ["test-00004", "test-00005", "test-00006", "test-00009"]
    assert task.rows.index.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("positives", "message"),
    [
        (["kidney"], "knows no class 'kidney': .*0 liver, 1 spleen, 2 heart, 3 lung"),
        ([4], "knows no class 4"),
        ([-1], "knows no class -1"),
        ([], r"cannot take \[\]"),
        (["spleen", 1], "each once"),
        (
            [0, 1, 2, 3],
            r"all of its classes \(liver, spleen, heart, lung\): leave at least one out",
        ),
    ],
)
def test_positives_that_ask_nothing_are_refused(positives: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        one_vs_rest(ORGANS, positives)


@pytest.mark.parametrize("pair", [["liver"], [0, 1, 2], ["liver", 0], ["liver", "kidney"]])
def test_no_pair_is_refused(pair: list) -> None:
    with pytest.raises(DataError, match=r"give two|each once"):
        two_classes(ORGANS, pair)


def test_sets_of_findings_are_refused() -> None:
    findings = replace(ORGANS, multilabel=True)
    for task in (one_vs_rest, two_classes):
        with pytest.raises(DataError, match="several findings an image"):
            task(findings, [0, 1])
