from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medqnn.data.prepare import prepare
from medqnn.data.table import Sample


def test_antialiased_reduction_agrees_with_torch() -> None:
    image = np.random.default_rng(0).random((50, 50)).astype(np.float32) * 4000 - 1000
    ours, _ = prepare(Sample(image, None), 20)
    oracle = torch.nn.functional.interpolate(
        torch.tensor(image)[None, None], (20, 20), mode="bilinear", antialias=True
    )[0, 0].numpy()
    expected = (oracle - oracle.min()) / (oracle.max() - oracle.min())
    assert np.abs(ours[0] / 255 - expected).max() <= 0.5 / 255 + 1e-5


@given(
    st.sampled_from(["uint8", "int16", "uint16", "int32", "float64", "bool"]), st.integers(0, 99)
)
def test_every_real_dtype_spans_the_range(dtype: str, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 2, (9, 9)).astype(dtype)
    pixels, _ = prepare(Sample(image, None), 9)
    expected = image.astype(np.uint8) * 255 if image.any() and not image.all() else 0
    np.testing.assert_array_equal(pixels[0], np.broadcast_to(expected, (9, 9)))


def test_constant_image_becomes_zeros() -> None:
    assert not prepare(Sample(np.full((5, 5), 7), None), 4)[0].any()


def test_oblong_image_is_padded_with_its_minimum_and_keeps_its_aspect() -> None:
    image = np.full((4, 8), 50)
    image[:, :4] = 10
    pixels, mask = prepare(Sample(image, image > 20), 8)
    expected = np.zeros((8, 8), dtype=np.uint8)
    expected[2:6, 4:] = 1
    np.testing.assert_array_equal(pixels[0], expected * 255)
    np.testing.assert_array_equal(mask, expected)


def test_grey_and_colour_convert_into_each_other() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [0, 0, 0]]], dtype=np.uint8)
    grey, _ = prepare(Sample(colours, None), 2, channels=1)
    luma = np.array([0.299, 0.587, 0.114, 0.0])  # ITU-R BT.601
    np.testing.assert_array_equal(grey.ravel(), np.rint(luma / 0.587 * 255))
    kept, _ = prepare(Sample(colours, None), 2, channels=3)
    np.testing.assert_array_equal(kept, np.moveaxis(colours, -1, 0))
    repeated, _ = prepare(Sample(colours[..., 0], None), 2, channels=3)
    np.testing.assert_array_equal(repeated, np.broadcast_to(colours[..., 0], (3, 2, 2)))


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (Sample(np.array([[1.0, np.nan]]), None), "not finite"),
        (Sample(np.array([[1.0, 1e300]]), None), "not finite"),
        (Sample(np.zeros((2, 2, 4)), None), "expected H×W or H×W×3"),
        (Sample(np.zeros((0, 2)), None), "expected H×W"),
        (Sample(np.zeros((4, 5)), np.zeros((5, 4), dtype=bool)), "mask is 4×5 pixels.* 5×4"),
    ],
)
def test_samples_that_cannot_be_used_are_refused(sample: Sample, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prepare(sample, 4)
