from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from medqnn.errors import EvaluationError
from medqnn.evaluation.localisation import jaccard, jaccard_summary, wilcoxon, wilcoxon_by_patient

maps = hnp.arrays(np.float32, (2, 3, 4), elements=st.floats(0, 1, width=32))
masks = hnp.arrays(np.bool_, (2, 3, 4))


def set_jaccard(image: np.ndarray, mask: np.ndarray, level: float) -> float:
    region = {i for i, value in np.ndenumerate(image) if value >= level}
    tumour = {i for i, inside in np.ndenumerate(mask) if inside}
    return len(region & tumour) / len(region | tumour) if region | tumour else 1.0


@given(maps, masks, st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))
def test_agrees_with_sets(attention: np.ndarray, mask: np.ndarray, level: float) -> None:
    table = jaccard(attention, mask, thresholds=(level,), quantiles=(level,))
    for i in range(2):
        values = sorted(attention[i].ravel().astype(float))
        place = level * (len(values) - 1)
        below, share = values[int(place)], place - int(place)
        above = values[min(int(place) + 1, 11)]
        quantile = below + share * (above - below)
        expected = set_jaccard(attention[i], mask[i], level)
        assert table.iloc[i, 0] == pytest.approx(expected)
        if not np.isclose(values, quantile, rtol=1e-5, atol=0).any() or share == 0:
            assert table.iloc[i, 1] == pytest.approx(set_jaccard(attention[i], mask[i], quantile))


def test_worked_example() -> None:
    attention = np.linspace(0, 0.9, 100).reshape(1, 10, 10)
    mask = np.zeros((1, 10, 10), dtype=bool)
    mask[0, 9] = True  # the ten highest values
    table = jaccard(attention, mask)
    assert list(table) == [
        "jaccard@0.99",
        "jaccard@0.90",
        "jaccard@0.75",
        "jaccard@q0.99",
        "jaccard@q0.90",
        "jaccard@q0.75",
    ]
    # Level 0.99 is never reached, 0.90 by one pixel, 0.75 by 17; quantiles take 1, 10 and 25.
    assert table.iloc[0].to_list() == pytest.approx([0, 0.1, 10 / 17, 0.1, 1, 10 / 25])


def test_empty_regions_and_masks() -> None:
    low = np.full((2, 4, 4), 0.1)
    mask = np.zeros((2, 4, 4), dtype=bool)
    mask[1, 0, 0] = True
    assert jaccard(low, mask, (0.9,), ())["jaccard@0.90"].to_list() == [1, 0]


def test_column_names_keep_every_digit() -> None:
    table = jaccard(np.zeros((1, 2, 2)), np.zeros((1, 2, 2), dtype=bool), (0.995,), (0.5,))
    assert list(table) == ["jaccard@0.995", "jaccard@q0.50"]


