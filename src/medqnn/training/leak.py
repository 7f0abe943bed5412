"""No training on a split whose sides share images, unless the user insists."""

from __future__ import annotations

import os
from contextlib import suppress

import pandas as pd

from medqnn.data.auditing.copies import COLUMNS, copies, leak_in_words, leaks
from medqnn.data.cache import Progress
from medqnn.data.code_hash import code_hash
from medqnn.errors import DataError
from medqnn.places import cache_folder
from medqnn.training.inputs import Inputs

TYPES = {"first": int, "second": int, "kind": str, "turn": int, "correlation": float}
LEAST_SIDE = 64  # pixels: smaller ones show too little to tell copies from look-alikes


def check_leak(inputs: Inputs, allowed: bool, progress: Progress | None = None) -> str | None:
    """Look for images that stand on two sides of the split, as copies of each other.

    Args:
        inputs: The data, split and decoded. A synthetic set, made image by image, is not searched.
        allowed: Whether to go on with a leak.
        progress: Wraps the search.

    Returns:
        The leak in words; None if there is none.

    Raises:
        DataError: If there is one, and it is not allowed.
    """
    if inputs.table.synthetic:
        return None
    found = leaks(find_copies(inputs, progress), inputs.split)
    if found.empty:
        return None
    words = leak_in_words(found, inputs.split)
    if not allowed:
        raise DataError(
            f"the split of {inputs.table.name} leaks: {words}. Keep copies together with "
            "`medqnn data split`, whose file --split takes; or train all the same with "
            "--allow-leak, which marks the run and its report"
        )
    return words


def find_copies(inputs: Inputs, progress: Progress | None) -> pd.DataFrame:
    """The set's copies, searched for once and then kept beside the decoded images."""
    state = f"{inputs.decoded.fingerprint}-{code_hash(copies)[:16]}"
    path = cache_folder() / f"{state}.copies.csv"
    if path.is_file():
        return pd.read_csv(path, dtype=TYPES)
    images = inputs.decoded.images
    enough = images.shape[-1] >= LEAST_SIDE
    pairs = copies(inputs.table, images if enough else None, progress)[COLUMNS]
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):  # on a full disk the next run searches again
        pairs.to_csv(partial, index=False)
        partial.replace(path)
    return pairs
