from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.auditing.planted import brighter, originals, resized
from medqnn.data.auditing.fingerprints import SIDE, TURNS, fingerprint, no_fingerprints, turned


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_whole_and_content_of_one_image() -> None:
    details = fingerprint(originals()[0])
    assert details.shape == (2, SIDE, SIDE)
    assert details.dtype == np.int8
    assert abs(details[0].astype(float).mean()) < 1
    assert details[0].astype(float).std() == pytest.approx(127 / 4, rel=0.05)


@given(turn=st.integers(0, 7), number=st.integers(0, 31))
@settings(max_examples=20, deadline=None)
def test_a_turned_image_has_the_turned_detail(turn: int, number: int) -> None:
    image = originals()[number]
    expected = turned(fingerprint(image), turn)
    assert np.abs(fingerprint(turned(image, turn)).astype(int) - expected).max() <= 1


@given(scale=st.floats(0.1, 100), shift=st.floats(-1000, 1000))
@settings(max_examples=20, deadline=None)
def test_brightness_and_contrast_do_not_matter(scale: float, shift: float) -> None:
    image = originals()[5].astype(np.float64)
    assert correlation(fingerprint(scale * image + shift), fingerprint(image)) > 0.999


def test_borders_do_not_matter_to_the_content() -> None:
    image = originals()[0]
    padded = np.pad(image, ((40, 3), (9, 20)))
    assert correlation(fingerprint(padded)[1], fingerprint(image)[1]) > 0.95
    assert correlation(fingerprint(padded)[0], fingerprint(image)[0]) < 0.5


def test_a_dark_noisy_border_is_border() -> None:
    image = originals()[0]
    noise = np.random.default_rng(0).integers(0, 6, (180, 180)).astype(np.uint8)
    noise[20:148, 40:168] = image
    assert correlation(fingerprint(noise)[1], fingerprint(image)[1]) > 0.95


def test_colour_counts_by_luma() -> None:
    image = originals()[0]
    assert correlation(fingerprint(np.stack([image] * 3, -1)), fingerprint(image)) > 0.999
    green = np.stack([image * 0, image, image * 0], axis=-1)
    assert correlation(fingerprint(green), fingerprint(image)) > 0.999


@pytest.mark.parametrize("shape", [(1, 1), (2, 500), (7, 9, 3)])
def test_strange_shapes(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    assert fingerprint(values).shape == (2, SIDE, SIDE)


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_constant_image_has_none(value: int) -> None:
    assert not fingerprint(np.full((50, 60), value, dtype=np.uint8)).any()


def test_neighbouring_slices_differ_in_detail_though_not_in_intensity() -> None:
    images = originals()
    first, second = images[0], images[4]  # of one patient: the phantom alternates four patients
    assert correlation(first, second) > 0.9
    assert correlation(fingerprint(first)[0], fingerprint(second)[0]) < 0.84
    assert correlation(fingerprint(first)[0], fingerprint(resized(first, 90, 90))[0]) > 0.96
    assert correlation(fingerprint(first)[0], fingerprint(brighter(first))[0]) > 0.96


def test_words_of_positions() -> None:
    corner = np.zeros((4, 4))
    corner[0, 1] = 1  # upper edge, left half
    places = {
        TURNS[turn]: tuple(np.argwhere(turned(corner, turn))[0].tolist()) for turn in range(8)
    }
    assert places["mirrored left to right"] == (0, 2)
    assert places["mirrored top to bottom"] == (3, 1)
    assert places["turned by 180°"] == (3, 2)
    assert places["turned by 90°"] == (1, 3)  # clockwise
    assert places["turned by 270°"] == (2, 0)
    assert len(set(places.values())) == 8


def test_room() -> None:
    assert no_fingerprints(3).shape == (3, 2, SIDE, SIDE)
