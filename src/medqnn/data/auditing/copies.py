"""Copies: images that stand in a data set more than once, and what they do to a split."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from medqnn.data.auditing.examine import Examination, examine
from medqnn.data.auditing.fingerprints import fingerprint, no_fingerprints
from medqnn.data.auditing.near_copies import SAME, near_copies
from medqnn.data.cache import Progress
from medqnn.data.table import SPLITS, ImageTable

KINDS = {
    "bytes": "byte-identical files",
    "pixels": "pixel-identical images",
    "near": "re-encoded, resized or brightened",
    "turned": "mirrored or turned",
    "cropped": "with other borders",
    "alike": "look-alikes: strongly altered, or neighbouring slices",
}
COPIES = tuple(kind for kind in KINDS if kind != "alike")  # what is surely one picture
COLUMNS = ["first", "second", "kind", "turn", "correlation"]
_CROWD = 1000  # identical images that are paired each with each; more are paired with the first


def copies(
    table: ImageTable, images: np.ndarray | None = None, progress: Progress | None = None
) -> pd.DataFrame:
    """Find the pairs of images that are copies of each other or look like it.

    Constant images are left out: they are all alike. Of one known patient, only identical images
    are paired, since neighbouring slices are all but the same.

    Args:
        table: the data set.
        images: uint8 (n, C, S, S), its pixels as `decode` gives them, S of 64 or more, to spare
            reading the files; kind "bytes" then counts as "pixels". Without, every image is read,
            and those that cannot be read are passed over.
        progress: wraps the iteration over the images, called with an iterable and its length.

    Returns:
        One row a pair: `first` < `second` (row numbers of the table), `kind` (a key of `KINDS`),
        `turn` (index of `fingerprints.TURNS`: the second, so turned, looks like the first) and
        `correlation` of their details (1 for identical ones).
    """
    if images is None:
        return copies_among(table, examine(table, progress))
    return copies_among(table, _of_decoded(images, progress))


def copies_among(
    table: ImageTable, seen: Examination, progress: Progress | None = None
) -> pd.DataFrame:
    """`copies`, from an examination of the table; `progress` wraps the comparison in tiles."""
    facts = seen.facts
    usable = facts["pixel_hash"].notna() & facts["blank"].ne("constant")
    same = pd.Series(pd.factorize(facts["pixel_hash"].where(usable))[0])  # -1: not usable
    firsts = same[same.ge(0)].drop_duplicates()
    rows = firsts.index.to_numpy()
    patients = pd.factorize(table.rows["patient"])[0] if table.patients_known else None
    found = near_copies(seen.details[rows], None if patients is None else patients[rows], progress)
    numbers = firsts.to_numpy()
    near = found.assign(first=numbers[found["first"]], second=numbers[found["second"]])
    pairs = pd.concat([_identical(same, facts["file_hash"]), _spread(_named(near), same)])
    pairs = pairs.astype({"first": np.int64, "second": np.int64, "turn": np.int64})
    if patients is not None:
        identical = pairs["kind"].isin(["bytes", "pixels"])
        pairs = pairs[identical | (patients[pairs["first"]] != patients[pairs["second"]])]
    return pairs.sort_values(["first", "second"], ignore_index=True)[COLUMNS]


def leaks(pairs: pd.DataFrame, split: pd.Series) -> pd.DataFrame:
    """The copies that stand on two sides of a split.

    Args:
        pairs: of `copies`. Look-alikes do not count.
        split: side of each of the n images, in the order of the table; missing on none.

    Returns:
        One row a pair, the surest first: `image` and `side`, `twin` and `twin_side` (the side that
        comes first: train before val before test, others by name), `kind`, `turn` and
        `correlation`. `drop_duplicates("image")` leaves each image's closest twin.
    """
    sides = split.to_numpy(dtype=object)
    names = sorted(pd.unique(split.dropna()), key=lambda side: (side not in SPLITS, str(side)))
    order = {side: place for place, side in enumerate(SPLITS)}
    rank = split.map({side: order.get(side, len(SPLITS) + names.index(side)) for side in names})
    held = rank.fillna(-1).to_numpy(dtype=np.int64)
    apart = pairs[pairs["kind"].isin(COPIES)]
    first, second = held[apart["first"]], held[apart["second"]]
    across = (first != second) & (first >= 0) & (second >= 0)
    apart, swap = apart[across], (first > second)[across]
    image = np.where(swap, apart["first"], apart["second"])
    twin = np.where(swap, apart["second"], apart["first"])
    table = apart.assign(image=image, twin=twin, side=sides[image], twin_side=sides[twin])
    return surest_first(table)[
        ["image", "side", "twin", "twin_side", "kind", "turn", "correlation"]
    ]


def surest_first(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs by kind in the order of `KINDS`, then by correlation."""
    places = pairs["kind"].map({kind: place for place, kind in enumerate(KINDS)})
    order = pairs.assign(place=places).sort_values(
        ["place", "correlation"], ascending=[True, False], kind="stable", ignore_index=True
    )
    return order.drop(columns="place")


