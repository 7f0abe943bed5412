"""Smooth random functions of space: the one source of variation of the phantom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SmoothField:
    """A sum of cosine waves, defined at every point of space.

    Being a function and not a grid, it gives one plane without the volume around it, and the
    same values at every resolution.

    Attributes:
        wavevectors: float32 (3, waves), radians per mm.
        phases: float32 (waves,), radians.
        amplitudes: float32 (waves, components), in the unit of the values.
    """

    wavevectors: np.ndarray
    phases: np.ndarray
    amplitudes: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Values at ``points``: float32 (..., 3) in mm -> float32 (..., components)."""
        return np.cos(points @ self.wavevectors + self.phases) @ self.amplitudes


def draw_field(
    rng: np.random.Generator,
    wavelengths: tuple[float, float],
    rms: float,
    components: int = 1,
    waves: int = 10,
) -> SmoothField:
    """Draw a smooth field.

    Args:
        rng: Source of randomness.
        wavelengths: Shortest and longest wave in mm; drawn log-uniformly between them, with
            amplitudes in proportion, so that long waves dominate and the field stays smooth.
        rms: Root mean square of each component.
        components: Number of values at a point.
        waves: Number of waves.
    """
    shortest, longest = np.log(wavelengths)
    lengths = np.exp(rng.uniform(shortest, longest, size=waves))
    directions = rng.standard_normal((3, waves))
    directions /= np.linalg.norm(directions, axis=0)
    weights = rng.standard_normal((waves, components)) * lengths[:, None]
    weights *= rms * np.sqrt(2 / (weights**2).sum(axis=0))
    return SmoothField(
        (2 * np.pi * directions / lengths).astype(np.float32),
        rng.uniform(0, 2 * np.pi, waves).astype(np.float32),
        weights.astype(np.float32),
    )
