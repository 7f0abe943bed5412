"""Pictures of images, masks and attention maps as data URIs.

They are PNG at twice the size shown; where there are many, small ones: WebP at the size shown.
"""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import matplotlib as mpl
import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion

SIDE, SMALL = 256, 128  # pixels; the page shows 128
COLOURS = mpl.colormaps["viridis"]  # grows in lightness, so it reads in grey too
OPACITY = 0.65  # of a fully attended pixel in an overlay


def slice_picture(image: np.ndarray, small: bool = False) -> str:
    """An image, uint8 (H, W) in grey or (H, W, 3) in colour."""
    return _encoded(_enlarged(image, small))


def mask_picture(tumour: np.ndarray, small: bool = False) -> str:
    """A mask, bool (H, W), white on black."""
    return _encoded(_enlarged(_bytes(255 * tumour), small))


def outlined_picture(image: np.ndarray, tumour: np.ndarray) -> str:
    """An image, uint8 (H, W) or (H, W, 3), with the edge of its mask, bool (H, W)."""
    return _encoded(_outlined(_enlarged(image), tumour))


def attention_picture(attention: np.ndarray, small: bool = False) -> str:
    """An attention map, float (H, W) in [0, 1], in colour."""
    return _encoded(_enlarged(_bytes(_coloured(attention)), small))


def overlay_picture(
    image: np.ndarray, tumour: np.ndarray, attention: np.ndarray, small: bool = False
) -> str:
    """The attention map over the image, the stronger the higher it is, and the mask's edge."""
    opacity = OPACITY * attention[..., None]
    mixed = (1 - opacity) * np.atleast_3d(image) + opacity * _coloured(attention)
    return _encoded(_outlined(_enlarged(_bytes(mixed), small), tumour))


def _coloured(attention: np.ndarray) -> np.ndarray:
    """(H, W) in [0, 1] to (H, W, 3) in [0, 255]."""
    colours: np.ndarray = 255 * COLOURS(attention)[..., :3]
    return colours


def _bytes(values: np.ndarray) -> np.ndarray:
    return values.astype(np.uint8)


def _enlarged(picture: np.ndarray, small: bool = False) -> np.ndarray:
    side = SMALL if small else SIDE
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC))


def _outlined(picture: np.ndarray, tumour: np.ndarray) -> np.ndarray:
    """The mask's edge as a white line between two black ones: visible on any ground."""
    small = len(picture) == SMALL
    inside = _enlarged(_bytes(255 * tumour), small) > 127
    white = inside & ~binary_erosion(inside, iterations=1 if small else 2)
    black = binary_dilation(white) & ~white
    result = picture.copy()
    result[black], result[white] = 0, 255
    return result


def _encoded(picture: np.ndarray) -> str:
    image, buffer = Image.fromarray(picture), BytesIO()
    if len(picture) == SMALL:
        image.save(buffer, format="WEBP", quality=85)
        return _uri("webp", buffer)
    if picture.ndim == 3:  # 256 colours are enough here and take a third of the bytes
        image = image.quantize(256, dither=Image.Dither.NONE)
    image.save(buffer, format="PNG", optimize=True)
    return _uri("png", buffer)


def _uri(kind: str, buffer: BytesIO) -> str:
    return f"data:image/{kind};base64,{b64encode(buffer.getvalue()).decode()}"
