from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from data.auditing.planted import SURE, originals
from medqnn.data.auditing import near_copies as module
from medqnn.data.auditing.fingerprints import fingerprint, turned
from medqnn.data.auditing.near_copies import ALIKE, SAME, bands, invariants, near_copies


def prints(images: Any) -> np.ndarray:
    return np.stack([fingerprint(image) for image in images])


def draw_bands(seed: int, count: int = 5) -> np.ndarray:
    details = np.random.default_rng(seed).integers(-100, 100, (count, 64, 64))
    return bands(details.astype(np.int8))


def test_neighbouring_slices_and_other_patients_are_no_copies() -> None:
    assert near_copies(prints(originals())).empty


@pytest.mark.parametrize("alter", SURE)
def test_altered_copies_are_found_and_nothing_else(alter: str) -> None:
    images = originals()[:12]
    copies = [SURE[alter](image) for image in images]
    found = near_copies(prints([*images, *copies]))
    assert list(zip(found["first"], found["second"], strict=True)) == [
        (i, i + 12) for i in range(12)
    ]
    assert (found["correlation"] >= SAME).all()
    assert (found["view"] == 0).all()


@given(turn=st.integers(0, 7))
@settings(max_examples=8, deadline=None)
def test_the_turn_brings_the_second_onto_the_first(turn: int) -> None:
    images = originals()[:6]
    found = near_copies(prints([*images, *(turned(image, turn) for image in images)]))
    for pair in found.itertuples():
        second = turned(turned(images[pair.second - 6], turn), pair.turn)
        np.testing.assert_array_equal(second, images[pair.first])
    assert len(found) == 6


def test_other_borders_are_seen_in_the_content() -> None:
    images = originals()[:12]
    padded = [np.pad(image, ((25, 4), (8, 30)))[:, ::-1] for image in images]
    found = near_copies(prints([*images, *padded]))
    pairs = found[found["second"] - found["first"] == 12]
    assert len(pairs) == 12
    assert (pairs["correlation"] >= SAME).sum() >= 10
    assert (found.drop(pairs.index)["correlation"] < SAME).all()  # neighbours, made smaller
    assert (pairs["view"] == 1).all()
    assert (pairs["turn"] == 1).all()


def test_a_pair_in_both_views_is_told_by_the_whole() -> None:
    image = originals()[0]
    found = near_copies(prints([image, image]))
    assert found.to_dict("records") == [
        {"first": 0, "second": 1, "turn": 0, "view": 0, "correlation": pytest.approx(1, abs=1e-5)}
    ]


def test_known_patients_are_not_compared_with_themselves() -> None:
    image = originals()[0]
    three = prints([image, image, image])
    found = near_copies(three, np.array([0, 0, 1]))
    assert list(zip(found["first"], found["second"], strict=True)) == [(0, 2), (1, 2)]


def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    images = originals()[:10]
    details = prints([*images, *(image[::-1] for image in images)])
    whole = near_copies(details)
    monkeypatch.setattr(module, "_TILE", 3)
    monkeypatch.setattr(module, "_BATCH", 2)
    seen: list[int] = []

    def progress(tiles: Any, total: int) -> Any:
        seen.append(total)
        return tiles

    pd.testing.assert_frame_equal(near_copies(details, progress=progress), whole)
    assert seen == [28]


@pytest.mark.parametrize("count", [0, 1])
def test_few_images(count: int) -> None:
    found = near_copies(prints(originals()[:2])[:count])
    assert found.empty
    assert list(found) == ["first", "second", "turn", "view", "correlation"]


def test_images_without_content_are_like_nothing() -> None:
    assert near_copies(np.zeros((3, 2, 64, 64), dtype=np.int8)).empty


@given(seed=st.integers(0, 100), turn=st.integers(0, 7))
@settings(max_examples=30, deadline=None)
def test_invariants_stay_when_images_turn(seed: int, turn: int) -> None:
    details = np.random.default_rng(seed).integers(-100, 100, (4, 64, 64)).astype(np.int8)
    there, here = invariants(bands(turned(details, turn))), invariants(bands(details))
    np.testing.assert_allclose(there, here, atol=1e-5)


@given(seed=st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_invariants_keep_norms_and_never_grow_distances(seed: int) -> None:
    drawn = draw_bands(seed)
    keys = invariants(drawn)
    np.testing.assert_allclose(np.linalg.norm(keys, axis=1), 1, atol=1e-5)
    # So the screen keeps every pair whose bands correlate enough in some position.
    best = module._orientations(drawn[:-1], drawn[1:]).max(axis=1)
    assert ((keys[:-1] * keys[1:]).sum(axis=1) >= best - 1e-5).all()


@given(
    details=arrays.arrays(np.int8, (2, 64, 64), elements=st.integers(-100, 100)),
    turn=st.integers(0, 7),
)
@settings(max_examples=20, deadline=None)
def test_orientations_are_correlations_of_turned_bands(details: np.ndarray, turn: int) -> None:
    first, second = bands(details[:1]), bands(details[1:])
    expected = (first * bands(turned(details[1:], turn))).sum()
    given_ = module._orientations(first, second)[0, turn]
    assert given_ == pytest.approx(float(expected), abs=1e-4)


def test_thresholds_are_in_order() -> None:
    assert module.BAND_CORRELATION < ALIKE < SAME < 1
