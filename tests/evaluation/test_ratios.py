from __future__ import annotations

import numpy as np

from medqnn.evaluation.ratios import average, ratio


def test_ratio_says_what_zero_denominators_give() -> None:
    result = ratio(np.array([1.0, 0.0, 3.0]), np.array([2.0, 0.0, 0.0]), undefined=-1.0)
    assert result.tolist() == [0.5, -1, -1]


def test_average_leaves_out_what_has_no_weight() -> None:
    values = np.array([[1.0, np.nan, 4.0], [1.0, 2.0, 3.0]])
    assert average(values, np.array([2, 0, 1])).tolist() == [2.0, 5 / 3]
    assert np.isnan(average(values, np.zeros((2, 3)))).all()
