from __future__ import annotations

import numpy as np

from medqnn.evaluation.repeated.holm import holm


def test_worked_example() -> None:
    # in order 0.005·4, 0.01·3, 0.03·2, 0.04·1, none below the one before
    corrected = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(corrected, [0.03, 0.06, 0.06, 0.02])


def test_tests_that_were_not_made_count_for_nothing() -> None:
    corrected = holm(np.array([np.nan, 0.01, 0.02, np.nan]))
    np.testing.assert_allclose(corrected, [np.nan, 0.02, 0.02, np.nan])
    assert np.isnan(holm(np.array([np.nan, np.nan]))).all()


def test_never_above_one() -> None:
    np.testing.assert_allclose(holm(np.array([0.9, 0.8])), [1, 1])
