"""Pairs of images that show the same, found without comparing all pairs of pixels.

Of each detail, the *band* is the coefficients of its cosine transform at frequencies from 8 to 24:
coarser ones all brains of a registered set share, finer ones are lost in re-encoding. Three steps,
each on what the one before leaves, in tiles so that memory stays bounded:

1. *Screen* all pairs by one matrix product of numbers made of the band that do not change when an
   image is mirrored or turned, and never lie farther apart than the bands of two images in their
   best position. So step 1 loses no pair that step 2 would keep.
2. *Orient*: the correlation of the bands in all 8 positions; flips only change signs there.
3. *Confirm*: the correlation of the details, 64×64 pixels, in the positions that are left.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.fft import dct

from medqnn.data.auditing.fingerprints import SIDE, TURNS, VIEWS, turned
from medqnn.data.cache import Progress

BAND_CORRELATION = 0.80  # 999 of 1,000 pairs with details alike have more: see docs/audit.md
ALIKE = 0.84  # detail: no slices of two patients of Cheng 2015 reach it
SAME = 0.96  # detail: no neighbouring slices 1 mm apart reach it
_LOWEST, _HIGHEST = 8, 24  # frequencies of the band, in half waves a side
_TILE = 2048  # images a side
_BATCH = 1024  # pairs whose details are compared at once
_COLUMNS = ("first", "second", "turn", "view", "correlation")

_BASIS = dct(np.eye(SIDE, dtype=np.float32), axis=0, norm="ortho")[:_HIGHEST]
_ROWS, _COLS = np.indices((_HIGHEST, _HIGHEST))
_IN_BAND = (np.hypot(_ROWS, _COLS) >= _LOWEST) & (np.hypot(_ROWS, _COLS) < _HIGHEST)
# What mirroring left to right, top to bottom, and both do to each coefficient.
_SIGNS = (
    np.stack([(-1.0) ** (_COLS * (flip & 1) + _ROWS * (flip >> 1)) for flip in range(4)], axis=-1)
    .reshape(-1, 4)
    .astype(np.float32)
)


def near_copies(
    details: np.ndarray, patients: np.ndarray | None = None, progress: Progress | None = None
) -> pd.DataFrame:
    """Pairs whose detail correlates by at least `ALIKE`, mirrored and turned ones included.

    Args:
        details: int8 (n, 2, 64, 64), of `fingerprint`.
        patients: int (n,), if they are known: pairs of one patient are then passed over, since
            slices 1 mm apart are all but the same.
        progress: wraps the iteration over tiles, called with an iterable and its length.

    Returns:
        One row a pair, by its best position, the whole view preferred where that reaches `SAME`:
        `first` < `second` (numbers of images), `turn` (index of `TURNS`: the second, so turned,
        looks like the first), `view` (index of `VIEWS`) and `correlation` (of the details, float
        in [0.84, 1]).
    """
    starts = range(0, len(details), _TILE)
    tiles = [(top, left) for top in starts for left in starts if top <= left]
    found = [np.zeros((0, len(_COLUMNS)))]
    views = [_View.of(details[:, view]) for view in range(len(VIEWS))]
    for top, left in progress(tiles, len(tiles)) if progress else tiles:
        for number, view in enumerate(views):
            pairs = _screened(view.key, top, left, patients)
            found += (_rows(number, *match) for match in _confirmed(view, *pairs))
    table = pd.DataFrame(np.concatenate(found), columns=_COLUMNS).astype(
        {"first": np.int64, "second": np.int64, "turn": np.int64, "view": np.int64}
    )
    table["plain"] = table["view"].eq(0) & table["correlation"].ge(SAME)
    order = ["first", "second", "plain", "correlation", "turn"]
    table = table.sort_values(order, ascending=[True, True, False, False, True])
    table = table.drop_duplicates(["first", "second"], ignore_index=True)
    return table.drop(columns="plain")


def bands(details: np.ndarray) -> np.ndarray:
    """Bands of details (n, 64, 64): float32 (n, 24, 24), of norm 1, zeros out of the band."""
    result = np.zeros((len(details), _HIGHEST, _HIGHEST), dtype=np.float32)
    for start in range(0, len(details), _BATCH):
        batch = details[start : start + _BATCH].astype(np.float32)
        result[start : start + _BATCH] = _BASIS @ batch @ _BASIS.T * _IN_BAND
    norms = np.linalg.norm(result, axis=(1, 2), keepdims=True)
    return result / np.where(norms > 1, norms, np.inf)  # 1 is the smallest step of one pixel


def invariants(bands: np.ndarray) -> np.ndarray:
    """Numbers that mirroring and turning leave as they are.

    A flip changes the signs of the odd coefficients of its axis, a transposition swaps a_ij and
    a_ji. So a_ij + a_ji stays if i and j are even; else sums and differences stay up to their sign,
    and where one is odd, the larger and the smaller of |a_ij| and |a_ji| stay. Norms stay, and no
    distance grows.

    Args:
        bands: float32 (n, 24, 24).

    Returns:
        float32 (n, 415).
    """
    i, j = np.nonzero(np.triu(_IN_BAND, 1))
    upper, lower = bands[:, i, j], bands[:, j, i]
    total, difference = (upper + lower) / np.sqrt(2), np.abs(upper - lower) / np.sqrt(2)
    even, mixed = (i % 2 == 0) & (j % 2 == 0), (i + j) % 2 == 1
    high = np.maximum(np.abs(upper), np.abs(lower))
    low = np.minimum(np.abs(upper), np.abs(lower))
    one = np.where(mixed, high, np.where(even, total, np.abs(total)))
    middle = np.flatnonzero(np.diagonal(_IN_BAND))
    diagonal = bands[:, middle, middle]
    diagonal = np.where(middle % 2 == 0, diagonal, np.abs(diagonal))
    parts = [one, np.where(mixed, low, difference), diagonal]
    return np.concatenate(parts, axis=1, dtype=np.float32)


class _View(NamedTuple):
    """One view of all images: details, their norms, bands and invariants of these."""

    details: np.ndarray
    norms: np.ndarray
    bands: np.ndarray
    key: np.ndarray

    @classmethod
    def of(cls, details: np.ndarray) -> _View:
        norms = [np.linalg.norm(detail.astype(np.float32)) for detail in details]
        of_view = bands(details)
        return cls(details, np.array(norms), of_view, invariants(of_view))


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
    view: _View, firsts: np.ndarray, seconds: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, int, np.ndarray]]:
    """First, second, turn and correlation of the pairs whose bands and details are alike."""
    for start in range(0, len(firsts), 16 * _BATCH):
        first, second = (side[start : start + 16 * _BATCH] for side in (firsts, seconds))
        alike = _orientations(view.bands[first], view.bands[second]) >= BAND_CORRELATION
        for turn in range(len(TURNS)):
            mine = np.flatnonzero(alike[:, turn])
            for batch in range(0, len(mine), _BATCH):
                a, b = (side[mine[batch : batch + _BATCH]] for side in (first, second))
                product = _dot(view.details[a], turned(view.details[b], turn))
                correlation = product / (view.norms[a] * view.norms[b])
                kept = correlation >= ALIKE
                yield a[kept], b[kept], turn, correlation[kept]


def _rows(
    view: int, first: np.ndarray, second: np.ndarray, turn: int, correlation: np.ndarray
) -> np.ndarray:
    """As rows of `_COLUMNS`."""
    constant = np.ones(len(first))
    return np.stack([first, second, turn * constant, view * constant, correlation], axis=1)


def _orientations(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlations of bands (m, 24, 24) in the 8 positions of the second: (m, 8)."""
    upright = (first * second).reshape(len(first), -1) @ _SIGNS
    swapped = (first * second.swapaxes(1, 2)).reshape(len(first), -1) @ _SIGNS
    return np.concatenate([upright, swapped], axis=1)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Inner products of pairs of details int8 (m, 64, 64): float32 (m,)."""
    return np.einsum("nij,nij->n", a.astype(np.float32), b.astype(np.float32))
