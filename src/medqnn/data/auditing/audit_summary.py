"""What an audit found, in words and as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from medqnn.data.auditing.audit import PROBLEMS, Audit
from medqnn.data.auditing.copies import leak_in_words
from medqnn.data.auditing.fingerprints import TURNS

IMBALANCE = 10  # times more images in the largest class than in the smallest call for a warning
_INTENSITIES = ("minimum", "maximum", "mean")


def warnings(found: Audit) -> list[str]:
    """What to know before training, a sentence each; leaks come first and say LEAK."""
    return [*_of_sides(found), *_of_images(found), *_of_classes(found)]


def as_json(found: Audit) -> dict[str, Any]:
    """All findings but the facts of single images: dictionaries, lists, texts, numbers and None."""
    sizes = found.facts["group"].value_counts()
    linked = found.facts[found.facts["group"].isin(sizes[sizes > 1].index)]
    ids = found.facts["id"].to_numpy()
    conflicts = zip(ids[found.conflicts["first"]], ids[found.conflicts["second"]], strict=True)
    return {
        "name": found.name,
        "images": len(found.facts),
        "classes": list(found.classes),
        "synthetic": found.synthetic,
        "patients_known": found.patients_known,
        "leaking": found.leaking,
        "warnings": warnings(found),
        "counts": found.counts.to_dict("index"),
        "patients": None if found.patients is None else found.patients.to_dict("index"),
        "imbalance": found.imbalance,
        **files(found),
        "problems": found.problems.to_dict("records"),
        "pairs_by_kind": found.pairs_by_kind(),
        "leaked_images_by_kind": found.leaked_by_kind(),
        "pairs": named_pairs(found).to_dict("records"),
        "groups": [list(members) for _, members in linked.groupby("group")["id"]],
        "conflicts": [list(pair) for pair in conflicts],
        "patients_on_several_sides": list(found.torn_patients),
        "shortcuts": [asdict(shortcut) for shortcut in found.shortcuts],
    }


def files(found: Audit) -> dict[str, Any]:
    """How many images have each size, kind of pixels and format, and what intensities occur."""
    known = found.facts[found.facts["width"].notna()]
    width, height = (known[side].astype(int).astype(str) for side in ("width", "height"))
    return {
        "sizes": _tally(width + "×" + height),
        "pixels": _tally(known["pixels"]),
        "formats": _tally(found.facts["format"]),
        "intensities": {name: _range(known[name]) for name in _INTENSITIES},
    }


def named_pairs(found: Audit) -> pd.DataFrame:
    """The pairs with ids, labels and sides in place of row numbers, ready for a CSV file."""
    first, second = found.pairs["first"].to_numpy(), found.pairs["second"].to_numpy()
    sides = found.sides.astype(object).where(found.sides.notna(), None).to_numpy(dtype=object)
    ids, labels = found.facts["id"].to_numpy(), found.facts["label"].to_numpy()
    return pd.DataFrame(
        {
            "first": ids[first],
            "second": ids[second],
            "kind": found.pairs["kind"],
            "turn": [TURNS[turn] for turn in found.pairs["turn"]],
            "correlation": found.pairs["correlation"].round(4),
            "first_label": labels[first],
            "second_label": labels[second],
            "first_side": sides[first],
            "second_side": sides[second],
        }
    )


def _of_sides(found: Audit) -> list[str]:
    said = []
    if len(found.leaks):
        said.append(f"LEAK: {leak_in_words(found.leaks, found.sides)}")
    if found.torn_patients:
        said.append(f"LEAK: {len(found.torn_patients):,} patients stand on more than one side")
    alike = found.pairs[found.pairs["kind"].eq("alike")]
    sides = found.sides.to_numpy(dtype=object)
    across = sides[alike["first"]] != sides[alike["second"]]
    if found.sides.notna().any() and across.any():
        said.append(
            f"{int(across.sum()):,} pairs across sides look alike: copies strongly altered, or "
            "neighbouring slices of a patient; look at some of them"
        )
    return said


def _of_images(found: Audit) -> list[str]:
    said = [
        f"{PROBLEMS[str(problem)]}: {number:,} of {len(found.facts):,} images"
        for problem, number in found.problems["problem"].value_counts(sort=False).items()
    ]
    if len(found.conflicts):
        said.append(f"{len(found.conflicts):,} times two copies have different labels")
    return said


def _of_classes(found: Audit) -> list[str]:
    said = []
    if found.imbalance >= IMBALANCE:
        said.append(f"the largest class has {found.imbalance:.0f} times the images of the smallest")
    return said + [
        f"class {one.label} is told apart by {one.fact} alone: {one.accuracy:.1%} right, "
        f"{one.majority:.1%} by always saying the more frequent"
        for one in found.shortcuts
        if one.warning
    ]


def _tally(values: pd.Series) -> dict[str, int]:
    """How often each occurs, the most frequent first."""
    return {str(value): int(count) for value, count in values.value_counts().items()}


def _range(values: pd.Series) -> dict[str, float] | None:
    known = values.astype(np.float64)
    if known.empty:
        return None
    limits = {"lowest": known.min(), "median": known.median(), "highest": known.max()}
    return {name: float(value) for name, value in limits.items()}
