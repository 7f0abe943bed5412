"""Ratios and averages that are defined where a denominator is zero."""

from __future__ import annotations

import numpy as np


def ratio(numerator: np.ndarray, denominator: np.ndarray, undefined: float = np.nan) -> np.ndarray:
    """Numerator over denominator, element by element; `undefined` where that is not positive."""
    result = np.full(numerator.shape, undefined)
    np.divide(numerator, denominator, out=result, where=denominator > 0)
    return result


def average(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean over the last axis.

    Args:
        values: (..., K) float; may be NaN where the weight is zero.
        weights: (..., K) not negative, broadcast against `values`.

    Returns:
        (...) float, NaN where all weights are zero.
    """
    weights = np.broadcast_to(weights, values.shape)
    weighed = np.where(weights > 0, values, 0.0) * weights
    return ratio(weighed.sum(axis=-1), weights.sum(axis=-1))
