"""What is drawn at random from a finished run: which images, and one generator for each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from medqnn.training.trained import Trained

Draws = Sequence[np.random.Generator]


def draws(name: str, ids: Sequence[str], seed: int) -> list[np.random.Generator]:
    """One generator an image, of a name (of what is drawn), the image's id and the seed alone."""
    texts = (repr((seed, name, str(one))).encode() for one in ids)
    return [
        np.random.default_rng(int.from_bytes(hashlib.sha256(text).digest(), "big"))
        for text in texts
    ]


def chosen_rows(trained: Trained, images: int | None, seed: int) -> np.ndarray:
    """Rows of the test part, int64, in order; of ``images`` at most, evenly over the classes."""
    return evenly(trained.inputs.rows("test"), trained.inputs.labels, images, seed)


def evenly(rows: np.ndarray, labels: np.ndarray, images: int | None, seed: int) -> np.ndarray:
    """So many of the rows, in order, evenly over the classes; all of them if there are no more.

    Of findings that may occur together, an even draw over images.

    Args:
        rows: int64, in order.
        labels: As ``training.inputs.Inputs.labels``, of all rows of the table.
        images: How many; None for all.
        seed: Of the draw.
    """
    if images is None or images >= len(rows):
        return rows
    mixed = np.random.default_rng(seed).permutation(rows)
    if labels.ndim == 2:
        return np.sort(mixed[:images])
    turn = np.empty(len(mixed), dtype=np.int64)  # the first of each class, then the second …
    for label in np.unique(labels[mixed]):
        own = labels[mixed] == label
        turn[own] = np.arange(own.sum())
    return np.sort(mixed[np.argsort(turn, kind="stable")[:images]])
