"""Pauli expectation values: a change of basis, squared magnitudes, then signs."""

from __future__ import annotations

import torch
from torch import Tensor

from medqnn.circuits import gates
from medqnn.circuits.ansatze import ring
from medqnn.circuits.circuit import Circuit


def readout_columns(circuit: Circuit) -> Tensor:
    """The fixed end of the circuit, transposed: last ring, then each readout's basis change.

    Returns:
        complex128 (2^q, r 2^q) for r readouts: with a state ψ before the last ring as a row,
        ``ψ @ columns`` holds the amplitudes in every readout's eigenbasis.
    """
    states, signs = ring(circuit, circuit.depth - 1)
    columns = []
    for pauli in circuit.readouts:
        change = torch.ones(1, 1, dtype=torch.complex128)
        for _ in range(circuit.qubits):
            change = gates.kron(change, gates.BASIS_CHANGE[pauli])
        columns.append((change.T)[states] * signs[:, None])
    return torch.cat(columns, dim=1)


def readout_signs(circuit: Circuit) -> Tensor:
    """Signs that turn squared amplitudes into expectation values.

    Returns:
        float64 (2 r 2^q, r q), block-diagonal over the r readouts. Rows come in pairs, since a
        probability is the sum of the squares of a real and an imaginary part.
    """
    eigenvalues = gates.z_eigenvalues(circuit.qubits).repeat_interleave(2, dim=0)
    return torch.kron(torch.eye(len(circuit.readouts), dtype=torch.float64), eigenvalues)
