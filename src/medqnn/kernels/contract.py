"""What the kernels and those who call them agree on: arguments, and how long things in memory are.

Lengths are in numbers, not in bytes.
"""

from __future__ import annotations

from typing import Literal

Kernel = Literal["matrix", "states"]
"""``matrix_batch`` or ``states_batch``."""

ARGUMENTS = {"forward": "ipppp" + "nn" + "pnnn" * 2, "backward": "ipppp" + "nn" + "pnnn" * 3}
"""Each kernel's functions, and the kinds of their arguments, as in ``Code.record``."""

VECTOR_BITS = 512
"""Length of a vector."""

TILE = 64
"""Images that ``matrix_batch`` works on together, little enough for the nearest cache."""

MOST_ROWS = 8
"""Rows of a product that are summed together at most: see ``Code.block``."""

LEAST_SQUARED_NORM = 1e-24
"""A vector shorter than its root, 1e-12, is divided by that instead of by its own norm."""


def steps_size(layers: int, rows: int, width: int, angles: int) -> int:
    """What one circuit's ``memory.Steps`` take."""
    return 2 * angles + (layers + 1) * 2 * rows * (1 + width)


def turns_size(layers: int, qubits: int, lanes: int) -> int:
    """What ``states_turns.Turns`` take."""
    return 3 * (layers + 2) * qubits * lanes


def matrix_room(rows: int, width: int, filled_outputs: int, angles: int) -> int:
    """``matrix_batch``'s scratch memory: the tile's, the matrix's, its building's and walk's."""
    tile = (3 * rows + 3 * width + filled_outputs + 1) * TILE
    return tile + rows * 2 * width + rows * (4 + 4 * width) + angles


def states_room(layers: int, qubits: int, rows: int, lanes: int, outputs: int, angles: int) -> int:
    """``states_batch``'s scratch memory: it grows with the depth, not with the batch."""
    tile = (6 * rows + outputs + 1) * lanes
    turns, steps = turns_size(layers, qubits, lanes), steps_size(layers, rows, lanes, angles)
    doubles = (lanes // 8) * ((layers + 1) * rows + angles)
    return steps + turns + tile + doubles + angles + 4 * rows
