from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest
import torch

from medqnn.circuits import Circuit, readout

from .oracle import PAULI, ring_matrix


@pytest.mark.parametrize("entangler", ["cnot", "cz", "none"])
@pytest.mark.parametrize(("qubits", "depth"), [(1, 1), (2, 1), (3, 2), (4, 3)])
def test_columns_and_signs_measure_every_pauli_behind_the_last_ring(
    qubits: int, depth: int, entangler: str
) -> None:
    circuit = Circuit(qubits, depth, readouts="YXZ", entangler=entangler)
    random = np.random.default_rng(qubits)
    state = random.normal(size=(2, 2**qubits)).T @ [1, 1j]
    state /= np.linalg.norm(state)
    columns = readout.readout_columns(circuit)
    amplitudes = torch.view_as_real(torch.from_numpy(state) @ columns).flatten()
    values = amplitudes.square() @ readout.readout_signs(circuit)

    turned = ring_matrix(circuit, depth - 1) @ state
    expected = [
        np.vdot(turned, qml.matrix(PAULI[p](wire), wire_order=range(qubits)) @ turned).real
        for p in "YXZ"
        for wire in range(qubits)
    ]
    np.testing.assert_allclose(values.numpy(), expected, atol=1e-14)


def test_signs_are_block_diagonal_over_the_readouts() -> None:
    signs = readout.readout_signs(Circuit(2, 1, readouts="XZ"))
    assert signs.shape == (16, 4)
    assert signs[:8, 2:].count_nonzero() == signs[8:, :2].count_nonzero() == 0
    assert torch.equal(signs[::2], signs[1::2])
