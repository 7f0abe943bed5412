from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medqnn.data.folders import read_index_folder
from medqnn.data.splits import split_as_given, split_by_fold, split_by_patient
from medqnn.data.table import indicators
from medqnn.errors import DataError


def make_rows(patients: dict[str, tuple[str, int]], **columns: object) -> pd.DataFrame:
    """Rows of patients: name -> (label, number of images)."""
    listed = [(p, label) for p, (label, count) in patients.items() for _ in range(count)]
    rows = pd.DataFrame(listed, columns=["patient", "label"])
    return rows.assign(id=[f"image{i}" for i in rows.index], split=None, fold=None, **columns)


def cohort(count: int = 233, seed: int = 1, **columns: object) -> pd.DataFrame:
    """Patients as uneven as those of Cheng 2015: 3,064 slices of 233 patients."""
    draw = np.random.default_rng(seed)
    labels = draw.choice(["meningioma", "glioma", "pituitary"], count, p=[0.35, 0.38, 0.27])
    sizes = draw.integers(1, 26, count)
    return make_rows({f"p{i}": (str(labels[i]), int(sizes[i])) for i in range(count)}, **columns)


def sides_of(rows: pd.DataFrame, split: pd.Series) -> pd.Series:
    return split.groupby(rows["patient"]).nunique()


@st.composite
def cohorts(draw: st.DrawFn) -> pd.DataFrame:
    """Any cohort with at least three patients of each class, in any order."""
    labels = ["a", "b", "c"][: draw(st.integers(1, 3))]
    sizes = st.lists(st.integers(1, 9), min_size=3, max_size=12)
    patients = {
        f"{label}{i}": (label, count) for label in labels for i, count in enumerate(draw(sizes))
    }
    rows = make_rows(patients)
    return rows.sample(frac=1, random_state=draw(st.integers(0, 99))).reset_index(drop=True)


@given(rows=cohorts(), seed=st.integers(0, 2**32 - 1))
def test_no_patient_on_two_sides_and_every_class_on_each(rows: pd.DataFrame, seed: int) -> None:
    split = split_by_patient(rows, seed=seed)
    assert split.index.equals(rows.index)
    assert set(split) == {"train", "val", "test"}
    assert (sides_of(rows, split) == 1).all()
    assert (pd.crosstab(rows["label"], split) > 0).all(axis=None)
    shuffled = rows.sample(frac=1, random_state=seed)
    pd.testing.assert_series_equal(split_by_patient(shuffled, seed=seed).sort_index(), split)


@given(rows=cohorts(), seed=st.integers(0, 99))
def test_each_part_misses_its_share_by_no_more_than_the_largest_patient(
    rows: pd.DataFrame, seed: int
) -> None:
    got = pd.crosstab(rows["label"], split_by_patient(rows, (0.6, 0.2, 0.2), seed))
    for label, of_class in rows.groupby("label"):
        largest = of_class["patient"].value_counts().max()
        wanted = pd.Series({"train": 0.6, "val": 0.2, "test": 0.2}) * len(of_class)
        assert ((got.loc[label] - wanted)[["val", "test"]] <= largest).all()


@pytest.mark.parametrize("seed", range(5))
def test_sizes_and_class_proportions_are_near_the_asked(seed: int) -> None:
    rows = cohort()
    split = split_by_patient(rows, seed=seed)
    shares = split.value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx({"train": 0.7, "val": 0.15, "test": 0.15}, abs=0.02)
    by_part = pd.crosstab(rows["label"], split, normalize="columns")
    overall = rows["label"].value_counts(normalize=True)
    assert by_part.sub(overall, axis=0).abs().max(axis=None) < 0.03


def test_seeds_draw_different_patients_and_none_is_tied_to_a_part() -> None:
    rows = cohort(60)
    splits = pd.concat([split_by_patient(rows, seed=seed) for seed in range(40)], axis=1)
    in_test = (splits == "test").groupby(rows["patient"]).first().mean(axis=1)
    assert in_test.min() > 0
    assert in_test.max() < 0.6


def test_parts_of_share_zero_stay_empty() -> None:
    assert set(split_by_patient(cohort(30), (0.8, 0.2, 0.0))) == {"train", "val"}


@pytest.mark.parametrize("fractions", [(0.7, 0.3), (0.7, 0.2, 0.2), (1.2, -0.1, -0.1)])
def test_fractions_that_are_no_shares_are_refused(fractions: tuple[float, ...]) -> None:
    with pytest.raises(DataError, match="sum 1"):
        split_by_patient(cohort(30), fractions)


def test_class_of_two_patients_is_refused_with_its_count() -> None:
    patients = {f"p{i}": ("ill", 3) for i in range(9)} | {"q0": ("rare", 4), "q1": ("rare", 1)}
    with pytest.raises(DataError, match="'rare' has 5 images of 2 patients, and none in test"):
        split_by_patient(make_rows(patients))


def findings(count: int = 1200, patients: int = 400) -> pd.DataFrame:
    """Images of patients with up to ten findings, so that few have the same ones."""
    draw = np.random.default_rng(0)
    shares = np.linspace(0.03, 0.4, 10)
    names = np.array([f"finding {percent:.0%}" for percent in shares], dtype=object)
    labels = ["|".join(names[row]) or "no finding" for row in draw.random((count, 10)) < shares]
    rows = {"patient": [f"p{p}" for p in draw.integers(0, patients, count)], "label": labels}
    return pd.DataFrame(rows).assign(id=[f"image{i}" for i in range(count)], split=None, fold=None)


