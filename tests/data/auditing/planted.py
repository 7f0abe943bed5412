"""Look-alikes of the phantom, and copies of them altered in known ways."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from medqnn.data.phantom.table import phantom_table

IMAGES = 32  # eight patients with four neighbouring slices each


@cache
def originals() -> tuple[np.ndarray, ...]:
    """Slices of the phantom, uint8 (128, 128); four neighbours of each patient."""
    table = phantom_table(IMAGES, seed=3)
    return tuple(table.read(row).image for _, row in table.rows.iterrows())


def as_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def brighter(image: np.ndarray) -> np.ndarray:
    return np.clip(1.3 * image + 20, 0, 255).astype(np.uint8)


SURE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "jpeg 90": lambda image: as_jpeg(image, 90),
    "jpeg 60": lambda image: as_jpeg(image, 60),
    "larger": lambda image: resized(image, 200, 200),
    "smaller": lambda image: resized(image, 96, 96),
    "stretched": lambda image: resized(image, 160, 128),
    "brighter": brighter,
    "darker": lambda image: (0.4 * image).astype(np.uint8),
    "16 bit": lambda image: image.astype(np.uint16) * 200,
    "RGB": lambda image: np.stack([image] * 3, axis=-1),
    "mirrored": lambda image: image[:, ::-1],
    "turned by 90°": lambda image: np.rot90(image, -1),
    "mirrored, turned, jpeg, brighter": lambda image: as_jpeg(
        brighter(np.rot90(image[:, ::-1])), 60
    ),
}


def save(image: np.ndarray, path: Path, **options: int) -> Path:
    """Write an image file, its folders too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(image)).save(path, **options)
    return path


def leaking_folder(root: Path) -> Path:
    """A folder of classes with a split, in which each kind of copy stands in train and test.

    Two classes, 12 images each in train, 4 in test, of which of class a the first is
    byte-identical to a training image, the second pixel-identical, the third re-encoded, the
    fourth mirrored; of class b one has other borders; and one training image of a stands in b.
    """
    images = originals()
    for number in range(12):
        save(images[2 * number], root / f"train/a/{number:02d}.png")
        save(images[2 * number + 1], root / f"train/b/{number:02d}.png")
    test = root / "test"
    save(images[0], test / "a/bytes.png")
    save(images[2], test / "a/pixels.bmp")
    save(images[4], test / "a/near.jpg", quality=80)
    save(images[6][:, ::-1], test / "a/turned.png")
    save(np.pad(images[9], ((30, 6), (10, 40))), test / "b/cropped.png")
    for number in (25, 27, 29):
        save(images[number], test / f"b/{number}.png")
    save(resized(images[8], 150, 150), root / "train/b/conflict.png")
    return root
