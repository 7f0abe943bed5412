"""The quantum layer: parallel circuits as a drop-in beside ``nn.Linear``."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from medqnn.circuits.circuit import Ansatz, Circuit, Embedding, Entangler, Pairs
from medqnn.circuits.expectation import expectations
from medqnn.errors import CircuitError

Evaluate = Callable[[Circuit, Tensor, Tensor], Tensor]
"""Values of a batch: the arguments and shapes of ``circuits.expectations``."""


class QuantumLayer(nn.Module):
    """Parallel circuits of one form, each with its own weights, read out as expectation values.

    The input is cut into consecutive sub-vectors, one a circuit; each is embedded, passes the
    ansatz's layers and is measured on every qubit. Exact simulation, no shots. Formulas and sources
    of what follows are in ``Circuit``.

    ============= ======= ==========================================================
    embedding     reads   prepares
    ============= ======= ==========================================================
    ``amplitude`` 2^q     the vector over its norm (a sub-vector of zeros gives zeros)
    ``angle``     q       R_y(x_j) on qubit j, x in radians
    ``angle_x``   q       R_x(x_j)
    ``angle_z``   q       H, then R_z(x_j)
    ``iqp``       q       as ``angle_z``, then ZZ rotations by x_j·x_k on all pairs
    ============= ======= ==========================================================

    ====================== ============ ========================================================
    ansatz                 weights      a layer
    ====================== ============ ========================================================
    ``strong``             (d, q, 3)    Rot on each qubit, a ring of two-qubit gates
    ``ry_rz_strong``       (d, q, 5)    R_y and R_z, a ring, Rot, a ring
    ``basic``              (d, q)       R_x, a ring
    ``hardware_efficient`` (d, q, 2)    R_y and R_z, two-qubit gates on the pairs of ``coupling``
    ``real_amplitudes``    (d, q)       R_y, two-qubit gates along a line
    ====================== ============ ========================================================

    Args:
        qubits: Qubits q of each circuit, 1 to 24.
        circuits: Number c of parallel circuits.
        depth: Layers d of each circuit's ansatz.
        embedding: One of the first table.
        readouts: Pauli operators measured on each qubit, letters of ``XYZ``.
        entangler: Two-qubit gate of the ansatz: ``cnot``, ``cz``, or ``none`` for none.
        ansatz: One of the second table.
        reupload: Whether the embedding's gates stand before every layer of the ansatz.
        coupling: Pairs (control, target) of qubits that ``hardware_efficient`` couples, in order;
            None is the line 0-1, 1-2, ….

    Attributes:
        in_features: c·2^q or c·q.
        out_features: c·q·len(readouts), ordered by circuit, then readout, then qubit.
        weight: Rotation angles in radians, c times the ansatz's shape, drawn uniformly from
            [0, 2π).
        evaluate: How the circuits are evaluated: ``circuits.expectations``, or what else takes its
            arguments.

    Raises:
        CircuitError: If an argument or an input's shape does not fit, or a readout would always
            be zero: Y with ``real_amplitudes`` on real states.
    """

    def __init__(
        self,
        qubits: int,
        circuits: int = 1,
        depth: int = 2,
        embedding: Embedding = "amplitude",
        readouts: str = "Y",
        entangler: Entangler = "cnot",
        ansatz: Ansatz = "strong",
        reupload: bool = False,
        coupling: Pairs | None = None,
    ) -> None:
        super().__init__()
        if circuits < 1:
            raise CircuitError(f"circuits is {circuits}: give at least 1")
        if ansatz == "real_amplitudes" and embedding in ("amplitude", "angle") and "Y" in readouts:
            raise CircuitError(
                f"readouts are {readouts!r}: 'real_amplitudes' keeps this embedding's states real, "
                "and every Y of a real state is 0; give letters of 'XZ'"
            )
        self.circuit = Circuit(
            qubits,
            depth,
            embedding,
            readouts,
            entangler,
            ansatz,
            reupload=reupload,
            coupling=coupling,
        )
        self.evaluate: Evaluate = expectations
        self.circuits = circuits
        self.in_features = circuits * self.circuit.inputs
        self.out_features = circuits * self.circuit.outputs
        self.weight = nn.Parameter(torch.empty(circuits, *self.circuit.weight_shape))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every angle uniformly from [0, 2π)."""
        nn.init.uniform_(self.weight, 0.0, 2.0 * math.pi)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (..., in_features) to expectation values (..., out_features) in [-1, 1]."""
        if inputs.shape[-1] != self.in_features:
            raise CircuitError(
                f"input has {inputs.shape[-1]} features: this layer of {self.circuits} circuits "
                f"reads {self.in_features}"
            )
        grouped = inputs.unflatten(-1, (self.circuits, self.circuit.inputs))
        return self.evaluate(self.circuit, grouped, self.weight).flatten(-2)

    def extra_repr(self) -> str:
        """Widths and the circuit, as ``nn.Linear`` shows its own."""
        spec = self.circuit
        reupload = ", reupload=True" if spec.reupload else ""
        coupling = f", coupling={spec.coupling}" if spec.coupling else ""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"circuits={self.circuits}, qubits={spec.qubits}, depth={spec.depth}, "
            f"embedding={spec.embedding!r}, readouts={spec.readouts!r}, "
            f"entangler={spec.entangler!r}, ansatz={spec.ansatz!r}{reupload}{coupling}"
        )
