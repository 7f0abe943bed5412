"""Whether attention lies on the tumour: Jaccard index and signed-rank test (HQCM-EBTC, Table 2).

Images of one patient are not independent. `wilcoxon` takes them as if they were, as the paper does;
`wilcoxon_by_patient` tests the means of the patients, which are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from medqnn.errors import EvaluationError
from medqnn.evaluation.intervals import cluster_bootstrap

LEVELS = (0.99, 0.90, 0.75)  # τ of the paper's Table 2


def jaccard(
    attention: np.ndarray,
    masks: np.ndarray,
    thresholds: Sequence[float] = LEVELS,
    quantiles: Sequence[float] = LEVELS,
) -> pd.DataFrame:
    """Jaccard index |R ∩ M| / |R ∪ M| of the attended region R and the mask M of each image.

    R is where the map is at least τ: either τ itself, or the τ-quantile of that map, since a
    map that never reaches 0.99 has an empty region at τ = 0.99 however well it points. Two empty
    regions have index 1, an empty one and another 0.

    Args:
        attention: (n, H, W) float in [0, 1], at the resolution of the masks.
        masks: (n, H, W) bool.
        thresholds: values of τ as a level of the map.
        quantiles: values of τ as a quantile of the map.

    Returns:
        n rows; columns "jaccard@0.99" … for thresholds, "jaccard@q0.99" … for quantiles.

    Raises:
        EvaluationError: if shapes, dtype or values are not as said.
    """
    _check_maps(attention, masks)
    columns = [f"jaccard@{_digits(t)}" for t in thresholds]
    columns += [f"jaccard@q{_digits(q)}" for q in quantiles]
    rows = [
        [_overlap(image >= level, mask) for level in [*thresholds, *np.quantile(image, quantiles)]]
        for image, mask in zip(attention, masks, strict=True)
    ]
    return pd.DataFrame(rows, columns=columns, dtype=np.float64)


def jaccard_summary(
    indices: pd.DataFrame,
    patients: np.ndarray,
    tumour: np.ndarray,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Mean Jaccard index over the images that show a tumour, with intervals over patients.

    Args:
        indices: n rows, as `jaccard` returns them.
        patients: (n,) the patient of each image.
        tumour: (n,) bool, the mask is not empty.
        resamples: how often patients are drawn.
        level: coverage aimed at.
        seed: of the draws.

    Returns:
        One row a column of `indices`; columns estimate (the mean), low, high.

    Raises:
        EvaluationError: if no image shows a tumour.
    """
    patients, tumour = np.asarray(patients), np.asarray(tumour, dtype=bool)
    if not tumour.any():
        raise EvaluationError(
            "no image has a tumour in its mask: the mean Jaccard index needs at least one"
        )
    values = indices.to_numpy()[tumour]

    def mean(weights: np.ndarray) -> pd.DataFrame:
        means = weights @ values / weights.sum(axis=1, keepdims=True)
        return pd.DataFrame(means, columns=indices.columns)

    return cluster_bootstrap(mean, patients[tumour], resamples, level, seed)


class SignedRank(NamedTuple):
    """Wilcoxon's signed-rank test of paired values.

    Attributes:
        statistic: the smaller of the rank sums of positive and negative differences.
        p: two-sided.
        n: pairs given.
        zeros: pairs without a difference, which the test leaves out.
        median_difference: median of a − b over all pairs.
    """

    statistic: float
    p: float
    n: int
    zeros: int
    median_difference: float


def wilcoxon(a: np.ndarray, b: np.ndarray) -> SignedRank:
    """Signed-rank test between two models' values on the same images (the paper's test).

    Pairs without a difference are left out (Wilcoxon 1945); if all are, p = 1.

    Args:
        a: (n,) finite float.
        b: (n,) finite float, in the same order.

    Raises:
        EvaluationError: if the values cannot be paired or are not finite.
    """
    a, b = _paired(a, b)
    difference = a - b
    median, moved = float(np.median(difference)), difference[difference != 0]
    if not moved.size:
        return SignedRank(0.0, 1.0, a.size, a.size, median)
    test = stats.wilcoxon(moved)
    return SignedRank(
        float(test.statistic), float(test.pvalue), a.size, a.size - moved.size, median
    )


def wilcoxon_by_patient(a: np.ndarray, b: np.ndarray, patients: np.ndarray) -> SignedRank:
    """Signed-rank test between the means of each patient's images: n counts patients.

    Args:
        a: (n,) finite float.
        b: (n,) finite float, in the same order.
        patients: (n,) the patient of each image.

    Raises:
        EvaluationError: if the values cannot be paired or are not finite.
    """
    a, b = _paired(a, b)
    if len(patients) != len(a):
        raise EvaluationError(
            f"{len(patients)} patients for {len(a)} images: name the patient of each image"
        )
    means = pd.DataFrame({"a": a, "b": b}).groupby(np.asarray(patients)).mean()
    return wilcoxon(means["a"].to_numpy(), means["b"].to_numpy())


def _paired(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    paired = a.shape == b.shape and a.ndim == 1 and a.size > 0
    if not paired or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise EvaluationError(
            f"values of shapes {a.shape} and {b.shape} to pair: "
            "give two finite values for each image, and at least one image"
        )
    return a, b


def _digits(level: float) -> str:
    """Two decimals at least (0.90), more if the level has more (0.995)."""
    return max(f"{level:.2f}", f"{level:g}", key=len)


def _overlap(region: np.ndarray, mask: np.ndarray) -> float:
    union = np.count_nonzero(region | mask)
    return np.count_nonzero(region & mask) / union if union else 1.0


def _check_maps(attention: np.ndarray, masks: np.ndarray) -> None:
    if attention.ndim != 3 or attention.shape != masks.shape or not attention.size:
        raise EvaluationError(
            f"attention has shape {attention.shape} and masks {masks.shape}: expected the same "
            "(images, height, width) for both; resize the maps to the masks"
        )
    if masks.dtype != np.bool_:
        raise EvaluationError(f"masks are {masks.dtype}, expected bool: give masks > 0")
    if not (attention.min() >= 0 and attention.max() <= 1):  # NaN fails too
        raise EvaluationError(
            f"attention ranges from {attention.min()} to {attention.max()}: "
            "expected finite values in [0, 1], as a sigmoid gives"
        )