@pytest.mark.parametrize(
    ("attention", "mask", "message"),
    [
        (np.zeros((1, 4, 4)), np.zeros((1, 2, 2), dtype=bool), "resize the maps"),
        (np.zeros((4, 4)), np.zeros((4, 4), dtype=bool), "images, height, width"),
        (np.zeros((0, 4, 4)), np.zeros((0, 4, 4), dtype=bool), "images, height, width"),
        (np.zeros((1, 4, 4)), np.zeros((1, 4, 4)), "expected bool"),
        (np.full((1, 4, 4), 1.1), np.zeros((1, 4, 4), dtype=bool), r"in \[0, 1\]"),
        (np.full((1, 4, 4), np.nan), np.zeros((1, 4, 4), dtype=bool), "finite"),
    ],
)
def test_refuses_maps(attention: np.ndarray, mask: np.ndarray, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        jaccard(attention, mask)


def test_summary_is_over_tumours_and_by_patient() -> None:
    rng = np.random.default_rng(0)
    attention, mask = rng.random((60, 8, 8)), rng.random((60, 8, 8)) > 0.7
    mask[::3] = False
    patients, tumour = np.repeat(np.arange(12), 5), mask.any(axis=(1, 2))
    table = jaccard(attention, mask)
    summary = jaccard_summary(table, patients, tumour, resamples=80, seed=2)
    np.testing.assert_allclose(summary["estimate"], table[tumour].mean())
    draws = np.random.default_rng(2).multinomial(12, [1 / 12] * 12, size=80)
    means = [np.repeat(table[tumour].to_numpy(), row[patients[tumour]], 0).mean(0) for row in draws]
    np.testing.assert_allclose(
        summary[["low", "high"]].to_numpy().T, np.percentile(means, [2.5, 97.5], axis=0)
    )
    with pytest.raises(EvaluationError, match="no image has a tumour"):
        jaccard_summary(table, patients, np.zeros(60, dtype=bool))


def all_signs_p(difference: np.ndarray) -> float:
    """Exact two-sided p-value: every way to sign the ranks."""
    ranks = stats.rankdata(np.abs(difference))
    observed = ranks[difference > 0].sum()
    sums = [ranks[np.array(s)].sum() for s in product([False, True], repeat=len(ranks))]
    tails = (np.mean(np.array(sums) <= observed), np.mean(np.array(sums) >= observed))
    return float(min(1.0, 2 * min(tails)))


def test_wilcoxon_is_exact_on_few_images() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random(9) + 0.2, rng.random(9)
    given = wilcoxon(a, b)
    assert given.p == pytest.approx(all_signs_p(a - b))
    assert (given.n, given.zeros) == (9, 0)
    assert given.median_difference == pytest.approx(np.median(a - b))
    ranks = stats.rankdata(np.abs(a - b))
    assert given.statistic == pytest.approx(min(ranks[a > b].sum(), ranks[a < b].sum()))


def test_wilcoxon_leaves_zero_differences_out() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.random(200), rng.random(200) + 0.1
    padded = wilcoxon(np.append(a, [0.0, 1.0, 0.5]), np.append(b, [0.0, 1.0, 0.5]))
    assert padded[:2] == wilcoxon(a, b)[:2]
    assert (padded.n, padded.zeros) == (203, 3)
    assert padded.p == pytest.approx(stats.wilcoxon(a, b, zero_method="wilcox").pvalue)


def test_wilcoxon_of_equal_models_says_nothing() -> None:
    assert wilcoxon(np.ones(5), np.ones(5)) == (0, 1, 5, 5, 0)
    assert wilcoxon(np.ones(1), np.zeros(1)).p == 1


def test_wilcoxon_by_patient_tests_the_means() -> None:
    rng = np.random.default_rng(3)
    patients = np.array(list("ppqqqrst"))
    a, b = rng.random(8), rng.random(8)
    means = [[v[patients == name].mean() for name in "pqrst"] for v in (a, b)]
    assert wilcoxon_by_patient(a, b, patients) == pytest.approx(
        wilcoxon(np.array(means[0]), np.array(means[1]))
    )
    assert wilcoxon_by_patient(a, b, patients).n == 5


def test_copies_of_a_patient_do_not_make_evidence() -> None:
    a, b = np.repeat([0.5, 0.6, 0.4], 20), np.repeat([0.4, 0.3, 0.35], 20)
    assert wilcoxon(a, b).p < 1e-6
    assert wilcoxon_by_patient(a, b, np.repeat([1, 2, 3], 20)).p == pytest.approx(0.25)


def test_wilcoxon_refuses_values() -> None:
    with pytest.raises(EvaluationError, match="to pair"):
        wilcoxon(np.ones(3), np.ones(2))
    with pytest.raises(EvaluationError, match="to pair"):
        wilcoxon(np.ones(0), np.ones(0))
    with pytest.raises(EvaluationError, match="to pair"):
        wilcoxon_by_patient(np.array([1.0, np.nan]), np.ones(2), np.array(["p", "p"]))
    with pytest.raises(EvaluationError, match="patient of each image"):
        wilcoxon_by_patient(np.ones(2), np.ones(2), np.array(["p"]))
