"""The phantom: synthetic brain-MRI slices with tumours, made on the spot.

SYNTHETIC: results on it say that a pipeline works and nothing on clinical performance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from medqnn.data.phantom.anatomy import (
    Shape,
    Tissues,
    View,
    anatomy,
    draw_shape,
    draw_tissues,
    draw_view,
)
from medqnn.data.phantom.lesions import (
    Lesion,
    draw_glioma,
    draw_meningioma,
    draw_pituitary,
)
from medqnn.data.phantom.physics import Scanner, acquire, draw_scanner, signal
from medqnn.data.table import ImageTable, Sample
from medqnn.errors import DataError

CLASSES = ("healthy", "meningioma", "glioma", "pituitary")
SLICES = 4  # a patient
RENDERED = 128  # pixels a side that smaller images are averaged from
SMALLEST = 32
DRAW_LESION: dict[str, Callable[[np.random.Generator, Shape, View], Lesion]] = {
    "meningioma": draw_meningioma,
    "glioma": draw_glioma,
    "pituitary": draw_pituitary,
}


@dataclass(frozen=True)
class Patient:
    """All that the slices of one patient share."""

    shape: Shape
    tissues: Tissues
    scanner: Scanner
    view: View
    levels: np.ndarray  # float64 (SLICES,), mm along the view's axis
    lesion: Lesion | None


@lru_cache(maxsize=16)
def patient(seed: int, number: int) -> Patient:
    """Draw patient ``number`` of the phantom ``seed``; its class is ``number`` modulo 4."""
    rng = np.random.default_rng(np.random.SeedSequence((seed, number)))
    label = CLASSES[number % len(CLASSES)]
    shape, tissues, scanner = draw_shape(rng), draw_tissues(rng), draw_scanner(rng)
    view = draw_view(rng, must_be_sellar=label == "pituitary")
    steps = np.linspace(-0.5, 0.5, SLICES) + rng.uniform(-0.1, 0.1, SLICES)
    lesion = DRAW_LESION[label](rng, shape, view) if label in DRAW_LESION else None
    if lesion is None:
        on_view = np.where(np.arange(3) == view.axis, view.level, 0)
        middle, extent = shape.from_atlas(on_view), rng.uniform(7, 22)
    else:
        middle, extent = lesion.centre, lesion.radii[view.axis]
    levels = middle[view.axis] + steps * extent
    return Patient(shape, tissues, scanner, view, levels, lesion)


def render(who: Patient, slice_number: int, size: int, rng: np.random.Generator) -> Sample:
    """Make one slice of a patient: image uint8 (size, size) and mask bool (size, size)."""
    factor = -(-RENDERED // size)
    points = who.view.points(who.levels[slice_number], size * factor)
    moved = points if who.lesion is None else who.lesion.before_push(points)
    maps = anatomy(points, moved, who.shape)
    image, mask = signal(maps, who.tissues, who.shape), np.zeros(len(points), bool)
    if who.lesion is not None:
        image, mask = who.lesion.paint(image, points, maps, who.tissues)
    image = _average(image * np.exp(who.scanner.bias(points)[:, 0]), size, factor)
    mask = _average(mask, size, factor) >= 0.5
    return Sample(acquire(image, who.scanner, who.view.width / size, rng), mask)


def _average(values: np.ndarray, size: int, factor: int) -> np.ndarray:
    """Block means of (size·factor)² values: (size, size)."""
    means: np.ndarray = values.reshape(size, factor, size, factor).mean(axis=(1, 3))
    return means


@dataclass(frozen=True)
class PhantomReader:
    """Makes the image of a row of the phantom's table."""

    seed: int
    size: int

    def __call__(self, row: pd.Series) -> Sample:
        """The slice of ``row``: image uint8 (size, size), mask bool (size, size)."""
        number, slice_number = _place(int(row["id"].rsplit("-", 1)[1]))
        noise = np.random.SeedSequence((self.seed, number), spawn_key=(slice_number,))
        who = patient(self.seed, number)
        return render(who, slice_number, self.size, np.random.default_rng(noise))


def _place(index: int) -> tuple[int, int]:
    """Patient and slice of an image: the classes alternate, so that any count is balanced."""
    block, rest = divmod(index, len(CLASSES) * SLICES)
    slice_number, member = divmod(rest, len(CLASSES))
    return block * len(CLASSES) + member, slice_number


def phantom_table(images: int = 1200, seed: int = 0, size: int = 128) -> ImageTable:
    """The embedded synthetic data set.

    Image ``i`` depends on ``seed`` and ``i`` alone, whatever ``images`` is.

    Args:
        images: Number of slices; four to a patient, the four classes in turn.
        seed: Which phantom; not negative.
        size: Pixels a side, at least 32.

    Raises:
        DataError: A number out of range.
    """
    if images < 1 or seed < 0 or size < SMALLEST:
        raise DataError(
            f"phantom of {images} images, seed {seed}, size {size}: expected at least 1 image, "
            f"a seed of 0 or more and a size of {SMALLEST} or more"
        )
    numbers = [_place(index)[0] for index in range(images)]
    rows = pd.DataFrame(
        {
            "id": [f"phantom-{seed}-{index:05d}" for index in range(images)],
            "source": "phantom",
            "label": [CLASSES[number % len(CLASSES)] for number in numbers],
            "patient": [f"phantom-{seed}-patient-{number:04d}" for number in numbers],
            "mask": "phantom",
            "split": None,
            "fold": None,
        }
    )
    return ImageTable("phantom", rows, CLASSES[:images], PhantomReader(seed, size), synthetic=True)
