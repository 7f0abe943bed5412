"""What a circuit is: its width, depth, embedding, ansatz and readout, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from medqnn.errors import CircuitError

Embedding = Literal["amplitude", "angle", "angle_x", "angle_z", "iqp"]
Entangler = Literal["cnot", "cz", "none"]
Ansatz = Literal["strong", "ry_rz_strong", "basic", "hardware_efficient", "real_amplitudes"]
Pairs = tuple[tuple[int, int], ...]

MAX_QUBITS = 24
"""Widest circuit: its state vector has 16.8 million amplitudes an image."""

COMPILED_QUBITS = 10
"""Widest circuit that is compiled to a matrix; a wider one needs a state-vector method."""

ANGLES = MappingProxyType(
    {"strong": 3, "ry_rz_strong": 5, "basic": 1, "hardware_efficient": 2, "real_amplitudes": 1}
)
"""Trainable angles of each ansatz, for each qubit of each of its layers."""


@dataclass(frozen=True)
class Circuit:
    """A data embedding, trainable layers, perhaps quantum pooling, and Pauli readouts.

    R_p(t) = exp(-i t p / 2) and Rot(φ, θ, ω) = R_z(ω) R_y(θ) R_z(φ). Embeddings of numbers x:

    - ``amplitude``: the state Σ_b x_b |b⟩ / ‖x‖ of 2^q real numbers.
    - ``angle``, ``angle_x``: R_y(x_j), or R_x(x_j), on qubit j of |0…0⟩.
    - ``angle_z``: H, then R_z(x_j), on qubit j; without H an R_z would leave |0…0⟩ as it is.
    - ``iqp`` (Havlíček et al. 2019): H and R_z(x_j) on each qubit, then exp(-i x_j x_k Z_j Z_k / 2)
      on all pairs; once, as PennyLane's ``IQPEmbedding``. It entangles by itself, as amplitudes do.

    Ansätze, each of d layers:

    - ``strong``, strongly entangling layers (Schuld et al. 2020): Rot on each qubit, then a ring of
      two-qubit gates whose reach grows from layer to layer; weights (d, q, 3): φ, θ, ω.
    - ``ry_rz_strong`` (HQCNN-MedMNIST): R_y and R_z on each qubit, a ring of reach 1, then one
      strongly entangling layer; weights (d, q, 5): R_y, R_z, φ, θ, ω.
    - ``basic``, PennyLane's ``BasicEntanglerLayers``: R_x on each qubit, then a ring of reach 1,
      which on two qubits is one gate; weights (d, q).
    - ``hardware_efficient`` (after Kandala et al. 2017): R_y and R_z on each qubit, then gates on
      the pairs of ``coupling``; weights (d, q, 2). On a line it is Qiskit's ``efficient_su2``.
    - ``real_amplitudes``, Qiskit's: R_y on each qubit, then gates along the line 0-1, 1-2, …;
      weights (d, q). It keeps real states real.

    The last two are Qiskit's with ``skip_final_rotation_layer=True``, for every layer here ends
    with its gates; Qiskit lists a layer's weights by gate, then qubit, here the qubit comes first.

    Attributes:
        qubits: Width q, 1 to 24. Qubit 0 is the most significant bit of a basis state's index.
        depth: Number d of the ansatz's layers, at least 1.
        embedding: One of those above.
        readouts: Pauli operators measured on each qubit, a string over ``XYZ`` without repeats;
            ``"Y"`` gives q numbers, ``"XZ"`` gives q for X, then q for Z.
        entangler: Two-qubit gate of the ansatz: ``cnot``, ``cz`` or ``none`` (the *product*
            circuit, whose ansatz never entangles).
        ansatz: One of those above.
        pooling: Whether each odd qubit is pooled into the even one before it, so that only the
            even qubits are read out; see ``ansatze``.
        reupload: Whether the embedding's gates stand before every layer of the ansatz, not before
            the first alone (Pérez-Salinas et al. 2020). Amplitudes have no such gates.
        coupling: Control and target of each two-qubit gate of ``hardware_efficient``, in order;
            None is the line 0-1, 1-2, ….

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
    reupload: bool = False
    coupling: Pairs | None = None

    def __post_init__(self) -> None:
        _require(1 <= self.qubits <= MAX_QUBITS, "qubits", self.qubits, f"1 to {MAX_QUBITS}")
        _require(self.depth >= 1, "depth", self.depth, "at least 1")
        _require_one_of(get_args(Embedding), "embedding", self.embedding)
        paulis = set(self.readouts)
        valid = bool(paulis) and paulis <= set("XYZ") and len(paulis) == len(self.readouts)
        _require(valid, "readouts", self.readouts, "letters of 'XYZ', each once at most")
        _require_one_of(get_args(Entangler), "entangler", self.entangler)
        _require_one_of(get_args(Ansatz), "ansatz", self.ansatz)
        repeatable = not self.reupload or self.embedding != "amplitude"
        _require(repeatable, "reupload", self.reupload, "False, or an embedding of angles")
        if self.coupling is not None:
            object.__setattr__(self, "coupling", self._checked_coupling(self.coupling))

    def _checked_coupling(self, given: object) -> Pairs:
        """The pairs as tuples: a recipe gives lists, which are not hashable."""
        served = self.ansatz == "hardware_efficient"
        _require(served, "coupling", given, f"None: {self.ansatz!r} has its own pairs")
        try:
            pairs = tuple((control, target) for control, target in given)  # type: ignore[attr-defined]
            valid = 0 < len(pairs) == len(set(pairs)) and all(
                {control, target} <= set(range(self.qubits)) and control != target
                for control, target in pairs
            )
        except (TypeError, ValueError):
            valid = False
        expected = f"pairs of two different qubits of 0 to {self.qubits - 1}, each pair once"
        _require(valid, "coupling", given, expected)
        return pairs

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
    def ansatz_shape(self) -> tuple[int, ...]:
        """Shape of the ansatz's weights: (d, q, angles), or (d, q) of one angle; PennyLane's."""
        angles = ANGLES[self.ansatz]
        return (self.depth, self.qubits, angles)[: 2 if angles == 1 else 3]

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of one circuit's weights: ``ansatz_shape``.

        With pooling all weights stand in one row: the ansatz's, flattened, then three a pair.
        """
        if not self.pooling:
            return self.ansatz_shape
        return (math.prod(self.ansatz_shape) + 3 * (self.qubits // 2),)


def _require(condition: bool, name: str, given: object, expected: str) -> None:
    if not condition:
        raise CircuitError(f"circuit {name} is {given!r}: give {expected}")


def _require_one_of(choices: tuple[str, ...], name: str, given: str) -> None:
    *others, last = map(repr, choices)
    _require(given in choices, name, given, f"{', '.join(others)} or {last}")
