from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest
import torch

from medqnn.circuits import gates, turns
from medqnn.circuits.ansatze import Layer
from medqnn.circuits.turns import Permutation

from .oracle import IMPRIMITIVE

CPU = torch.device("cpu")
GATES = [("cnot", [(0, 1), (2, 0)]), ("cz", [(0, 1), (1, 2)]), ("cnot", [(1, 2)])]


def mixed(qubits: int) -> Permutation:
    """CNOT, CZ and CNOT again: signs are those of the states that CZ meets."""
    permutation = Permutation.identity(2**qubits)
    for gate, pairs in GATES:
        permutation = permutation.then(Layer(torch.zeros(1, qubits, 3), gate, pairs), qubits)
    return permutation


def matrix_of(qubits: int) -> np.ndarray:
    """The same gates by PennyLane."""

    def queue() -> None:
        for gate, pairs in GATES:
            for pair in pairs:
                IMPRIMITIVE[gate](pair)

    return qml.matrix(queue, wire_order=range(qubits))()


def test_gates_follow_each_other_in_time() -> None:
    permutation = mixed(3)
    eye = torch.eye(8, dtype=torch.float64)
    np.testing.assert_array_equal(permutation.times(eye).numpy(), matrix_of(3).real)
    np.testing.assert_array_equal(permutation.transposed().times(eye).numpy(), matrix_of(3).real.T)


@pytest.mark.parametrize("split_from", [1, 9])
@pytest.mark.parametrize("qubits", [3, 4, 8])
def test_a_turn_is_the_gate_on_every_qubit_behind_the_permutation(
    qubits: int, split_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "SPLIT_FROM", split_from)
    gate = gates.BASIS_CHANGE["Y"]
    turn = turns.turn(gate, mixed(qubits), qubits, torch.complex128, CPU)
    assert isinstance(turn, turns.DenseTurn if split_from == 9 else turns.SplitTurn)
    expected = torch.from_numpy(gates.power(gate, qubits).numpy() @ matrix_of(qubits))
    product = torch.randn(2, 5, 2**qubits, dtype=torch.complex128)
    torch.testing.assert_close(turn.times(product), product @ expected)
    torch.testing.assert_close(turn.times_transposed(product), product @ expected.T)


@pytest.mark.parametrize("qubits", [3, 8])
def test_a_turn_without_permutation_is_the_gate_on_every_qubit(qubits: int) -> None:
    gate = gates.BASIS_CHANGE["Y"]
    turn = turns.turn(gate, None, qubits, torch.complex128, CPU)
    product = torch.randn(5, 2**qubits, dtype=torch.complex128)
    torch.testing.assert_close(turn.times(product), product @ gates.power(gate, qubits))
    torch.testing.assert_close(
        turn.times_transposed(product), product @ gates.power(gate.T, qubits)
    )
