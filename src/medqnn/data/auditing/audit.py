"""The audit of a data set: what it holds, what is broken, what leaks, what gives classes away."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from medqnn.data.auditing.copies import KINDS, copies_among, groups, leaks
from medqnn.data.auditing.examine import examine
from medqnn.data.auditing.shortcuts import Shortcut, shortcuts
from medqnn.data.cache import Progress
from medqnn.data.table import ImageTable

PROBLEMS = {
    "unreadable": "cannot be read",
    "constant": "constant image",
    "nearly constant": "99.9% of the pixels have one value",
    "mask of other size": "mask of another size than its image",
    "empty mask": "empty mask in a class whose masks mostly show something",
    "unexpected mask": "mask that shows something in a class whose masks are mostly empty",
    "full mask": "mask of 99% or more of the image",
}


@dataclass(frozen=True)
class Audit:
    """What an audit found; `audit_summary` puts it into words and plain data.

    Attributes:
        name: of the data set.
        classes: its classes or findings.
        synthetic: whether the images are made up.
        patients_known: whether the source names patients.
        sides: side of each image that a leak would cross: its part of the split, else its fold;
            missing where the source gives neither.
        counts: images by class (rows) and part of the split (columns).
        patients: patients likewise; None where they are unknown.
        facts: of `examine`, with `id`, `label` and `group` (number of the group of copies and
            patient that an image belongs to).
        problems: `id`, `problem` (a key of `PROBLEMS`) and `detail`.
        pairs: of `copies`, all kinds.
        leaks: of `leaks`, across `sides`.
        conflicts: the pairs that are surely one picture and have two labels.
        torn_patients: patients on more than one side.
        shortcuts: the best first.
    """

    name: str
    classes: tuple[str, ...]
    synthetic: bool
    patients_known: bool
    sides: pd.Series
    counts: pd.DataFrame
    patients: pd.DataFrame | None
    facts: pd.DataFrame
    problems: pd.DataFrame
    pairs: pd.DataFrame
    leaks: pd.DataFrame
    conflicts: pd.DataFrame
    torn_patients: tuple[str, ...]
    shortcuts: tuple[Shortcut, ...]

    @property
    def leaking(self) -> bool:
        """Whether a picture or a patient stands on two sides."""
        return bool(len(self.leaks) or self.torn_patients)

    @property
    def imbalance(self) -> float:
        """Images of the largest class for each of the smallest."""
        images = self.counts.loc[list(self.classes), "total"]
        return float(images.max() / images.min())

    def pairs_by_kind(self) -> dict[str, int]:
        """Number of pairs of each kind."""
        return _by_kind(self.pairs["kind"])

    def leaked_by_kind(self) -> dict[str, int]:
        """Number of images with a copy on a side before their own, each by its surest copy."""
        return _by_kind(self.leaks.drop_duplicates("image")["kind"])


def audit(
    table: ImageTable, reading: Progress | None = None, comparing: Progress | None = None
) -> Audit:
    """Examine every image of a table and compare them all.

    Images that cannot be read are listed among the problems.

    Args:
        table: the data set.
        reading: wraps the iteration over the images, called with an iterable and its length.
        comparing: wraps the iteration over tiles of the comparison, likewise.
    """
    seen = examine(table, reading)
    pairs = copies_among(table, seen, comparing)
    rows = table.rows
    group = groups(pairs, len(table), rows["patient"] if table.patients_known else None)
    facts = seen.facts.assign(id=rows["id"], label=rows["label"], group=group)
    sides = sides_of(table)
    split = rows["split"] if table.has_split else None
    return Audit(
        name=table.name,
        classes=table.classes,
        synthetic=table.synthetic,
        patients_known=table.patients_known,
        sides=sides,
        counts=table.counts(split),
        patients=table.counts(split, of="patients") if table.patients_known else None,
        facts=facts,
        problems=_problems(facts),
        pairs=pairs,
        leaks=leaks(pairs, sides),
        conflicts=_conflicts(pairs, rows["label"]),
        torn_patients=_torn(rows["patient"], sides) if table.patients_known else (),
        shortcuts=_shortcuts(facts, table.multilabel),
    )


def sides_of(table: ImageTable) -> pd.Series:
    """What separates training from testing in the source: its split, else its folds, as text."""
    rows = table.rows
    if rows["split"].notna().any():
        sides = rows["split"].astype(object)
    else:
        sides = rows["fold"].map(lambda fold: f"fold {fold}", na_action="ignore").astype(object)
    return sides.where(sides.notna(), None)


def _problems(facts: pd.DataFrame) -> pd.DataFrame:
    annotated = facts["mask"].isin(["empty", "some", "full"])
    shown = facts["mask"].isin(["some", "full"]).where(annotated).groupby(facts["label"])
    usual = shown.transform("mean").astype(float)  # share of a class's masks that show something
    where = {
        "unreadable": facts["error"].notna(),
        "constant": facts["blank"].eq("constant"),
        "nearly constant": facts["blank"].eq("nearly"),
        "mask of other size": facts["mask"].eq("other size"),
        "empty mask": facts["mask"].eq("empty") & usual.gt(0.5),
        "unexpected mask": facts["mask"].isin(["some", "full"]) & usual.lt(0.5),
        "full mask": facts["mask"].eq("full"),
    }
    parts = [
        pd.DataFrame(
            {"id": facts.loc[here, "id"], "problem": name, "detail": facts.loc[here, "error"]}
        )
        for name, here in where.items()
    ]
    listed = pd.concat(parts, ignore_index=True)
    return listed.assign(
        detail=listed["detail"].astype(object).where(listed["detail"].notna(), None)
    )


def _conflicts(pairs: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    sure = pairs[pairs["kind"].ne("alike")]
    names = labels.to_numpy()
    return sure[names[sure["first"]] != names[sure["second"]]]


def _torn(patients: pd.Series, sides: pd.Series) -> tuple[str, ...]:
    held = sides.groupby(patients).nunique()
    return tuple(str(patient) for patient in held[held > 1].index)


def _shortcuts(facts: pd.DataFrame, multilabel: bool) -> tuple[Shortcut, ...]:
    usable = facts[facts["error"].isna()]
    group = usable["group"].to_numpy()
    return tuple(shortcuts(usable, usable["label"], group, multilabel=multilabel))


def _by_kind(kinds: pd.Series) -> dict[str, int]:
    return {kind: int(kinds.eq(kind).sum()) for kind in KINDS}
