from __future__ import annotations

from base64 import b64decode
from io import BytesIO

import numpy as np
from PIL import Image

from medqnn.report import images

SIZE = 64


def pixels(uri: str) -> np.ndarray:
    """RGB of a data URI, (256, 256, 3)."""
    kind, _, data = uri.partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(BytesIO(b64decode(data))).convert("RGB"))


def square() -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    mask[16:32, 16:32] = True
    return mask


def test_a_slice_keeps_its_greys_at_double_density() -> None:
    image = np.full((SIZE, SIZE), 90, dtype=np.uint8)
    image[:, 32:] = 200
    picture = pixels(images.slice_picture(image))
    assert picture.shape == (256, 256, 3)
    assert (picture[:, :100] == 90).all()
    assert (picture[:, 150:] == 200).all()


def test_colours_stay_what_they_are() -> None:
    image = np.zeros((SIZE, SIZE, 3), dtype=np.uint8)
    image[:, :32] = (200, 40, 90)
    for picture in (images.slice_picture(image), images.outlined_picture(image, square() & False)):
        assert (pixels(picture)[:, :100] == (200, 40, 90)).all()
    outlined = pixels(images.outlined_picture(image, square())).astype(int)
    assert (outlined[96, 64] == 255).all()
    assert (outlined[96, 96] == (200, 40, 90)).all()
    mixed = pixels(images.overlay_picture(image, square() & False, np.zeros((SIZE, SIZE))))
    assert (mixed[:, :100] == (200, 40, 90)).all()


def test_a_mask_is_white_on_black() -> None:
    picture = pixels(images.mask_picture(square()))
    assert (picture[80:110, 80:110] == 255).all()
    assert (picture[150:] == 0).all()


def test_the_outline_runs_along_the_mask_and_nowhere_else() -> None:
    grey = np.full((SIZE, SIZE), 120, dtype=np.uint8)
    picture = pixels(images.outlined_picture(grey, square())).astype(int)
    assert (picture[96, 64] == 255).all()  # the left edge of the square, enlarged 4 times
    assert (picture[96, 63] == 0).all()
    assert (picture[96, 96] == 120).all()
    assert (picture[96, 200] == 120).all()
    assert (pixels(images.outlined_picture(grey, square() & False)) == 120).all()


def test_attention_grows_in_lightness() -> None:
    ramp = np.tile(np.linspace(0, 1, SIZE), (SIZE, 1))
    lightness = pixels(images.attention_picture(ramp)) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness[128, 8:-8:16]) > 0).all()


def test_an_overlay_leaves_the_image_where_attention_is_zero() -> None:
    grey = np.full((SIZE, SIZE), 120, dtype=np.uint8)
    attention = np.zeros((SIZE, SIZE))
    attention[40:] = 1.0
    picture = pixels(images.overlay_picture(grey, square() & False, attention)).astype(int)
    assert (picture[:140] == 120).all()
    red, _, blue = picture[200, 128]
    assert red > blue + 50  # yellow, the top of the colour map


def test_small_pictures_show_the_same_at_half_the_side() -> None:
    grey, map_ = np.full((SIZE, SIZE), 120, dtype=np.uint8), np.zeros((SIZE, SIZE))
    for picture, own in (
        (images.slice_picture(grey, small=True), images.slice_picture(grey)),
        (images.mask_picture(square(), small=True), images.mask_picture(square())),
        (images.attention_picture(map_, small=True), images.attention_picture(map_)),
        (images.overlay_picture(grey, square(), map_, small=True), None),
    ):
        kind, _, data = picture.partition(",")
        assert kind == "data:image/webp;base64"
        found = np.asarray(Image.open(BytesIO(b64decode(data))).convert("RGB")).astype(int)
        assert found.shape == (128, 128, 3)
        if own is not None:  # away from edges, where lossy pictures differ
            inner = slice(72, 120)
            assert abs(found[inner, inner] - pixels(own)[::2, ::2][inner, inner]).max() <= 8
    assert found[48, 32:34].max() > 180  # the left edge of the square is white
    assert abs(found[48, 44] - 120).max() <= 12
