"""The three tumours of the phantom, each told by what tells it in a patient.

A tumour is a function of space, so that its mask is exact in every plane and at every size.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from medqnn.data.phantom.anatomy import SELLA, Maps, Shape, Tissues, View, nearby
from medqnn.data.phantom.atlas import load_atlas
from medqnn.data.phantom.fields import SmoothField, draw_field


@dataclass(frozen=True)
class Lesion(ABC):
    """A tumour in a patient's space.

    Attributes:
        centre: float32 (3,), mm.
        radii: float32 (3,), semi-axes in mm.
        push: How far it displaces the brain: 0 not at all, 1 wholly.
        outline: Unevenness of its surface, in units of the radii.
        grain: Unevenness of its enhancement, relative.
        strength: Its enhancement relative to the patient's vessels.
    """

    centre: np.ndarray
    radii: np.ndarray
    push: float
    outline: SmoothField
    grain: SmoothField
    strength: float

    @abstractmethod
    def paint(
        self, image: np.ndarray, points: np.ndarray, maps: Maps, tissues: Tissues
    ) -> tuple[np.ndarray, np.ndarray]:
        """Put the tumour into an image.

        Args:
            image: float32 (n,), the signal without the tumour.
            points: float32 (n, 3), patient's coordinates, mm.
            maps: The anatomy at these points.
            tissues: The patient's contrast.

        Returns:
            The signal with the tumour, and the tumour's mask, bool (n,).
        """

    def before_push(self, points: np.ndarray) -> np.ndarray:
        """Where the brain at ``points`` (n, 3) was before the tumour: nearer to its centre."""
        offset = points - self.centre
        square = ((offset / self.radii) ** 2).sum(axis=1, keepdims=True)
        share = np.where(square < 9, self.push * np.exp(-square / 2.5), 0)
        return points - offset * share.astype(np.float32)

    def _distance(self, points: np.ndarray) -> np.ndarray:
        """Distance from the centre in units of the radii."""
        return np.sqrt((((points - self.centre) / self.radii) ** 2).sum(axis=1))

    def _share(self, level: np.ndarray) -> np.ndarray:
        """Share of tissue inside the surface ``level`` = 0, over an edge of a millimetre."""
        return np.clip(0.5 - level * self.radii.min(), 0, 1)

    def _enhanced(self, points: np.ndarray, tissues: Tissues) -> np.ndarray:
        return tissues.enhancement * self.strength * (1 + self.grain(points)[:, 0])


@dataclass(frozen=True)
class Meningioma(Lesion):
    """Outside the brain, broad on the dura, sharply edged, enhancing evenly; with a dural tail."""

    def paint(
        self, image: np.ndarray, points: np.ndarray, maps: Maps, tissues: Tissues
    ) -> tuple[np.ndarray, np.ndarray]:
        """Paint it; see ``Lesion.paint``."""
        distance = self._distance(points) + self.outline(points)[:, 0]
        skull = maps["cranium"] / self.radii.min()
        inside = np.maximum(distance - 1, skull)
        tail = np.exp(-((maps["cranium"] / 1.3) ** 2)) * (distance < 1.55) * (distance > 1)
        cleft = self._share(distance - 1.1) * self._share(skull)
        bright = self._enhanced(points, tissues)
        image = _mix(image, tissues.fluid, 0.45 * cleft)
        image = _mix(image, bright, 0.8 * tail)
        return _mix(image, bright, self._share(inside)), inside < 0


@dataclass(frozen=True)
class Glioma(Lesion):
    """Inside the white matter: ragged bright rim, dark necrotic core, dark oedema around it."""

    core: SmoothField  # unevenness of the dark core
    necrosis: float  # radius of the dark core in units of the tumour's
    oedema: float  # reach of the oedema in the same units

    def paint(
        self, image: np.ndarray, points: np.ndarray, maps: Maps, tissues: Tissues
    ) -> tuple[np.ndarray, np.ndarray]:
        """Paint it; see ``Lesion.paint``."""
        distance = self._distance(points) + self.outline(points)[:, 0]
        skull = (maps["cranium"] + 2.0) / self.radii.min()
        inside = np.maximum(distance - 1, skull)
        core = distance - self.necrosis + self.core(points)[:, 0]
        swelling = np.clip(2 * (self.oedema - distance), 0, 1)
        swelling *= np.clip(1.6 * maps["white"] - 0.2, 0, 1)  # it spreads along white matter
        rim = self._enhanced(points, tissues)
        image = _mix(image, 0.62 * tissues.white + 0.38 * tissues.fluid, 0.9 * swelling)
        image = _mix(image, np.maximum(rim, tissues.grey), self._share(inside))
        dark = 0.25 * tissues.white + 0.75 * tissues.fluid
        return _mix(image, dark, self._share(np.maximum(core, inside))), inside < 0


@dataclass(frozen=True)
class Pituitary(Lesion):
    """Rises on the midline from the sella, waisted where it leaves it, enhancing rather evenly."""

    dome: np.ndarray  # float32 (3,), offset of the upper part, mm
    dome_radius: float  # mm

    def paint(
        self, image: np.ndarray, points: np.ndarray, maps: Maps, tissues: Tissues
    ) -> tuple[np.ndarray, np.ndarray]:
        """Paint it; see ``Lesion.paint``."""
        upper = np.linalg.norm(points - self.centre - self.dome, axis=1) / self.dome_radius
        inside = np.minimum(self._distance(points), upper) + self.outline(points)[:, 0] - 1
        bright = self._enhanced(points, tissues)
        return _mix(image, bright, self._share(inside)), inside < 0


def draw_meningioma(rng: np.random.Generator, shape: Shape, view: View) -> Meningioma:
    """On the dura of the skull or the falx, where the view cuts it."""
    radius = rng.uniform(13, 24)
    site = nearby(rng, load_atlas().dural_sites, view)
    return Meningioma(
        centre=shape.from_atlas(site * (1 - 0.35 * radius / np.linalg.norm(site))),
        radii=_radii(rng, radius, 0.15),
        push=0.55,
        outline=draw_field(rng, (14, 40), rms=0.05),
        grain=draw_field(rng, (5, 20), rms=0.04),
        strength=rng.uniform(0.95, 1.2),
    )


def draw_glioma(rng: np.random.Generator, shape: Shape, view: View) -> Glioma:
    """In the white matter that the view cuts."""
    return Glioma(
        centre=shape.from_atlas(nearby(rng, load_atlas().white_sites, view)),
        radii=_radii(rng, rng.uniform(11, 23), 0.25),
        push=0.3,
        outline=draw_field(rng, (9, 40), rms=0.16, waves=16),
        core=draw_field(rng, (7, 25), rms=0.14),
        grain=draw_field(rng, (6, 18), rms=0.18, waves=24),
        strength=rng.uniform(0.8, 1.15),
        necrosis=rng.uniform(0.55, 0.8),
        oedema=rng.uniform(1.3, 2.1),
    )


def draw_pituitary(rng: np.random.Generator, shape: Shape, view: View) -> Pituitary:
    """In the sella; the view goes through it."""
    radius = rng.uniform(8, 12)
    return Pituitary(
        centre=shape.from_atlas(SELLA + rng.normal(0, 0.8, 3)),
        radii=(radius * rng.uniform((0.95, 0.9, 0.85), (1.35, 1.15, 1.1))).astype(np.float32),
        push=0.5,
        outline=draw_field(rng, (12, 30), rms=0.06),
        grain=draw_field(rng, (5, 20), rms=0.07),
        strength=rng.uniform(0.85, 1.15),
        dome=np.array([rng.normal(0, 1.5), rng.normal(0, 1.5), radius * 1.1], np.float32),
        dome_radius=radius * rng.uniform(0.6, 1.2),
    )


def _radii(rng: np.random.Generator, radius: float, spread: float) -> np.ndarray:
    return (radius * rng.uniform(1 - spread, 1 + spread, 3)).astype(np.float32)


def _mix(image: np.ndarray, signal: np.ndarray | float, share: np.ndarray) -> np.ndarray:
    return image + share * (signal - image)
