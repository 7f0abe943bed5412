from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.weightstats import ttost_paired

from medqnn.errors import EvaluationError
from medqnn.evaluation.repeated.corrected_t import corrected_t
from medqnn.evaluation.repeated.equivalence import equivalence


@pytest.mark.parametrize("shift", [-0.03, -0.01, 0.0, 0.01, 0.03])
def test_agrees_with_statsmodels(shift: float) -> None:
    differences = np.random.default_rng(3).normal(shift, 0.02, (1, 8))
    given = equivalence(corrected_t(differences, 0.25), 0.02)
    p = ttost_paired(differences[0], np.zeros(8), -0.02, 0.02)[0]
    assert given.p == pytest.approx(p)
    assert given.equivalent == (p < 0.05)


@given(
    st.lists(st.floats(-0.05, 0.05), min_size=3, max_size=8),
    st.floats(0.001, 0.1),
)
def test_p_and_interval_say_the_same(values: list[float], margin: float) -> None:
    test = corrected_t(np.array(values)[:, None], 0.25)
    given = equivalence(test, margin)
    if np.isnan(test.p):
        assert not given.equivalent
        assert np.isnan(given.p)
        return
    inside = -margin < given.low and given.high < margin
    assert given.equivalent == inside or given.p == pytest.approx(0.05)
    assert test.low <= given.low <= given.high <= test.high  # 90 % within 95 %


def test_standard_error_is_the_corrected_one() -> None:
    # mean 0.03, se 0.0106066, df 4 (see test_corrected_t): t = (0.03 − 0.05)/se
    test = corrected_t(np.array([[0.02], [0.04], [0.01], [0.03], [0.05]]), 0.25)
    assert equivalence(test, 0.05).p == pytest.approx(0.066207, abs=5e-6)


def test_runs_that_never_differ_are_equivalent() -> None:
    given = equivalence(corrected_t(np.zeros((2, 3)), 0.5), 0.01)
    assert (given.p, given.low, given.high, given.equivalent) == (0, 0, 0, True)


def test_one_run_shows_nothing() -> None:
    assert not equivalence(corrected_t(np.array([[0.0]]), 0.5), 0.01).equivalent


@pytest.mark.parametrize("margin", [0.0, -0.02, np.nan])
def test_refuses_margin(margin: float) -> None:
    with pytest.raises(EvaluationError, match="margin="):
        equivalence(corrected_t(np.zeros((2, 3)), 0.5), margin)
