"""What of an image survives re-encoding, resizing and a change of brightness, and little else.

Two slices of one head, or two heads, correlate by 0.97 and more in their intensities, because a
bright skull on black decides the figure. So an image is brought to 64×64 pixels and each is
normalised by its surroundings (local contrast normalisation; Jarrett and others, ICCV 2009):
x ↦ (x − G x) / √(G (x − G x)² + ε), G a Gaussian of 1 pixel, which gives a faint sulcus the weight
of the skull. This is the image's *detail*. It is taken of two views: of the whole image, and of its
content without dark borders, which finds copies with wider or narrower borders.
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter1d

SIDE = 64
VIEWS = ("whole", "content")
_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601 luma
_BLUR = gaussian_filter1d(np.eye(SIDE, dtype=np.float32), 1, axis=0)
_FLOOR = 0.1  # ε, in units of the mean of (x − G x)²: keeps the noise of a dark ground small
_STEP = 4 / 127  # of the 8 bits that a detail is kept in, in its standard deviations
_DARK = 0.1  # a pixel is content above this part of the image's range
_FEW = 0.03  # a row or column with a smaller share of content is border
_SAMPLED = 128  # rows and columns, at least, that the range is taken from


def fingerprint(image: np.ndarray) -> np.ndarray:
    """Details of one image in both views: int8 (2, 64, 64), up to a factor.

    Args:
        image: H×W or H×W×3, any finite real values. A constant image has zeros.
    """
    grey = np.asarray(image, dtype=np.float32)
    if grey.ndim == 3:
        grey = grey @ _GREY
    details = np.stack([_detail(_resized(view)) for view in (grey, _content(grey))])
    return np.rint(np.clip(details / _STEP, -127, 127)).astype(np.int8)


def no_fingerprints(count: int) -> np.ndarray:
    """Room for the fingerprints of so many images: zeros, int8 (n, 2, 64, 64)."""
    return np.zeros((count, len(VIEWS), SIDE, SIDE), dtype=np.int8)


def turned(images: np.ndarray, turn: int) -> np.ndarray:
    """Bring square images (..., S, S) to one of the 8 positions of `TURNS`: a view."""
    if turn & 4:
        images = images.swapaxes(-1, -2)
    if turn & 2:
        images = images[..., ::-1, :]
    return images[..., ::-1] if turn & 1 else images


TURNS = (
    "upright",
    "mirrored left to right",
    "mirrored top to bottom",
    "turned by 180°",
    "mirrored at the diagonal",
    "turned by 90°",
    "turned by 270°",
    "mirrored at the other diagonal",
)


def _detail(image: np.ndarray) -> np.ndarray:
    """Local contrast normalisation of a 64×64 image, with mean 0 and standard deviation 1."""
    image = image - image.min()  # so that a constant image is exactly 0, and stays so
    high = image - _BLUR @ image @ _BLUR.T
    power = high * high
    local = _BLUR @ power @ _BLUR.T + _FLOOR * power.mean()
    detail = np.divide(high, np.sqrt(local), out=np.zeros_like(high), where=local > 0)
    detail -= detail.mean()
    spread = float(detail.std())
    return detail / spread if spread > 0 else detail


def _content(grey: np.ndarray) -> np.ndarray:
    """The image without dark rows and columns at its edges; whole if nothing would be left."""
    step = max(1, min(grey.shape) // _SAMPLED)
    low, high = np.quantile(grey[::step, ::step], [0, 0.99])
    bright = grey > low + _DARK * (high - low)
    rows = np.flatnonzero(bright.mean(axis=1) > _FEW)
    columns = np.flatnonzero(bright.mean(axis=0) > _FEW)
    if len(rows) < 2 or len(columns) < 2:
        return grey
    return grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _resized(grey: np.ndarray) -> np.ndarray:
    picture = Image.fromarray(np.ascontiguousarray(grey))
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
