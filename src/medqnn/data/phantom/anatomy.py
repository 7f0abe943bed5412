"""A phantom patient: its own shape, its own contrast, and the planes it is cut by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from medqnn.data.phantom.atlas import CHANNELS, load_atlas
from medqnn.data.phantom.fields import SmoothField, draw_field

PLANES = ("sagittal", "coronal", "axial")  # by the axis they are perpendicular to: x, y, z
SELLA = np.array([0.0, 2.0, -35.0], np.float32)  # mm, centre of the pituitary fossa
SELLAR_SHARE = 0.5  # of the patients without a pituitary tumour, cut through the sella all the same
Maps = dict[str, np.ndarray]

LEVELS = ((-52.0, 52.0), (-78.0, 48.0), (-38.0, 58.0))  # mm, range of the other patients' levels
VIEW_CENTRE = np.array([0.0, -12.0, -10.0])  # mm, in the middle of the image, give or take
COLUMNS = (1, 0, 0)  # axis that runs along the columns, from + to -, by plane
ROWS = (2, 2, 1)  # axis that runs down the rows, from + to -, by plane


@dataclass(frozen=True)
class Tissues:
    """Signal of one patient's tissues, 0 to about 1, air being 0."""

    white: float
    grey: float
    fluid: float
    fat: float
    muscle: float
    marrow: float
    enhancement: float
    bone: float = 0.04


@dataclass(frozen=True)
class Shape:
    """The way from a patient's space to the atlas: both in mm.

    Attributes:
        matrix: float32 (3, 3), rotation and scaling.
        bend: The smooth deformation added to it.
        skull: Thickness of the skull, mm.
        scalp: What the scalp is thinner than the atlas's, mm.
    """

    matrix: np.ndarray
    bend: SmoothField
    skull: float
    scalp: float

    def to_atlas(self, points: np.ndarray) -> np.ndarray:
        """Points of the patient, float32 (n, 3), in the atlas."""
        return points @ self.matrix + self.bend(points)

    def from_atlas(self, point: np.ndarray) -> np.ndarray:
        """The patient's point that ``point`` of the atlas shows, by fixed-point iteration."""
        inverse = np.linalg.inv(self.matrix)
        found = point @ inverse
        for _ in range(12):
            found = (point - self.bend(found)) @ inverse
        return found.astype(np.float32)


@dataclass(frozen=True)
class View:
    """The plane a patient is imaged in.

    Attributes:
        axis: 0, 1 or 2: sagittal, coronal, axial.
        level: Atlas coordinate of the middle slice along ``axis``, mm.
        sellar: The slices go through the sella.
        centre: float64 (3,), patient's point in the middle of the image, mm.
        width: Field of view, mm.
    """

    axis: int
    level: float
    sellar: bool
    centre: np.ndarray
    width: float

    def points(self, level: float, size: int) -> np.ndarray:
        """Patient coordinates of the pixels at ``level`` (mm): float32 (size², 3)."""
        ticks = self.width * (0.5 - (np.arange(size) + 0.5) / size)
        points = np.empty((size, size, 3), np.float32)
        column, row = COLUMNS[self.axis], ROWS[self.axis]
        points[..., self.axis] = level
        points[..., column] = self.centre[column] + ticks
        points[..., row] = self.centre[row] + ticks[:, None]
        return points.reshape(-1, 3)


def draw_tissues(rng: np.random.Generator) -> Tissues:
    """Contrast of a gadolinium-enhanced T1-weighted image; fluid is dark, fat bright."""
    white = rng.uniform(0.36, 0.50)
    return Tissues(
        white=white,
        grey=white * rng.uniform(0.76, 0.92),
        fluid=white * rng.uniform(0.22, 0.42),
        fat=rng.uniform(0.75, 1.0),
        muscle=white * rng.uniform(0.6, 0.95),
        marrow=rng.uniform(0.25, 0.6),
        enhancement=white * rng.uniform(1.55, 2.1),
    )


def draw_shape(rng: np.random.Generator) -> Shape:
    """Heads up to 7% larger or smaller along each axis, tilted by some degrees, and bent."""
    tilt = rng.normal(0, (5.0, 3.0, 3.0))
    scale = rng.uniform(0.93, 1.07, 3)
    matrix = Rotation.from_euler("xyz", tilt, degrees=True).as_matrix() / scale
    return Shape(
        matrix=matrix.astype(np.float32),
        bend=draw_field(rng, (35, 140), rms=2.4, components=3, waves=14),
        skull=rng.uniform(5, 8),
        scalp=rng.uniform(-1.5, 1.5),
    )


def draw_view(rng: np.random.Generator, must_be_sellar: bool) -> View:
    """Draw plane and level, in the same way for all classes but for the pituitary's level."""
    axis = int(rng.integers(3))
    sellar = bool(rng.random() < SELLAR_SHARE) or must_be_sellar
    level = SELLA[axis] + rng.normal(0, 2.5) if sellar else rng.uniform(*LEVELS[axis])
    centre = VIEW_CENTRE + rng.normal(0, 4.0, 3)
    return View(axis, float(level), sellar, centre, rng.uniform(215, 255))


def nearby(rng: np.random.Generator, sites: np.ndarray, view: View) -> np.ndarray:
    """One of ``sites`` (n, 3) that the view's middle slice cuts, within 5 mm."""
    distance = np.abs(sites[:, view.axis] - view.level)
    return sites[rng.choice(np.flatnonzero(distance < max(5.0, distance.min() + 2.0)))]


def anatomy(points: np.ndarray, moved: np.ndarray, shape: Shape) -> Maps:
    """Read the atlas in a patient's space.

    Args:
        points: float32 (n, 3), the patient's pixels, mm.
        moved: float32 (n, 3), where the brain seen at these pixels was before a tumour pushed it.
        shape: The patient's shape.

    Returns:
        Maps (n,) by name: those of ``phantom_atlas.CHANNELS``, ``fluid`` (probability, within the
        skull) and ``falx`` (distance to the falx in mm).
    """
    atlas = load_atlas()
    place = shape.to_atlas(points)
    maps = dict(zip(CHANNELS, atlas.sample(place), strict=True))
    pushed = np.flatnonzero((points != moved).any(axis=1))
    maps["white"][pushed], maps["grey"][pushed] = atlas.sample(
        shape.to_atlas(moved[pushed]), slice(0, 2)
    )
    maps["fluid"] = np.clip(1 - maps["white"] - maps["grey"], 0, 1)
    maps["falx"] = _falx_distance(place, maps["cranium"])
    return maps


def _falx_distance(place: np.ndarray, cranium: np.ndarray) -> np.ndarray:
    """Distance in mm to the sheet between the hemispheres, which hangs 30 mm from the vault."""
    x, y, z = place.T
    below = np.maximum(-30 - cranium, -6 - z - 0.15 * np.abs(y))
    return np.hypot(x, np.maximum(below, 0))
