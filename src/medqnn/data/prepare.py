"""A sample as models read it: square, one size, one range, one number of channels."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image

from medqnn.data.table import Sample

Scaling = Literal["min-max", "dtype"]

_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601 luma


def prepare(
    sample: Sample, size: int, channels: int = 1, scaling: Scaling = "min-max"
) -> tuple[np.ndarray, np.ndarray]:
    """Bring a sample to the size, range and channels that models read.

    A shorter side is padded evenly with the image's minimum, so that shapes keep their aspect.
    Images are resized bilinearly with antialiasing, masks to the nearest pixel; neither changes at
    the wanted size. Then a range is stretched to 0..255 and rounded: an error of at most 1/510 of
    it. "min-max" takes each image's own range, all channels together; a constant image becomes
    zeros. "dtype" takes the range that the file's pixels may have, so that 8-bit values stay as
    they are, and brightness can be compared between images.

    Args:
        sample: image and mask as read.
        size: side of the result in pixels.
        channels: 1 (RGB to grey by BT.601 luma) or 3 (grey repeated).
        scaling: the range that becomes 0..255. "dtype" is for 1, 8 and 16 bit unsigned.

    Returns:
        Image uint8 (channels, size, size); mask uint8 (size, size), zeros if there is none.

    Raises:
        ValueError: Shapes that are none of Sample's, one row or column of pixels alone, a mask of
            another size than its image, pixels that are not finite, or a dtype without a range to
            scale by.
    """
    limits = _limits(np.asarray(sample.image).dtype) if scaling == "dtype" else None
    image, mask = _checked(sample)
    if channels == 1 and image.ndim == 3:
        image = image @ _GREY
    planes = np.atleast_3d(_squared(image, float(image.min())))
    resized = np.stack([_resize(plane, size) for plane in np.moveaxis(planes, -1, 0)])
    low, high = limits or (float(resized.min()), float(resized.max()))
    scaled = (resized - low) * (255 / (high - low) if high > low else 0)
    pixels = np.broadcast_to(np.rint(scaled).astype(np.uint8), (channels, size, size))
    if mask is None:
        return pixels, np.zeros((size, size), dtype=np.uint8)
    square = Image.fromarray(_squared(mask, 0).astype(np.uint8))
    return pixels, np.asarray(square.resize((size, size), Image.Resampling.NEAREST))


def _checked(sample: Sample) -> tuple[np.ndarray, np.ndarray | None]:
    with np.errstate(over="ignore"):  # an overflow shows as an infinite pixel below
        image = np.asarray(sample.image, dtype=np.float32)
    if image.size == 0 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
        raise ValueError(f"the image has shape {image.shape}, expected H×W or H×W×3")
    if not np.isfinite(image).all():
        raise ValueError("the image has pixels that are not finite numbers")
    if min(image.shape[:2]) < 2:
        raise ValueError(
            f"the image is {image.shape[1]}×{image.shape[0]} pixels, expected 2×2 or more"
        )
    if sample.mask is not None and sample.mask.shape != image.shape[:2]:
        (height, width), (rows, columns) = image.shape[:2], sample.mask.shape
        raise ValueError(f"the mask is {columns}×{rows} pixels, the image {width}×{height}")
    return image, sample.mask


def _limits(dtype: np.dtype) -> tuple[float, float]:
    """Lowest and highest value that pixels of this kind may have."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind != "u" or dtype.itemsize > 2:
        raise ValueError(
            f"pixels of {dtype} have no range of their own to scale by (min-max scaling takes any)"
        )
    return 0, float(np.iinfo(dtype).max)


def _squared(image: np.ndarray, fill: float) -> np.ndarray:
    """Pad the shorter of the first two axes on both ends."""
    side = max(image.shape[:2])
    if min(image.shape[:2]) == side:
        return image
    before = [(side - length) // 2 for length in image.shape[:2]]
    after = [side - length - start for length, start in zip(image.shape[:2], before, strict=True)]
    widths = [*zip(before, after, strict=True), (0, 0)][: image.ndim]
    return np.pad(image, widths, constant_values=fill)


def _resize(plane: np.ndarray, size: int) -> np.ndarray:
    if plane.shape == (size, size):
        return plane
    picture = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR))
