"""The quantum layer: parallel circuits as a drop-in beside ``nn.Linear``."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from medqnn.circuits.circuit import Ansatz, Circuit, Embedding, Entangler
from medqnn.circuits.expectation import expectations
from medqnn.errors import CircuitError


class QuantumLayer(nn.Module):
    """Parallel circuits of one form, each with its own weights, read out as expectation values.

    The input is cut into consecutive sub-vectors, one a circuit; each is embedded, passes the
    ansatz's layers and is measured on every qubit. Exact simulation, no shots.

    Args:
        qubits: Qubits q of each circuit, 1 to 10.
        circuits: Number c of parallel circuits.
        depth: Layers d of each circuit's ansatz.
        embedding: ``amplitude`` reads 2^q numbers a circuit and normalises them (a sub-vector of
            zeros gives zeros); ``angle`` reads q angles in radians.
        readouts: Pauli operators measured on each qubit, letters of ``XYZ``.
        entangler: Two-qubit gate of the rings: ``cnot``, ``cz``, or ``none`` for none.
        ansatz: ``strong``, strongly entangling layers, or ``ry_rz_strong``; see
            ``circuits.ansatze``.

    Attributes:
        in_features: c·2^q or c·q.
        out_features: c·q·len(readouts), ordered by circuit, then readout, then qubit.
        weight: Rotation angles in radians, (c, d, q, 3), or (c, d, q, 5) with ``ry_rz_strong``,
            drawn uniformly from [0, 2π).

    Raises:
        CircuitError: If an argument or an input's shape does not fit.
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
    ) -> None:
        super().__init__()
        if circuits < 1:
            raise CircuitError(f"circuits is {circuits}: give at least 1")
        self.circuit = Circuit(qubits, depth, embedding, readouts, entangler, ansatz)
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
        return expectations(self.circuit, grouped, self.weight).flatten(-2)

    def extra_repr(self) -> str:
        """Widths and the circuit, as ``nn.Linear`` shows its own."""
        spec = self.circuit
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"circuits={self.circuits}, qubits={spec.qubits}, depth={spec.depth}, "
            f"embedding={spec.embedding!r}, readouts={spec.readouts!r}, "
            f"entangler={spec.entangler!r}, ansatz={spec.ansatz!r}"
        )