def test_findings_come_in_proportion_though_their_combinations_do_not() -> None:
    rows = findings()
    split = split_by_patient(rows, seed=1, multilabel=True)
    assert (sides_of(rows, split) == 1).all()
    present = indicators(rows["label"], multilabel=True)
    by_part = present.groupby(split).sum()
    wanted = np.outer([0.15, 0.7, 0.15], present.sum())  # test, train, val
    assert np.abs(by_part.to_numpy() - wanted).max() <= 5
    with pytest.raises(DataError, match="none in"):
        split_by_patient(rows, seed=1)  # as combinations, some are too rare for three parts


def test_findings_count_one_by_one_in_given_splits_and_folds() -> None:
    rows = findings()
    rows["split"] = split_by_patient(rows, (0.8, 0.1, 0.1), multilabel=True)
    assert (split_as_given(rows, multilabel=True) == rows["split"]).all()
    without = rows.assign(split=rows["split"].replace("val", "train"))
    assert set(split_as_given(without, multilabel=True)) == {"train", "val", "test"}
    rare = rows["label"].str.contains("finding 3%")
    rows.loc[rare & (rows["split"] == "test"), "label"] = "no finding"
    with pytest.raises(DataError, match=r"'finding 3%' has .* and none in test"):
        split_as_given(rows, multilabel=True)
    rows = in_folds(findings())
    for known in (True, False):
        assert set(split_by_fold(rows, [1], patients_known=known, multilabel=True)) >= {"val"}


def in_folds(rows: pd.DataFrame, count: int = 5) -> pd.DataFrame:
    number = rows["patient"].str[1:].astype(int)
    return rows.assign(fold=(number % count + 1).astype("Int64"))


def test_known_patients_are_drawn_for_validation_beside_the_test_fold() -> None:
    rows = in_folds(cohort())
    split = split_by_fold(rows, [4], patients_known=True, val_fraction=0.15)
    assert set(rows.loc[split == "test", "fold"]) == {4}
    assert (split[rows["fold"] == 4] == "test").all()
    assert (sides_of(rows, split) == 1).all()
    rest = split[split != "test"]
    assert (rest == "val").mean() == pytest.approx(0.15, abs=0.02)


def test_unknown_patients_leave_a_whole_fold_for_validation() -> None:
    rows = in_folds(cohort())
    split = split_by_fold(rows, [5], patients_known=False)
    assert set(rows.loc[split == "val", "fold"]) == {4}
    assert set(rows.loc[split == "train", "fold"]) == {1, 2, 3}


def test_validation_folds_may_be_named() -> None:
    rows = in_folds(cohort())
    split = split_by_fold(rows, [4], val_folds=[1, 2], patients_known=True)
    assert set(rows.loc[split == "val", "fold"]) == {1, 2}
    assert set(rows.loc[split == "train", "fold"]) == {3, 5}


@pytest.mark.parametrize(
    ("test", "val"), [([], None), ([6], None), ([1, 1], None), ([1], [1]), ([1, 2], [3, 4, 5])]
)
def test_folds_that_do_not_fit_are_refused(test: list[int], val: list[int] | None) -> None:
    with pytest.raises(DataError, match=r"of the folds \[1, 2, 3, 4, 5\]"):
        split_by_fold(in_folds(cohort()), test, val_folds=val, patients_known=True)


def test_a_single_fold_left_cannot_serve_both_training_and_validation() -> None:
    with pytest.raises(DataError, match="none in train"):
        split_by_fold(in_folds(cohort(), 2), [2], patients_known=False)


def test_rows_without_folds_are_refused() -> None:
    with pytest.raises(DataError, match="have no fold"):
        split_by_fold(cohort(30), [1], patients_known=True)


def test_given_split_is_kept() -> None:
    rows = in_folds(cohort(), 3)
    rows["split"] = rows["fold"].map({1: "train", 2: "val", 3: "test"})
    assert (split_as_given(rows) == rows["split"]).all()


def test_missing_validation_part_is_drawn_from_train_by_patient() -> None:
    rows = in_folds(cohort(), 5)
    rows["split"] = np.where(rows["fold"] == 5, "test", "train")
    split = split_as_given(rows, 0.25, seed=3)
    assert ((split == "test") == (rows["fold"] == 5)).all()
    assert (split[rows["fold"] != 5] == "val").mean() == pytest.approx(0.25, abs=0.02)
    assert (sides_of(rows, split) == 1).all()
    with pytest.raises(DataError, match="below 1"):
        split_as_given(rows, 1.0)


def test_no_validation_part_is_drawn_where_none_is_wanted() -> None:
    rows = in_folds(cohort(), 5)
    given = rows.assign(split=np.where(rows["fold"] == 5, "test", "train"))
    assert (split_as_given(given, 0.0) == given["split"]).all()
    for known in (True, False):
        split = split_by_fold(rows, [5], patients_known=known, val_fraction=0.0)
        assert (split == given["split"]).all()


def test_given_split_that_leaks_or_has_gaps_is_refused() -> None:
    rows = make_rows({"p0": ("ill", 3), "p1": ("ill", 2), "p2": ("ill", 2)})
    rows["split"] = ["train", "train", "test", "test", "test", "val", "val"]
    with pytest.raises(DataError, match="puts 1 patients in two parts, the first is p0"):
        split_as_given(rows)
    rows["split"] = ["train", "train", "train", None, None, "val", "val"]
    with pytest.raises(DataError, match="2 of 7 images have no split"):
        split_as_given(rows)
    rows["split"] = ["train", "train", "train", "val", "val", "val", "val"]
    with pytest.raises(DataError, match="none in test"):
        split_as_given(rows)


def test_real_folds_of_the_cheng_set(shared_data: Path) -> None:
    table = read_index_folder(shared_data / "cheng2015")
    split = split_by_fold(table.rows, [4], patients_known=table.patients_known)
    counts = table.counts(split).loc["total"].to_dict()
    assert counts == {"train": 1225, "val": 562, "test": 613, "total": 2400}
