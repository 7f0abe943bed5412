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


@pytest.mark.parametrize("scaling", ["min-max", "dtype"])
@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3)])
def test_image_of_the_wanted_size_is_not_resampled(shape: tuple[int, ...], scaling: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    image.flat[:2] = 0, 255
    pixels, _ = prepare(Sample(image, None), 28, 3, scaling)
    np.testing.assert_array_equal(pixels, np.broadcast_to(np.atleast_3d(image).T, pixels.shape).mT)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.array([[3, 90], [90, 200]], dtype=np.uint8), [[3, 90], [90, 200]]),
        (np.full((2, 2), 7, dtype=np.uint8), [[7, 7], [7, 7]]),
        (np.array([[0, 257], [128, 65535]], dtype=np.uint16), [[0, 1], [0, 255]]),
        (np.array([[129, 25700], [0, 0]], dtype=">u2"), [[1, 100], [0, 0]]),
        (np.array([[True, True], [True, False]]), [[255, 255], [255, 0]]),
    ],
)
def test_scaling_by_dtype_keeps_the_files_range(given: np.ndarray, expected: list) -> None:
    np.testing.assert_array_equal(prepare(Sample(given, None), 2, 1, "dtype")[0][0], expected)


def test_scaling_by_dtype_of_colours_made_grey() -> None:
    colours = np.full((4, 4, 3), (10, 200, 60), dtype=np.uint8)
    grey, _ = prepare(Sample(colours, None), 2, 1, "dtype")
    assert (grey == round(0.299 * 10 + 0.587 * 200 + 0.114 * 60)).all()
    assert (prepare(Sample(np.full_like(colours, 255), None), 2, 1, "dtype")[0] == 255).all()


def test_scaling_by_dtype_reduces_like_torch_and_pads_with_the_minimum() -> None:
    image = np.random.default_rng(0).integers(40, 216, (50, 50), dtype=np.uint8)
    ours, _ = prepare(Sample(image, None), 20, 1, "dtype")
    oracle = torch.nn.functional.interpolate(
        torch.tensor(image)[None, None].float(), (20, 20), mode="bilinear", antialias=True
    )
    assert np.abs(ours[0] - oracle[0, 0].numpy()).max() <= 0.5 + 1e-3
    oblong, _ = prepare(Sample(np.full((2, 4), 9, dtype=np.uint8), None), 4, 1, "dtype")
    assert (oblong == 9).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "int32", "uint32"])
def test_dtypes_without_a_range_are_refused(dtype: str) -> None:
    with pytest.raises(ValueError, match=f"pixels of {dtype} have no range .*min-max"):
        prepare(Sample(np.ones((4, 4), dtype=dtype), None), 4, 1, "dtype")


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
