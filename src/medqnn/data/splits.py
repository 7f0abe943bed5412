"""Splits into train, validation and test that keep every patient on one side.

Each function gives a Series of "train", "val" and "test" aligned with the rows. It depends on the
rows' content and the seed alone, not on the rows' order. Of a multi-label set each finding, and
the absence of any, counts as a class, an image in all of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from medqnn.data.table import SPLITS, indicators
from medqnn.errors import DataError


def split_by_patient(
    rows: pd.DataFrame,
    fractions: Sequence[float] = (0.70, 0.15, 0.15),
    seed: int = 0,
    *,
    multilabel: bool = False,
) -> pd.Series:
    """Draw whole patients for each part, the classes in proportion.

    Patients come in random order; each joins the part that holds the least of its share of the
    patient's classes. So every part's images of a class miss its share by about one patient's at
    most, with several findings an image by a few more. Where the source names no patients, this
    is a split by image.

    Args:
        rows: an ImageTable's rows.
        fractions: shares of train, validation and test, not negative, of sum 1.
        seed: of the patients' order.
        multilabel: the table's.

    Raises:
        DataError: Fractions that are not shares, or a class with too few patients for every part.
    """
    if len(fractions) != 3 or min(fractions) < 0 or not np.isclose(sum(fractions), 1):
        raise DataError(
            f"the split's fractions are {tuple(fractions)}: give three for train, validation and "
            "test, not negative, of sum 1, such as 0.7, 0.15, 0.15"
        )
    parts = [part for part, share in zip(SPLITS, fractions, strict=True) if share > 0]
    shares = np.array([share for share in fractions if share > 0])
    dealt = _deal_patients(rows, parts, shares, seed, multilabel)
    return _checked(rows, rows["patient"].map(dealt).rename("split"), parts, multilabel)


def split_by_fold(
    rows: pd.DataFrame,
    test_folds: Sequence[int],
    *,
    patients_known: bool,
    val_folds: Sequence[int] | None = None,
    val_fraction: float = 0.15,
    seed: int = 0,
    multilabel: bool = False,
) -> pd.Series:
    """Test on given folds; validate on others, or on patients drawn from the rest.

    Where patients are unknown, the folds are the only thing that keeps a patient together, so
    that validation takes the last of the remaining folds whole.

    Args:
        rows: an ImageTable's rows, each with a fold.
        test_folds: folds of the test part.
        patients_known: the table's; False rules out drawing patients.
        val_folds: folds of the validation part; by default patients are drawn, or where they are
            unknown the last remaining fold is taken.
        val_fraction: share of the remaining images to draw for validation; 0 for no validation.
        seed: of the draw.
        multilabel: the table's.

    Raises:
        DataError: No folds, unknown or overlapping ones, nothing left to train on, or a class
            that one part lacks.
    """
    folds = _known_folds(rows, test_folds, val_folds or ())
    rest = sorted(folds - set(test_folds))
    if val_folds is None and not patients_known and val_fraction > 0:
        val_folds = rest[-1:]
    split = pd.Series("train", index=rows.index, name="split", dtype=object)
    split[rows["fold"].isin(test_folds)] = "test"
    if val_folds is None:
        split = _draw_validation(rows, split, val_fraction, seed, multilabel)
    else:
        split[rows["fold"].isin(val_folds)] = "val"
    return _checked(rows, split, _parts(split, val_fraction), multilabel)


def draw_folds(
    rows: pd.DataFrame, folds: int, seed: int = 0, *, multilabel: bool = False
) -> pd.Series:
    """Deal patients to folds of equal size, the classes in proportion.

    Args:
        rows: an ImageTable's rows.
        folds: how many, two or more.
        seed: of the order in which patients are dealt.
        multilabel: the table's.

    Returns:
        Fold of each row, 1 to ``folds``.

    Raises:
        DataError: Fewer than two folds, or a class that one fold lacks.
    """
    if folds < 2:
        raise DataError(f"{folds} folds: give two or more")
    names = [str(number) for number in range(1, folds + 1)]
    dealt = _deal_patients(rows, names, np.full(folds, 1 / folds), seed, multilabel)
    return _checked(rows, rows["patient"].map(dealt), names, multilabel).astype(int).rename("fold")


def split_as_given(
    rows: pd.DataFrame, val_fraction: float = 0.15, seed: int = 0, *, multilabel: bool = False
) -> pd.Series:
    """Take the source's own split; without a validation part, draw its patients from train.

    Args:
        rows: an ImageTable's rows, each with a split.
        val_fraction: share of the training images to draw for validation if there is none; 0 to
            do without.
        seed: of the draw.
        multilabel: the table's.

    Raises:
        DataError: Rows without a split, a patient in two parts, or a class that one part lacks.
    """
    split = rows["split"].astype(object).rename("split")
    if split.isna().any():
        raise DataError(
            f"{int(split.isna().sum())} of {len(rows)} images have no split: fill the column "
            "split, or split by patient or fold"
        )
    parts_of = split.groupby(rows["patient"]).nunique()
    if (parts_of > 1).any():
        raise DataError(
            f"the given split puts {int((parts_of > 1).sum())} patients in two parts, the first is "
            f"{parts_of.index[parts_of > 1][0]}: mend the column split, or split by patient"
        )
    if not (split == "val").any():
        split = _draw_validation(rows, split, val_fraction, seed, multilabel)
    return _checked(rows, split, _parts(split, val_fraction), multilabel)


def _deal_patients(
    rows: pd.DataFrame, parts: Sequence[str], shares: np.ndarray, seed: int, multilabel: bool
) -> dict[str, str]:
    """Part of each patient: greedy, by the parts' shortest supply of the patient's classes."""
    images = indicators(rows["label"], multilabel).groupby(rows["patient"]).sum()
    wanted = np.outer(shares, images.sum())
    held = np.zeros_like(wanted)
    dealt = {}
    for patient in np.random.default_rng(seed).permutation(len(images)):
        counts = images.to_numpy()[patient]
        part = int(np.argmin((held / wanted) @ counts))
        held[part] += counts
        dealt[images.index[patient]] = parts[part]
    return dealt


def _draw_validation(
    rows: pd.DataFrame, split: pd.Series, val_fraction: float, seed: int, multilabel: bool
) -> pd.Series:
    """Move a share of the training part to validation, by patient."""
    if not 0 <= val_fraction < 1:
        raise DataError(f"the validation fraction is {val_fraction}: give 0 or more, below 1")
    if val_fraction == 0:
        return split
    training = rows[split == "train"]
    shares = (1 - val_fraction, val_fraction, 0.0)
    drawn = split_by_patient(training, shares, seed, multilabel=multilabel)
    return drawn.reindex(split.index).fillna(split).rename("split")


def _parts(split: pd.Series, val_fraction: float) -> list[str]:
    """The parts that must hold every class: validation only where it is wanted or there."""
    wanted = val_fraction > 0 or (split == "val").any()
    return [part for part in SPLITS if wanted or part != "val"]


def _known_folds(
    rows: pd.DataFrame, test_folds: Sequence[int], val_folds: Sequence[int]
) -> set[int]:
    """The folds that occur, once the asked ones are found to fit them."""
    if rows["fold"].isna().any():
        raise DataError(
            f"{int(rows['fold'].isna().sum())} of {len(rows)} images have no fold: fill the column "
            "fold, or split by patient"
        )
    folds = {int(fold) for fold in rows["fold"].unique()}
    asked = [*test_folds, *val_folds]
    if not test_folds or not set(asked) < folds or len(asked) != len(set(asked)):
        raise DataError(
            f"test folds {list(test_folds)} and validation folds {list(val_folds)} of the folds "
            f"{sorted(folds)}: name at least one for testing, none twice, and leave one to train on"
        )
    return folds


def _checked(
    rows: pd.DataFrame, split: pd.Series, parts: Sequence[str], multilabel: bool
) -> pd.Series:
    """Give the split back if every part has every class."""
    members = indicators(rows["label"], multilabel)
    present = members.groupby(split).any().reindex(list(parts), fill_value=False)
    lacking = present.columns[~present.all()]
    if len(lacking):
        of_class = rows[members[lacking[0]]]
        empty = [part for part in parts if not present.loc[part, lacking[0]]]
        raise DataError(
            f"class {lacking[0]!r} has {len(of_class)} images of {of_class['patient'].nunique()} "
            f"patients, and none in {' and '.join(empty)}: add patients of this class, split "
            "otherwise, or remove the class"
        )
    return split
