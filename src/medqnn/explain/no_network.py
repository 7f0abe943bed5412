"""Maps that no network made: what a score is worth is seen beside theirs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medqnn.training.inputs import Inputs
from medqnn.training.sampling import draws

NO_NETWORK = "no network"
FLAT, RANDOM, USUAL = "flat", "random", "usual place"


def usual_place(inputs: Inputs) -> np.ndarray | None:
    """Where tumours lie in training: the mean of the masks, divided by its maximum.

    Returns:
        float32 (H, W) in [0, 1]; None if no training image shows a tumour.
    """
    masks = inputs.decoded.masks[inputs.rows("train")]
    mean = masks.mean(axis=0, dtype=np.float64) if len(masks) else np.zeros(1)
    return (mean / mean.max()).astype(np.float32) if mean.max() > 0 else None


def blind_maps(
    usual: np.ndarray | None, ids: Sequence[str], side: int, seed: int
) -> dict[str, np.ndarray]:
    """Maps of images that never looked at them, by name, float32 (n, side, side) in [0, 1].

    Args:
        usual: As `usual_place` gives it.
        ids: Of the n images; with the seed they decide the random maps.
        side: Of the images.
        seed: Of the random maps.

    Returns:
        "flat", 1 everywhere; "random", even noise; "usual place", the same for every image, if
        there is one.
    """
    shape = (side, side)
    noise = [one.random(shape, dtype=np.float32) for one in draws("random map", ids, seed)]
    maps = {FLAT: np.ones((len(ids), *shape), np.float32), RANDOM: np.stack(noise)}
    if usual is not None:
        maps[USUAL] = np.broadcast_to(usual, (len(ids), *shape))
    return maps
