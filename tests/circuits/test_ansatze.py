from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from medqnn.circuits import Circuit, ansatze, gates

from .oracle import ring_matrix


@pytest.mark.parametrize("entangler", ["cnot", "cz"])
@pytest.mark.parametrize("qubits", [2, 3, 4, 5])
def test_rings_are_pennylanes_until_their_ranges_repeat(qubits: int, entangler: str) -> None:
    circuit = Circuit(qubits, depth=1, entangler=entangler)
    for layer in range(qubits):
        states, signs = ansatze.ring(circuit, layer)
        matrix = np.zeros((2**qubits, 2**qubits))
        matrix[states.numpy(), np.arange(2**qubits)] = signs.numpy()
        np.testing.assert_allclose(matrix, ring_matrix(circuit, layer), atol=1e-14)


def test_ranges_go_round() -> None:
    assert [ansatze.ring_range(layer, 4) for layer in range(5)] == [1, 2, 3, 1, 2]


@pytest.mark.parametrize("circuit", [Circuit(1, 2), Circuit(3, 2, entangler="none")])
def test_one_qubit_and_the_product_circuit_have_no_ring(circuit: Circuit) -> None:
    states, signs = ansatze.ring(circuit, 0)
    assert torch.equal(states, torch.arange(circuit.dimension))
    assert torch.equal(signs, torch.ones(circuit.dimension, dtype=torch.float64))


def test_angles_of_a_single_layer_by_hand() -> None:
    circuit = Circuit(2, depth=1)
    slope, offset = ansatze.angles(circuit)
    weights = torch.tensor([[[0.1, 0.2, 0.3], [1.0, 2.0, 3.0]]], dtype=torch.float64)
    angles = weights.flatten() @ slope + offset
    before = [0.55, -0.45, 0.45, -0.55]  # (±0.1 ± 1.0) / 2 in states 00, 01, 10, 11
    after = [1.65, -1.35, 1.35, -1.65]
    assert angles.tolist() == pytest.approx([*before, 0.1, 1.0, *after])


def test_a_cz_ring_between_two_layers_becomes_phases_of_pi() -> None:
    circuit = Circuit(3, depth=2, entangler="cz")
    _, offset = ansatze.angles(circuit)
    between = offset[8 + 3 : 8 + 3 + 8]
    ones = gates.bits(3).sum(dim=1)  # a ring of three CZ: the sign of the pairs of ones
    assert torch.equal(between, math.pi * ((ones * (ones - 1) // 2) % 2).double())
    assert offset.count_nonzero() == between.count_nonzero()
