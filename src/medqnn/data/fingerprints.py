"""What of an image survives re-encoding, resizing and a change of brightness, and little else.

Two slices of one head, or two heads, correlate by 0.97 and more in their intensities, because a
bright skull on black decides the figure. So intensities are normalised by their surroundings (local
contrast normalisation; Jarrett and others, ICCV 2009): x ↦ (x − G x) / √(G (x − G x)² + ε), G a
Gaussian, which gives a faint sulcus the weight of the skull. Of an image, brought to 64×64, we keep

- its *detail*: normalised within 1 pixel; what copies are told by;
- its *band*: normalised within 3 pixels, the lowest 12×12 frequencies of its cosine transform;
  what candidates are found by, because flips only change signs of such coefficients.

Each is taken of two views: the whole image, and its content without dark borders, which finds
copies with wider or narrower borders.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.fft import dct
from scipy.ndimage import gaussian_filter1d

SIDE = 64
BAND = 12
VIEWS = ("whole", "content")
_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601 luma
_FLOOR = 0.1  # ε, in units of the mean of (x − G x)²: keeps the noise of a dark ground small
_STEP = 4 / 127  # of the detail's 8 bits, in standard deviations; more than 4 do not occur
_DARK = 0.1  # a pixel is content above this part of the image's range
_FEW = 0.03  # a row or column with a smaller share of content is border
_SAMPLED = 128  # rows and columns, at least, that the brightness of content is judged by
_EYE = np.eye(SIDE, dtype=np.float32)
_BASIS = dct(_EYE, axis=0, norm="ortho")[:BAND]
_BLUR = {width: gaussian_filter1d(_EYE, width, axis=0) for width in (1, 3)}


class Fingerprints(NamedTuple):
    """Fingerprints of n images, 10 kB each.

    Attributes:
        bands: float32 (n, 2, 12, 12), of norm 1; zeros where a view has no content.
        details: int8 (n, 2, 64, 64), up to a factor.
    """

    bands: np.ndarray
    details: np.ndarray

    @classmethod
    def empty(cls, count: int) -> Fingerprints:
        """Room for so many images."""
        views = len(VIEWS)
        return cls(
            np.zeros((count, views, BAND, BAND), dtype=np.float32),
            np.zeros((count, views, SIDE, SIDE), dtype=np.int8),
        )


def fingerprint(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Band, float32 (2, 12, 12), and detail, int8 (2, 64, 64), of one image.

    Args:
        image: H×W or H×W×3, any finite real values. A constant image has fingerprints of zeros.
    """
    grey = np.asarray(image, dtype=np.float32)
    if grey.ndim == 3:
        grey = grey @ _GREY
    views = [_resized(grey), _resized(_content(grey))]
    bands = [_unit(_BASIS @ _contrast(view, 3) @ _BASIS.T) for view in views]
    details = [_unit(_contrast(view, 1)) * SIDE / _STEP for view in views]
    return np.stack(bands), np.rint(np.clip(details, -127, 127)).astype(np.int8)


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


def _contrast(image: np.ndarray, width: int) -> np.ndarray:
    """Local contrast normalisation of a 64×64 image, with mean 0."""
    blur = _BLUR[width]
    high = image - blur @ image @ blur.T
    power = high * high
    local = blur @ power @ blur.T + _FLOOR * power.mean()
    normal = np.divide(high, np.sqrt(local), out=np.zeros_like(high), where=local > 0)
    return normal - normal.mean()


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


def _unit(values: np.ndarray) -> np.ndarray:
    norm = float(np.linalg.norm(values))
    return values / norm if norm > 0 else values
