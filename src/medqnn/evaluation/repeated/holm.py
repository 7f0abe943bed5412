"""Holm's correction for testing several hypotheses at once (Holm 1979)."""

from __future__ import annotations

import numpy as np


def holm(p: np.ndarray) -> np.ndarray:
    """Corrected p-values: those below α are false with a probability of α at most, over all.

    Args:
        p: (n,) in [0, 1]; NaN for a test that could not be made, which then counts for nothing.

    Returns:
        (n,) in [0, 1], each at least as large as the one given; NaN stays NaN.
    """
    from statsmodels.stats.multitest import multipletests  # takes a second to import

    corrected = np.full(len(p), np.nan)
    made = np.isfinite(p)
    if made.any():
        corrected[made] = multipletests(p[made], method="holm")[1]
    return corrected
