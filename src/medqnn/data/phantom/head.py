"""Face, neck and vessels of the phantom's head: ellipsoids and tubes in MNI millimetres.

They are only the surroundings in which a brain is seen, placed by eye on contrast-enhanced
T1-weighted slices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Ellipsoid = tuple[tuple[float, float, float], tuple[float, float, float]]  # centre, semi-axes


class Face(NamedTuple):
    """Ellipsoids of the face by tissue, painted fat first."""

    fat: tuple[Ellipsoid, ...]
    muscle: tuple[Ellipsoid, ...]


def _both_sides(*shapes: Ellipsoid) -> tuple[Ellipsoid, ...]:
    return tuple(((side * c[0], c[1], c[2]), axes) for c, axes in shapes for side in (-1, 1))


HEAD: tuple[Ellipsoid, ...] = (
    ((0, 36, -58), (70, 56, 50)),  # upper face
    ((0, 36, -100), (62, 56, 46)),  # jaw
    ((0, 94, -62), (13, 18, 20)),  # nose
    ((0, -26, -74), (76, 66, 56)),  # base of the skull
    ((0, -30, -140), (64, 62, 80)),  # neck
)
FACE = Face(
    fat=(
        *_both_sides(((33, 56, -36), (20, 26, 18)), ((44, 62, -82), (16, 22, 22))),  # orbit, cheek
        ((0, -24, -66), (11, 7, 24)),  # marrow of the clivus
        ((0, -28, -112), (11, 9, 24)),  # marrow of the vertebrae
        ((0, -85, -118), (22, 20, 40)),  # nape
        ((0, 62, -118), (30, 18, 10)),
    ),
    muscle=(
        *_both_sides(
            ((33, 66, -36), (12.5, 12.5, 12.5)),  # globe
            ((27, 40, -37), (3, 17, 3)),  # optic nerve
            ((46, 62, -36), (2.5, 22, 5)),
            ((56, 20, -88), (8, 15, 30)),  # masseter
            ((36, 18, -85), (8, 13, 24)),  # pterygoids
            ((30, -72, -105), (16, 18, 40)),  # neck
        ),
        ((0, 48, -112), (24, 34, 16)),  # tongue
        ((0, -50, -112), (6, 5.5, 50)),  # spinal cord
    ),
)
AIR: tuple[Ellipsoid, ...] = (
    *_both_sides(
        ((8, 52, -60), (5, 34, 22)),  # nasal cavity
        ((30, 52, -70), (12, 16, 16)),  # maxillary sinus
        ((7.5, 20, -47), (6.5, 12, 8)),  # sphenoid sinus
        ((9, 48, -36), (5, 18, 7)),  # ethmoid cells
        ((11, 80, -12), (8, 4, 10)),  # frontal sinus
        ((46, -36, -52), (8, 11, 10)),  # mastoid cells
        ((33, 66, -36), (9.5, 9.5, 9.5)),  # vitreous: as dark as air beside fat
    ),
    ((0, 8, -82), (12, 9, 32)),  # pharynx
    ((0, 46, -93), (20, 36, 4)),  # mouth
)
VESSELS: tuple[tuple[float, tuple[tuple[float, float, float], ...]], ...] = (  # radius, path
    (2.2, ((0, -22, -62), (0, -13, -42), (0, -14, -24))),  # basilar artery
    *(
        vessel
        for s in (-1, 1)
        for vessel in (
            (2.6, ((22 * s, -12, -60), (18 * s, -8, -42), (12 * s, 2, -38), (11 * s, 4, -22))),
            (1.6, ((11 * s, 4, -20), (24 * s, 4, -20), (38 * s, 2, -14), (44 * s, -20, 4))),
            (1.5, ((14 * s, -30, 16), (24 * s, -38, 12), (28 * s, -36, 2))),  # choroid plexus
            (3.4, ((4 * s, -102, -8), (36 * s, -86, -24), (58 * s, -54, -32), (50 * s, -32, -52))),
            (3.0, ((18 * s, 6, -36), (17 * s, -8, -38))),  # cavernous sinus
        )
    ),
    (1.6, ((2, 6, -20), (1, 32, -10), (0, 40, 8), (0, 24, 30), (0, -10, 38))),  # anterior cerebral
    (3.2, ((-3.5, 2, -37), (3.5, 2, -37))),  # pituitary gland
    (1.6, ((0, -2, 12), (0, -32, 12), (0, -44, 14))),  # internal cerebral and great vein
    (2.4, ((0, -44, 12), (0, -98, -6))),  # straight sinus
)


def paint(
    volume: np.ndarray, grid: tuple[np.ndarray, ...], shapes: tuple[Ellipsoid, ...], value: float
) -> np.ndarray:
    """A copy of ``volume`` with ``value`` inside the ellipsoids; ``grid`` as from ``np.ix_``."""
    painted = volume.copy()
    for centre, axes in shapes:
        spans = tuple(
            slice(*np.searchsorted(g.ravel(), (c - a, c + a)))
            for g, c, a in zip(grid, centre, axes, strict=True)
        )
        x, y, z = (
            (g.ravel()[span] - c) / a
            for g, span, c, a in zip(grid, spans, centre, axes, strict=True)
        )
        inside = x[:, None, None] ** 2 + y[:, None] ** 2 + z**2 < 1
        painted[spans][inside] = value
    return painted


def tube_distance(
    grid: tuple[np.ndarray, ...], tubes: tuple[tuple[float, tuple[tuple[float, ...], ...]], ...]
) -> np.ndarray:
    """Distance in mm to the nearest wall of tubes around polylines, negative inside, at most 12."""
    shape = tuple(g.size for g in grid)
    distance = np.full(shape, 12.0)
    for radius, path in tubes:
        for start, end in zip(np.array(path), np.array(path)[1:], strict=False):
            low, high = np.minimum(start, end) - 14, np.maximum(start, end) + 14
            spans = tuple(
                slice(*np.searchsorted(g.ravel(), ends))
                for g, ends in zip(grid, zip(low, high, strict=True), strict=True)
            )
            axes = np.ix_(*(g.ravel()[span] for g, span in zip(grid, spans, strict=True)))
            step = end - start
            share = sum((g - s) * d for g, s, d in zip(axes, start, step, strict=True))
            share = np.clip(share / (step @ step), 0, 1)
            square = sum(
                (g - s - share * d) ** 2 for g, s, d in zip(axes, start, step, strict=True)
            )
            distance[spans] = np.minimum(distance[spans], np.sqrt(square) - radius)
    return distance
