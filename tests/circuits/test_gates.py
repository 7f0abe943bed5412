from __future__ import annotations

import itertools

import numpy as np
import pennylane as qml
import pytest
import torch
from torch import Tensor

from medqnn.circuits import gates

PAIRS = [(q, *pair) for q in (2, 3, 4) for pair in itertools.permutations(range(q), 2)]


def permutation_matrix(states: Tensor) -> np.ndarray:
    """Matrix that sends |b⟩ to |states[b]⟩."""
    matrix = np.zeros((len(states), len(states)))
    matrix[states.numpy(), np.arange(len(states))] = 1
    return matrix


@pytest.mark.parametrize(("qubits", "control", "target"), PAIRS)
def test_cnot_and_cz_are_pennylanes(qubits: int, control: int, target: int) -> None:
    order = range(qubits)
    cnot = qml.matrix(qml.CNOT([control, target]), wire_order=order)
    cz = qml.matrix(qml.CZ([control, target]), wire_order=order)
    np.testing.assert_array_equal(permutation_matrix(gates.cnot(qubits, control, target)), cnot)
    np.testing.assert_array_equal(np.diag(gates.cz(qubits, control, target).numpy()), cz)


@pytest.mark.parametrize("qubits", [1, 2, 3])
def test_eigenvalues_are_those_of_z(qubits: int) -> None:
    for qubit in range(qubits):
        z = qml.matrix(qml.PauliZ(qubit), wire_order=range(qubits))
        np.testing.assert_array_equal(np.diag(gates.z_eigenvalues(qubits)[:, qubit].numpy()), z)


def test_qubit_0_is_the_most_significant_bit() -> None:
    assert gates.bits(3)[0b100].tolist() == [1, 0, 0]
    assert gates.bits(3)[0b011].tolist() == [0, 1, 1]


@pytest.mark.parametrize("pauli", "XYZ")
def test_basis_changes_are_pennylanes_diagonalising_gates(pauli: str) -> None:
    operator = getattr(qml, f"Pauli{pauli}")(0)
    expected = np.eye(2)
    for gate in operator.diagonalizing_gates():
        expected = qml.matrix(gate) @ expected
    change = gates.BASIS_CHANGE[pauli].numpy()
    np.testing.assert_allclose(change, expected, atol=1e-15)
    turned = change @ qml.matrix(operator) @ change.conj().T
    np.testing.assert_allclose(turned, qml.matrix(qml.PauliZ(0)), atol=1e-15)


@pytest.mark.parametrize("pauli", "XYZ")
def test_power_is_the_gate_on_every_qubit(pauli: str) -> None:
    gate = gates.BASIS_CHANGE[pauli]
    expected = np.kron(np.kron(gate, gate), gate)
    np.testing.assert_array_equal(gates.power(gate, 3).numpy(), expected)
    assert torch.equal(gates.power(gate, 1), gate)
