"""How well a map of relevance points at what a mask marks, image by image.

The Jaccard and Dice indices need a level; the other scores do not. A map that says nothing, the
same everywhere, gets the mask's share of the image in each of pointing, energy and average
precision, so that share stands beside them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from medqnn.errors import EvaluationError
from medqnn.evaluation.localisation import LEVELS, jaccard


def pointing(
    maps: np.ndarray,
    masks: np.ndarray,
    thresholds: Sequence[float] = LEVELS,
    quantiles: Sequence[float] = LEVELS,
) -> pd.DataFrame:
    """Score each map against the mask M of its image.

    Args:
        maps: (n, H, W) float in [0, 1], at the resolution of the masks.
        masks: (n, H, W) bool; each marks something.
        thresholds: levels of a map, as for `localisation.jaccard`.
        quantiles: levels as quantiles of a map.

    Returns:
        n rows, values from 0 to 1. Columns:
        "jaccard@…" of `localisation.jaccard`, and "dice@…" of the same regions R: 2|R ∩ M| / (|R| +
        |M|);
        "best_dice", the highest Dice index over all levels of the map, chosen knowing the mask;
        "pointing", whether the map's maximum lies in the mask, of several the share that does
        (pointing game, Zhang et al. 2018, doi:10.1007/s11263-017-1059-x);
        "energy", the share of the map's sum that lies in the mask (Wang et al. 2020,
        arXiv:1910.01279, their energy-based pointing game);
        "average_precision" over all levels, Σ (R_k - R_{k-1}) P_k with precision P_k and recall
        R_k of the pixels at the k-th highest level or above;
        "mask_share", the share of the image that the mask takes.

    Raises:
        EvaluationError: if shapes, dtype or values are not as said, or a mask is empty.
    """
    table = jaccard(maps, masks, thresholds, quantiles)
    if not masks.any(axis=(1, 2)).all():
        raise EvaluationError(
            "a mask is empty: leave out images without a tumour, at which no map can point"
        )
    dice = (2 * table / (1 + table)).rename(columns=lambda name: name.replace("jaccard", "dice"))
    rows = [_of_all_levels(*pair) for pair in zip(maps, masks, strict=True)]
    return pd.concat([table, dice, pd.DataFrame(rows)], axis=1)


def _of_all_levels(image: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """The scores of one image that need no level."""
    order = np.argsort(-image, axis=None, kind="stable")
    values, inside = image.ravel()[order], mask.ravel()[order]
    ends = np.append(np.flatnonzero(np.diff(values)), values.size - 1)  # of pixels alike
    taken, hits = ends + 1, np.cumsum(inside)[ends]
    precision, recall = hits / taken, hits / hits[-1]
    share, whole = float(mask.mean()), image.sum(dtype=np.float64)
    return {
        "best_dice": float((2 * hits / (taken + hits[-1])).max()),
        "pointing": float(precision[0]),
        "energy": float(image.sum(where=mask, dtype=np.float64) / whole) if whole else share,
        "average_precision": float(np.diff(recall, prepend=0.0) @ precision),
        "mask_share": share,
    }
