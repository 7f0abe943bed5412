"""Where the machine code finds its numbers: a circuit's constants, its steps, the batch, a tile."""

from __future__ import annotations

from typing import NamedTuple

from medqnn.circuits.native.code import Code, Pointer, Value

TILE = 64
"""Images worked on together, little enough for the nearest cache."""

MOST_ROWS = 8
"""Rows of a product that are summed together at most: see ``Code.block``."""


class Constants(NamedTuple):
    """What a kernel must know of a circuit: int64s and addresses, in this order in memory."""

    qubits: Value
    layers: Value  # L
    size: Value  # N = 2^q
    rows: Value  # N, filled up to whole vectors
    width: Value  # r N for r readouts, filled up to whole vectors
    outputs: Value
    filled_outputs: Value  # filled up to whole blocks of rows
    amplitudes: Value  # 1 if amplitudes are embedded, 0 if angles
    weights: Value  # P
    angles: Value  # (L + 2) q 3, filled up to whole vectors
    states: Pointer  # int64 (L + 1, N): where P_0 = 1, P_1 … P_{L-1}, 1 send each state
    signs: Pointer  # (L + 1, N): and the signs that they give it
    start: Pointer  # (N, 2 width): (V^⊗n P_L)ᵀ
    readout: Pointer  # (filled_outputs, width): probabilities to values
    slopes: Pointer  # (P, angles): weights to φ/2, θ/2, ω/2
    offsets: Pointer  # (angles,)

    @classmethod
    def read(cls, code: Code, table: Pointer) -> Constants:
        """Those that stand in memory."""
        numbers, pointers = cls._fields[:10], cls._fields[10:]
        given: list[Value | Pointer] = [table[place] for place in range(len(numbers))]
        for place, name in enumerate(pointers, start=len(numbers)):
            given.append(code.pointer(table[place], "i" if name == "states" else "p"))
        return cls(*given)  # type: ignore[arg-type]


class Steps(NamedTuple):
    """One circuit's part of the memory that forward leaves to backward."""

    cosines: Pointer  # (L + 2, q, 3): of φ/2, θ/2, ω/2
    sines: Pointer
    diagonals: Pointer  # (L + 1, 2, rows): D_0 … D_L, with the signs that P gives
    stages: Pointer  # (L + 1, rows, 2 width): Z_0 … Z_L

    @classmethod
    def find(cls, known: Constants, number: Value, work: Pointer) -> Steps:
        """Those of circuit ``number`` in the memory of all; ``work_size`` is one's."""
        diagonals = (known.layers + 1) * known.rows * 2
        own = work + number * (known.angles * 2 + diagonals + diagonals * known.width)
        rest = own + known.angles * 2
        return cls(own, own + known.angles, rest, rest + diagonals)


def work_size(layers: int, rows: int, width: int, angles: int) -> int:
    """Numbers that one circuit's ``Steps`` take."""
    return 2 * angles + (layers + 1) * 2 * rows * (1 + width)


class Batch(NamedTuple):
    """Numbers (B, c, n) in memory, each dimension with its stride."""

    start: Pointer
    image: Value
    circuit: Value
    number: Value

    def tile(self, first: Value, circuit: Value) -> Batch:
        """From an image on, of one circuit."""
        return self._replace(start=self.start + first * self.image + circuit * self.circuit)

    def gather(self, code: Code, number: Value, into: Pointer, count: Value) -> None:
        """One number of each image, side by side."""
        source = self.start + number * self.number
        for b in code.range(0, count):
            into[b] = source[b * self.image]

    def scatter(self, code: Code, number: Value, source: Pointer, count: Value) -> None:
        """The way back."""
        into = self.start + number * self.number
        for b in code.range(0, count):
            into[b * self.image] = source[b]


class Room(NamedTuple):
    """Scratch memory: rows of 64 images, but for the last three."""

    states: Pointer  # rows
    amplitudes: Pointer  # 2 width
    probabilities: Pointer  # width
    values: Pointer  # filled_outputs
    spare: Pointer  # 2
    grad_states: Pointer  # rows
    images: Pointer  # (64, rows): the states, image by image
    matrix: Pointer  # (2 width, rows)
    rest: Pointer

    @classmethod
    def divide(cls, known: Constants, scratch: Pointer) -> Room:
        """Cut the memory up; ``scratch_size`` is its size."""
        rows, width = known.rows, known.width
        places = [scratch]
        for count in (rows, width * 2, width, known.filled_outputs, 2, rows, rows):
            places.append(places[-1] + count * TILE)
        return cls._make([*places, places[-1] + rows * width * 2])


def scratch_size(rows: int, width: int, filled_outputs: int, angles: int) -> int:
    """Numbers of scratch memory: the tile's, the matrix's, and those of its building and walk."""
    tile = (3 * rows + 3 * width + filled_outputs + 2) * TILE
    return tile + rows * 2 * width + rows * (4 + 4 * width) + angles
