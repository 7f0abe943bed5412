from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import average_precision_score

from medqnn.errors import EvaluationError
from medqnn.evaluation.localisation import jaccard
from medqnn.evaluation.pointing import pointing

levels = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])  # few, so that pixels tie
maps = hnp.arrays(np.float32, (3, 4), elements=levels | st.floats(0, 1, width=32))
masks = hnp.arrays(np.bool_, (3, 4))


@settings(max_examples=40, deadline=None)
@given(maps, masks)
def test_agrees_with_scikit_learn_at_all_levels(image: np.ndarray, mask: np.ndarray) -> None:
    assume(mask.any())
    found = pointing(image[None], mask[None]).iloc[0]
    score, inside = image.ravel(), mask.ravel()
    assert found["average_precision"] == pytest.approx(average_precision_score(inside, score))
    regions = [score >= level for level in score]
    dice = [2 * (region & inside).sum() / (region.sum() + inside.sum()) for region in regions]
    assert found["best_dice"] == pytest.approx(max(dice))


@settings(max_examples=40, deadline=None)
@given(maps, masks)
def test_pointing_and_energy_are_sums_over_pixels(image: np.ndarray, mask: np.ndarray) -> None:
    assume(mask.any())
    found = pointing(image[None], mask[None]).iloc[0]
    pixels = [(float(image[i]), bool(mask[i])) for i in np.ndindex(mask.shape)]
    top = [inside for value, inside in pixels if value == max(pixels)[0]]
    assert found["pointing"] == pytest.approx(sum(top) / len(top))
    whole = sum(value for value, _ in pixels)
    inside = sum(value for value, inside in pixels if inside)
    assert found["energy"] == pytest.approx(inside / whole if whole else mask.mean())


def test_worked_example() -> None:
    image = np.array([[[0.9, 0.8, 0.8], [0.4, 0.0, 0.1]]])
    mask = np.array([[[False, True, False], [True, False, False]]])
    found = pointing(image, mask, thresholds=(0.8,), quantiles=(0.75,)).iloc[0]
    # Levels in turn take 1, 3, 4, … pixels, of which 0, 1, 2 are the tumour's.
    assert found["average_precision"] == pytest.approx(0.5 * 1 / 3 + 0.5 * 2 / 4)
    assert found["best_dice"] == pytest.approx(2 * 2 / (4 + 2))
    assert found["pointing"] == 0
    assert found["energy"] == pytest.approx((0.8 + 0.4) / 3.0)
    assert found["mask_share"] == pytest.approx(2 / 6)
    assert found["jaccard@0.80"] == pytest.approx(1 / 4)
    assert found["dice@0.80"] == pytest.approx(2 * 1 / (3 + 2))
    assert found["dice@q0.75"] == pytest.approx(2 * 1 / (3 + 2))


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_a_flat_map_gets_the_masks_share(value: float) -> None:
    mask = np.random.default_rng(0).random((4, 8, 8)) < 0.2
    found = pointing(np.full((4, 8, 8), value, np.float32), mask)
    share = mask.mean(axis=(1, 2))
    for name in ("pointing", "energy", "average_precision", "mask_share"):
        assert found[name].to_numpy() == pytest.approx(share)
    assert found["best_dice"].to_numpy() == pytest.approx(2 * share / (1 + share))


def test_a_random_map_gets_about_that_too_and_the_mask_itself_gets_1() -> None:
    draw = np.random.default_rng(1)
    mask = draw.random((50, 32, 32)) < 0.1
    random, own = pointing(draw.random(mask.shape), mask), pointing(mask.astype(float), mask)
    assert random["energy"].mean() == pytest.approx(0.1, abs=0.01)
    assert random["average_precision"].mean() == pytest.approx(0.1, abs=0.02)
    ones = own.drop(columns=["mask_share", *(name for name in own if "@q" in name)])
    assert (ones == 1).all(axis=None)


def test_levels_are_those_of_the_jaccard_index() -> None:
    draw = np.random.default_rng(2)
    image, mask = draw.random((5, 9, 7)), draw.random((5, 9, 7)) < 0.3
    found, expected = pointing(image, mask), jaccard(image, mask)
    assert list(found)[:6] == list(expected)
    assert np.array_equal(found[list(expected)], expected)
    assert list(found)[6:12] == [name.replace("jaccard", "dice") for name in expected]


def test_refuses_what_it_cannot_score() -> None:
    image = np.full((2, 3, 3), 0.5)
    mask = np.zeros((2, 3, 3), dtype=bool)
    mask[0, 0, 0] = True
    with pytest.raises(EvaluationError, match="a mask is empty"):
        pointing(image, mask)
    with pytest.raises(EvaluationError, match="expected the same"):
        pointing(image, mask[:1])
    with pytest.raises(EvaluationError, match="in \\[0, 1\\]"):
        pointing(2 * image + 1, mask)
