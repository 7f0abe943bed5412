"""Pictures of images, masks and attention maps as PNG in data URIs, twice the size shown."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import matplotlib as mpl
import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion

SIDE = 256  # pixels; the page shows 128
COLOURS = mpl.colormaps["viridis"]  # grows in lightness, so it reads in grey too
OPACITY = 0.65  # of a fully attended pixel in an overlay


def slice_picture(image: np.ndarray) -> str:
    """An image, uint8 (H, W) in grey or (H, W, 3) in colour."""
    return _png(_enlarged(image))


def mask_picture(tumour: np.ndarray) -> str:
    """A mask, bool (H, W), white on black."""
    return _png(_enlarged(_bytes(255 * tumour)))


def outlined_picture(image: np.ndarray, tumour: np.ndarray) -> str:
    """An image, uint8 (H, W) or (H, W, 3), with the edge of its mask, bool (H, W)."""
    return _png(_outlined(_enlarged(image), tumour))


def attention_picture(attention: np.ndarray) -> str:
    """An attention map, float (H, W) in [0, 1], in colour."""
    return _png(_enlarged(_bytes(_coloured(attention))))


def overlay_picture(image: np.ndarray, tumour: np.ndarray, attention: np.ndarray) -> str:
    """The attention map over the image, the stronger the higher it is, and the mask's edge."""
    opacity = OPACITY * attention[..., None]
    mixed = (1 - opacity) * np.atleast_3d(image) + opacity * _coloured(attention)
    return _png(_outlined(_enlarged(_bytes(mixed)), tumour))


def _coloured(attention: np.ndarray) -> np.ndarray:
    """(H, W) in [0, 1] to (H, W, 3) in [0, 255]."""
    colours: np.ndarray = 255 * COLOURS(attention)[..., :3]
    return colours


def _bytes(values: np.ndarray) -> np.ndarray:
    return values.astype(np.uint8)


def _enlarged(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def _outlined(picture: np.ndarray, tumour: np.ndarray) -> np.ndarray:
    """The mask's edge as a white line between two black ones: visible on any ground."""
    inside = _enlarged(_bytes(255 * tumour)) > 127
    white = inside & ~binary_erosion(inside, iterations=2)
    black = binary_dilation(white) & ~white
    result = picture.copy()
    result[black], result[white] = 0, 255
    return result


def _png(picture: np.ndarray) -> str:
    image = Image.fromarray(picture)
    if picture.ndim == 3:  # 256 colours are enough here and take a third of the bytes
        image = image.quantize(256, dither=Image.Dither.NONE)
    buffer = BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"
