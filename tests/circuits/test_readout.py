from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest
import torch

from medqnn.circuits import Circuit, readout

from .oracle import PAULI


@pytest.mark.parametrize("pooling", [False, True])
@pytest.mark.parametrize("qubits", [1, 2, 3, 4])
def test_rows_and_signs_measure_every_pauli(qubits: int, pooling: bool) -> None:
    circuit = Circuit(qubits, 1, readouts="YXZ", pooling=pooling)
    random = np.random.default_rng(qubits)
    state = random.normal(size=(2, 2**qubits)).T @ [1, 1j]
    state /= np.linalg.norm(state)
    amplitudes = readout.readout_rows(circuit) @ torch.from_numpy(state)
    values = readout.readout_signs(circuit) @ amplitudes.abs().square()
    expected = [
        np.vdot(state, qml.matrix(PAULI[p](wire), wire_order=range(qubits)) @ state).real
        for p in "YXZ"
        for wire in range(0, qubits, 1 + pooling)
    ]
    np.testing.assert_allclose(values.numpy(), expected, atol=1e-14)


def test_signs_are_block_diagonal_over_the_readouts() -> None:
    signs = readout.readout_signs(Circuit(2, 1, readouts="XZ"))
    assert signs.shape == (4, 8)
    assert signs[:2, 4:].count_nonzero() == signs[2:, :4].count_nonzero() == 0
    assert torch.equal(signs[:2, :4], signs[2:, 4:])
