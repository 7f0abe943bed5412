"""What a circuit is: its width, depth, embedding, ansatz and readout, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from medqnn.errors import CircuitError

Embedding = Literal["amplitude", "angle"]
Entangler = Literal["cnot", "cz", "none"]
Ansatz = Literal["strong", "ry_rz_strong"]

MAX_QUBITS = 10
"""Widest circuit that is compiled to a matrix; a wider one needs a state-vector method."""

ANGLES = MappingProxyType({"strong": 3, "ry_rz_strong": 5})
"""Trainable angles of each ansatz, for each qubit of each of its layers."""


@dataclass(frozen=True)
class Circuit:
    """A data embedding, trainable layers, perhaps quantum pooling, and Pauli readouts.

    Attributes:
        qubits: Width q, 1 to 10. Qubit 0 is the most significant bit of a basis state's index.
        depth: Number d of the ansatz's layers, at least 1.
        embedding: ``amplitude`` (2^q real numbers, L2-normalised) or ``angle`` (q angles in
            radians, one R_y each).
        readouts: Pauli operators measured on each qubit, a string over ``XYZ`` without repeats;
            ``"Y"`` gives q numbers, ``"XZ"`` gives q for X, then q for Z.
        entangler: Gate of the rings: ``cnot``, ``cz`` or ``none`` (the *product* circuit, which
            never entangles).
        ansatz: ``strong`` or ``ry_rz_strong``; see ``ansatze``.
        pooling: Whether each odd qubit is pooled into the even one before it, so that only the
            even qubits are read out; see ``ansatze``.

    Raises:
        CircuitError: If a field is out of its range.
    """

    qubits: int
    depth: int
    embedding: Embedding = "amplitude"
    readouts: str = "Y"
    entangler: Entangler = "cnot"
    ansatz: Ansatz = "strong"
    pooling: bool = False

    def __post_init__(self) -> None:
        _require(1 <= self.qubits <= MAX_QUBITS, "qubits", self.qubits, f"1 to {MAX_QUBITS}")
        _require(self.depth >= 1, "depth", self.depth, "at least 1")
        _require_one_of(("amplitude", "angle"), "embedding", self.embedding)
        paulis = set(self.readouts)
        valid = bool(paulis) and paulis <= set("XYZ") and len(paulis) == len(self.readouts)
        _require(valid, "readouts", self.readouts, "letters of 'XYZ', each once at most")
        _require_one_of(("cnot", "cz", "none"), "entangler", self.entangler)
        _require_one_of(tuple(ANGLES), "ansatz", self.ansatz)

    @property
    def dimension(self) -> int:
        """Length 2^q of the state vector."""
        return int(2**self.qubits)

    @property
    def inputs(self) -> int:
        """Numbers that one circuit embeds: 2^q amplitudes or q angles."""
        return self.dimension if self.embedding == "amplitude" else self.qubits

    @property
    def measured(self) -> range:
        """Qubits that are read out: all, or with pooling the even ones."""
        return range(0, self.qubits, 2 if self.pooling else 1)

    @property
    def outputs(self) -> int:
        """Expectation values that one circuit returns: one a readout and measured qubit."""
        return len(self.measured) * len(self.readouts)

    @property
    def ansatz_shape(self) -> tuple[int, int, int]:
        """Shape (d, q, angles) of the ansatz's weights; (d, q, 3) is PennyLane's layout."""
        return (self.depth, self.qubits, ANGLES[self.ansatz])

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of one circuit's weights: ``ansatz_shape``.

        With pooling all weights stand in one row: the ansatz's, flattened, then three a pair.
        """
        if not self.pooling:
            return self.ansatz_shape
        depth, qubits, angles = self.ansatz_shape
        return (depth * qubits * angles + 3 * (qubits // 2),)


def _require(condition: bool, name: str, given: object, expected: str) -> None:
    if not condition:
        raise CircuitError(f"circuit {name} is {given!r}: give {expected}")


def _require_one_of(choices: tuple[str, ...], name: str, given: str) -> None:
    *others, last = map(repr, choices)
    _require(given in choices, name, given, f"{', '.join(others)} or {last}")
