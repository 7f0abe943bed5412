"""Pauli expectation values: a change of basis, squared magnitudes, then signs."""

from __future__ import annotations

import torch
from torch import Tensor

from medqnn.circuits import gates
from medqnn.circuits.circuit import Circuit


def readout_rows(circuit: Circuit) -> Tensor:
    """Each readout's change of basis, one above the other.

    Returns:
        complex128 (r 2^q, 2^q) for r readouts: ``rows @ ψ`` holds the amplitudes of a state ψ in
        every readout's eigenbasis.
    """
    changes = [gates.power(gates.BASIS_CHANGE[pauli], circuit.qubits) for pauli in circuit.readouts]
    return torch.cat(changes)


def readout_signs(circuit: Circuit) -> Tensor:
    """Signs that turn probabilities into expectation values of the measured qubits.

    Returns:
        float64 (outputs, r 2^q), block-diagonal over the r readouts.
    """
    eigenvalues = gates.z_eigenvalues(circuit.qubits).T[list(circuit.measured)]
    return torch.kron(torch.eye(len(circuit.readouts), dtype=torch.float64), eigenvalues)
