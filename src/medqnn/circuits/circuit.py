"""What a circuit is: its width, depth, embedding, entangler and readout, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from medqnn.errors import CircuitError

Embedding = Literal["amplitude", "angle"]
Entangler = Literal["cnot", "cz", "none"]

MAX_QUBITS = 10
"""Widest circuit that is compiled to a matrix; a wider one needs a state-vector method."""


@dataclass(frozen=True)
class Circuit:
    """A data embedding, strongly entangling layers and Pauli readouts on every qubit.

    Attributes:
        qubits: Width q, 1 to 10. Qubit 0 is the most significant bit of a basis state's index.
        depth: Number d of strongly entangling layers, at least 1.
        embedding: ``amplitude`` (2^q real numbers, L2-normalised) or ``angle`` (q angles in
            radians, one R_y each).
        readouts: Pauli operators measured on each qubit, a string over ``XYZ`` without repeats;
            ``"Y"`` gives q numbers, ``"XZ"`` gives q for X, then q for Z.
        entangler: Gate of the ring after each rotation layer: ``cnot``, ``cz`` or ``none`` (the
            *product* circuit, which never entangles).

    Raises:
        CircuitError: If a field is out of its range.
    """

    qubits: int
    depth: int
    embedding: Embedding = "amplitude"
    readouts: str = "Y"
    entangler: Entangler = "cnot"

    def __post_init__(self) -> None:
        _require(1 <= self.qubits <= MAX_QUBITS, "qubits", self.qubits, f"1 to {MAX_QUBITS}")
        _require(self.depth >= 1, "depth", self.depth, "at least 1")
        _require(
            self.embedding in ("amplitude", "angle"),
            "embedding",
            self.embedding,
            "'amplitude' or 'angle'",
        )
        paulis = set(self.readouts)
        valid = bool(paulis) and paulis <= set("XYZ") and len(paulis) == len(self.readouts)
        _require(valid, "readouts", self.readouts, "letters of 'XYZ', each once at most")
        _require(
            self.entangler in ("cnot", "cz", "none"),
            "entangler",
            self.entangler,
            "'cnot', 'cz' or 'none'",
        )

    @property
    def dimension(self) -> int:
        """Length 2^q of the state vector."""
        return int(2**self.qubits)

    @property
    def inputs(self) -> int:
        """Numbers that one circuit embeds: 2^q amplitudes or q angles."""
        return self.dimension if self.embedding == "amplitude" else self.qubits

    @property
    def outputs(self) -> int:
        """Expectation values that one circuit returns: q for each readout."""
        return self.qubits * len(self.readouts)

    @property
    def weight_shape(self) -> tuple[int, int, int]:
        """Shape (d, q, 3) of one circuit's weights, PennyLane's layout."""
        return (self.depth, self.qubits, 3)


def _require(condition: bool, name: str, given: object, expected: str) -> None:
    if not condition:
        raise CircuitError(f"circuit {name} is {given!r}: give {expected}")
