"""Where the machine code finds its numbers: a circuit's constants, its steps, the batch, a tile."""

from __future__ import annotations

from typing import Any, NamedTuple

from medqnn.kernels.code import Code, Pointer, Value


class Constants(NamedTuple):
    """What a kernel must know of a circuit, in this order in memory."""

    qubits: Value
    layers: Value  # L
    size: Value  # N = 2^q
    rows: Value  # N, filled up to whole vectors
    width: Value  # numbers in half a row, filled up to whole vectors: see ``rows``
    outputs: Value
    amplitudes: Value  # 1 if amplitudes are embedded, 0 if angles
    weights: Value  # P
    angles: Value  # (L + 2) q 3, filled up to whole vectors
    uploads: Value  # layers that rotate by the data; none embeds the data before all layers
    uploading: Pointer  # int64 (uploads,): which
    states: Pointer  # int64 (L + 1, N): where P_0 = 1, P_1 … P_L send each state
    signs: Pointer  # (L + 1, N): and the signs that they give it
    slopes: Pointer  # (P, angles): weights to φ/2, θ/2, ω/2
    offsets: Pointer  # (angles,)


CONSTANTS = "nnnnnnnnnniippp"
"""Kinds of the fields, as in ``Code.record``."""


class Embedded(NamedTuple):
    """Where a tile of images is embedded."""

    states: Pointer  # (rows, tile)
    grads: Pointer  # (rows, tile): to the states
    spare: Pointer  # (tile,)
    tile: int  # images


class Steps(NamedTuple):
    """One circuit's part of the memory that forward leaves to backward."""

    cosines: Pointer  # (L + 2, q, 3): of φ/2, θ/2, ω/2
    sines: Pointer
    diagonals: Pointer  # (L + 1, 2, rows): D_0 … D_L, with the signs that P gives
    stages: Pointer  # (L + 1, rows, 2 width): Z_0 … Z_L

    @classmethod
    def find(cls, known: Constants, number: Value, work: Pointer) -> Steps:
        """Those of circuit ``number`` in the memory of all; ``contract.steps_size`` is one's."""
        diagonals = (known.layers + 1) * known.rows * 2
        own = work + number * (known.angles * 2 + diagonals + diagonals * known.width)
        rest = own + known.angles * 2
        return cls(own, own + known.angles, rest, rest + diagonals)


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


class Call(NamedTuple):
    """A kernel's arguments: ``contract.ARGUMENTS``."""

    table: Pointer  # int64s: the circuit's constants, and what else the kernel must know
    work: Pointer  # what forward leaves to backward
    scratch: Pointer
    weights: Pointer  # (c, P)
    grad_weights: Pointer  # (c, P), written by backward
    circuits: Value  # c
    images: Value  # B
    batches: list[Batch]

    @classmethod
    def read(cls, *arguments: Any) -> Call:
        """From a function's arguments, one by one."""
        batches = [Batch(*arguments[i : i + 4]) for i in range(7, len(arguments), 4)]
        return cls._make([*arguments[:7], batches])
