"""Pairs of images that show the same, found without comparing all pairs of pixels.

Three steps, each on what the one before leaves, in tiles so that memory stays bounded:

1. *Screen* all pairs by one matrix product of 144 numbers an image that do not change when an image
   is mirrored or turned, and never lie farther apart than the bands of two images in their best
   position. So step 1 loses no pair that step 2 would keep.
2. *Orient*: the correlation of the bands in all 8 positions.
3. *Confirm*: the correlation of the details, 64×64 pixels, in the positions that are left.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from medqnn.data.cache import Progress
from medqnn.data.fingerprints import BAND, TURNS, VIEWS, Fingerprints, turned

BAND_CORRELATION = 0.80  # on the sets of docs/audit.md all pairs above ALIKE have 0.81 or more
ALIKE = 0.84  # detail: no two patients' slices of Cheng 2015 reach it
SAME = 0.96  # detail: no neighbouring slices 1 mm apart reach it
_TILE = 2048  # images a side
_BATCH = 1024  # pairs whose details are compared at once
_COLUMNS = ("first", "second", "turn", "view", "correlation")

_ROWS, _COLS = np.indices((BAND, BAND))
# What mirroring left to right, top to bottom, and both do to each coefficient.
_SIGNS = np.stack(
    [(-1.0) ** (_COLS * (flip & 1) + _ROWS * (flip >> 1)) for flip in range(4)], axis=-1
).reshape(-1, 4)


def near_copies(
    prints: Fingerprints, patients: np.ndarray | None = None, progress: Progress | None = None
) -> pd.DataFrame:
    """Pairs whose detail correlates by at least `ALIKE`, mirrored and turned ones included.

    Args:
        prints: of n images.
        patients: int (n,), if they are known: pairs of one patient are then passed over, since
            slices 1 mm apart are all but the same.
        progress: wraps the iteration over tiles, called with an iterable and its length.

    Returns:
        One row a pair, by its best position, the whole view preferred where that reaches `SAME`:
        `first` < `second` (numbers of images), `turn` (index of `TURNS`: the second, so turned,
        looks like the first), `view` (index of `VIEWS`) and `correlation` (of the details, float
        in [0.84, 1]).
    """
    count = len(prints.bands)
    starts = range(0, count, _TILE)
    tiles = [(top, left) for top in starts for left in starts if top <= left]
    found = [np.zeros((0, len(_COLUMNS)))]
    lengths = _lengths(prints.details)
    keys = [invariants(prints.bands[:, view]) for view in range(len(VIEWS))]
    for top, left in progress(tiles, len(tiles)) if progress else tiles:
        for view, key in enumerate(keys):
            pairs = _screened(key, top, left, patients)
            found += _confirmed(prints, lengths, view, pairs)
    table = pd.DataFrame(np.concatenate(found), columns=_COLUMNS).astype(
        {"first": np.int64, "second": np.int64, "turn": np.int64, "view": np.int64}
    )
    table["plain"] = table["view"].eq(0) & table["correlation"].ge(SAME)
    order = ["first", "second", "plain", "correlation", "turn"]
    table = table.sort_values(order, ascending=[True, True, False, False, True])
    table = table.drop_duplicates(["first", "second"], ignore_index=True)
    return table.drop(columns="plain")


def invariants(bands: np.ndarray) -> np.ndarray:
    """Numbers that mirroring and turning leave as they are.

    A flip changes the signs of the odd coefficients of its axis, a transposition swaps a_ij and
    a_ji. So a_ij + a_ji stays if i and j are even; else sums and differences stay up to their sign,
    and where one is odd, the larger and the smaller of |a_ij| and |a_ji| stay. Norms stay, and no
    distance grows.

    Args:
        bands: float32 (n, 12, 12).

    Returns:
        float32 (n, 144).
    """
    i, j = np.triu_indices(BAND, 1)
    upper, lower = bands[:, i, j], bands[:, j, i]
    total, difference = (upper + lower) / np.sqrt(2), np.abs(upper - lower) / np.sqrt(2)
    even, mixed = (i % 2 == 0) & (j % 2 == 0), (i + j) % 2 == 1
    high = np.maximum(np.abs(upper), np.abs(lower))
    low = np.minimum(np.abs(upper), np.abs(lower))
    one = np.where(mixed, high, np.where(even, total, np.abs(total)))
    diagonal = np.diagonal(bands, axis1=1, axis2=2)
    diagonal = np.where(np.arange(BAND) % 2 == 0, diagonal, np.abs(diagonal))
    parts = [one, np.where(mixed, low, difference), diagonal]
    return np.concatenate(parts, axis=1, dtype=np.float32)


def _screened(
    key: np.ndarray, top: int, left: int, patients: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs first < second of a tile that may have bands alike."""
    close = key[top : top + _TILE] @ key[left : left + _TILE].T > BAND_CORRELATION - 1e-4
    first, second = np.nonzero(close)
    first, second = first + top, second + left
    kept = first < second
    if patients is not None:
        kept &= patients[first] != patients[second]
    return first[kept], second[kept]


def _confirmed(
    prints: Fingerprints,
    lengths: np.ndarray,
    view: int,
    pairs: tuple[np.ndarray, np.ndarray],
) -> Iterator[np.ndarray]:
    """Rows of `_COLUMNS` of the pairs whose bands and details are alike."""
    bands, details = prints.bands[:, view], prints.details[:, view]
    for start in range(0, len(pairs[0]), 16 * _BATCH):
        first, second = (side[start : start + 16 * _BATCH] for side in pairs)
        which, turns = np.nonzero(_orientations(bands[first], bands[second]) >= BAND_CORRELATION)
        for turn in range(len(TURNS)):
            mine = which[turns == turn]
            for batch in range(0, len(mine), _BATCH):
                a, b = (side[mine[batch : batch + _BATCH]] for side in (first, second))
                alike = _dot(details[a], turned(details[b], turn))
                alike /= np.maximum(lengths[a, view] * lengths[b, view], 1)
                rows = np.stack([a, b, np.full(len(a), turn), np.full(len(a), view), alike], axis=1)
                yield rows[alike >= ALIKE]


def _orientations(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlations of bands (m, 12, 12) in the 8 positions of the second: (m, 8)."""
    upright = (first * second).reshape(len(first), -1) @ _SIGNS
    swapped = (first * second.swapaxes(1, 2)).reshape(len(first), -1) @ _SIGNS
    return np.concatenate([upright, swapped], axis=1)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Inner products of pairs of details int8 (m, 64, 64): float32 (m,)."""
    return np.einsum("nij,nij->n", a.astype(np.float32), b.astype(np.float32))


def _lengths(details: np.ndarray) -> np.ndarray:
    """Norms of the details: float32 (n, 2)."""
    return np.array(
        [np.linalg.norm(image.astype(np.float32), axis=(1, 2)) for image in details]
    ).reshape(-1, len(VIEWS))
