"""A sample as models read it: square, one size, one range, one number of channels."""

from __future__ import annotations

import numpy as np
from PIL import Image

from medqnn.data.table import Sample

_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601 luma


def prepare(sample: Sample, size: int, channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Bring a sample to the size, range and channels that models read.

    A shorter side is padded evenly with the image's minimum, so that shapes keep their aspect.
    Images are resized bilinearly with antialiasing, masks to the nearest pixel. Then each image's
    range (all channels together) is stretched to 0..255 and rounded: an error of at most 1/510 of
    it. A constant image becomes zeros.

    Args:
        sample: image and mask as read.
        size: side of the result in pixels.
        channels: 1 (RGB to grey by BT.601 luma) or 3 (grey repeated).

    Returns:
        Image uint8 (channels, size, size); mask uint8 (size, size), zeros if there is none.

    Raises:
        ValueError: Shapes that are none of Sample's, a mask of another size than its image, or
            pixels that are not finite.
    """
    image, mask = _checked(sample)
    if channels == 1 and image.ndim == 3:
        image = image @ _GREY
    planes = np.atleast_3d(_squared(image, float(image.min())))
    resized = np.stack([_resize(plane, size) for plane in np.moveaxis(planes, -1, 0)])
    low, high = float(resized.min()), float(resized.max())
    scaled = (resized - low) * (255 / (high - low) if high > low else 0)
    pixels = np.broadcast_to(np.rint(scaled).astype(np.uint8), (channels, size, size))
    square = Image.fromarray(_squared(mask, 0).astype(np.uint8))
    return pixels, np.asarray(square.resize((size, size), Image.Resampling.NEAREST))


def _checked(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(over="ignore"):  # an overflow shows as an infinite pixel below
        image = np.asarray(sample.image, dtype=np.float32)
    if image.size == 0 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
        raise ValueError(f"the image has shape {image.shape}, expected H×W or H×W×3")
    if not np.isfinite(image).all():
        raise ValueError("the image has pixels that are not finite numbers")
    if sample.mask is None:
        return image, np.zeros(image.shape[:2], dtype=bool)
    if sample.mask.shape != image.shape[:2]:
        (height, width), (rows, columns) = image.shape[:2], sample.mask.shape
        raise ValueError(f"the mask is {columns}×{rows} pixels, the image {width}×{height}")
    return image, sample.mask


def _squared(image: np.ndarray, fill: float) -> np.ndarray:
    """Pad the shorter of the first two axes on both ends."""
    side = max(image.shape[:2])
    before = [(side - length) // 2 for length in image.shape[:2]]
    after = [side - length - start for length, start in zip(image.shape[:2], before, strict=True)]
    widths = [*zip(before, after, strict=True), (0, 0)][: image.ndim]
    return np.pad(image, widths, constant_values=fill)


def _resize(plane: np.ndarray, size: int) -> np.ndarray:
    picture = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR))