def groups(pairs: pd.DataFrame, count: int, patients: pd.Series | None = None) -> np.ndarray:
    """Which images belong together: linked by a chain of copies, look-alikes, or one patient.

    Args:
        pairs: of `copies`.
        count: of images.
        patients: of each image, to be kept together as well.

    Returns:
        int (count,): number of each image's group, in the order in which they first occur.
    """
    first, second = pairs["first"].to_numpy(), pairs["second"].to_numpy()
    if patients is not None:
        numbers = pd.factorize(patients)[0]
        leaders = np.unique(numbers, return_index=True)[1]
        first = np.concatenate([first, np.arange(count)])
        second = np.concatenate([second, leaders[numbers]])
    links = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(count, count))
    labels = connected_components(links, directed=False)[1]
    return np.asarray(pd.factorize(labels)[0])


def leak_in_words(found: pd.DataFrame, split: pd.Series) -> str:
    """One sentence on the leaks of `leaks`, that names how many images of which side."""
    closest = found.drop_duplicates("image")
    parts = []
    for side, members in closest.groupby("side", sort=False):
        kinds = members["kind"].value_counts().reindex(list(COPIES)).dropna()
        named = ", ".join(f"{int(number):,} {KINDS[str(kind)]}" for kind, number in kinds.items())
        total = int(split.eq(side).sum())
        parts.append(f"{len(members):,} of {total:,} images of {side} ({named})")
    return f"{' and '.join(parts)} have a copy on another side"


def _identical(same: pd.Series, files: pd.Series) -> pd.DataFrame:
    """Pairs of rows with one pixel number; "bytes" where their files are the same too."""
    members = pd.DataFrame({"number": same, "row": same.index}).loc[same.ge(0)]
    place = members.groupby("number").cumcount()
    crowd = members[place < _CROWD]
    pairs = pd.concat(
        [crowd.merge(crowd, on="number"), members[place == 0].merge(members, on="number")]
    )
    pairs = pairs[pairs["row_x"] < pairs["row_y"]].drop_duplicates(["row_x", "row_y"])
    hashes = files.to_numpy(dtype=object)
    first, second = pairs["row_x"].to_numpy(), pairs["row_y"].to_numpy()
    same_file = (hashes[first] == hashes[second]) & files.notna().to_numpy()[first]
    kinds = np.where(same_file, "bytes", "pixels")
    return pd.DataFrame(
        {"first": first, "second": second, "kind": kinds, "turn": 0, "correlation": 1.0}
    )


def _named(near: pd.DataFrame) -> pd.DataFrame:
    """Give pairs of `near_copies` their kind."""
    sure = near["correlation"] >= SAME
    kind = np.select(
        [~sure, near["view"] == 1, near["turn"] > 0], ["alike", "cropped", "turned"], "near"
    )
    return near.assign(kind=kind)


def _spread(near: pd.DataFrame, same: pd.Series) -> pd.DataFrame:
    """From pairs of pixel numbers to pairs of rows: all images with the same pixels."""
    members = pd.DataFrame({"number": same, "row": same.index}).loc[same.ge(0)]
    members = members[members.groupby("number").cumcount() < _CROWD]
    rows = near.merge(members, left_on="first", right_on="number")
    rows = rows.merge(members, left_on="second", right_on="number", suffixes=("_a", "_b"))
    backwards = rows["row_a"] > rows["row_b"]
    first, second = rows[["row_a", "row_b"]].min(axis=1), rows[["row_a", "row_b"]].max(axis=1)
    turn = rows["turn"].where(~backwards, rows["turn"].map(_BACK))
    return rows.assign(first=first, second=second, turn=turn)


_BACK = {turn: {5: 6, 6: 5}.get(turn, turn) for turn in range(8)}  # the inverse positions


def _of_decoded(images: np.ndarray, progress: Progress | None) -> Examination:
    """As far as decoded pixels tell."""
    details = no_fingerprints(len(images))
    hashes, blank = [], []
    planes = progress(images, len(images)) if progress else images
    for number, image in enumerate(planes):
        hashes.append(hashlib.sha256(image.tobytes()).hexdigest())
        blank.append("constant" if image.min() == image.max() else "")
        pixels = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
        details[number] = fingerprint(pixels)
    facts = pd.DataFrame({"pixel_hash": hashes, "blank": blank, "file_hash": None})
    return Examination(facts, details)
