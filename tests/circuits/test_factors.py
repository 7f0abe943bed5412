from __future__ import annotations

from dataclasses import replace

import numpy as np
import pennylane as qml
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from medqnn.circuits import Circuit, embeddings, gates
from medqnn.circuits.ansatze import Layer
from medqnn.circuits.factors import factorise
from medqnn.errors import CircuitError

from .oracle import ansatz_matrix, draw
from .strategies import circuits


def multiplied(circuit: Circuit, weights: Tensor) -> Tensor:
    """The product of the factors, for one circuit's flat weights."""
    slopes, turns, rows = factorise(circuit)
    powers = [(gates.power(gate, circuit.qubits), before) for gate, before in turns]
    constants = [before.times(power) if before else power for power, before in powers]
    product = torch.eye(circuit.dimension, dtype=torch.complex128)
    for slope, constant in zip(slopes.unbind(1), [*constants, rows], strict=True):
        product = constant @ (torch.exp(-1j * (weights @ slope))[:, None] * product)
    return product


@settings(max_examples=80, deadline=None, derandomize=True)
@given(circuits(), st.integers(0, 99))
def test_the_factors_product_is_pennylanes_matrix(circuit: Circuit, seed: int) -> None:
    circuit = replace(circuit, readouts="Z")
    _, weights, _ = draw(circuit, circuits=1, batch=1, seed=seed)
    product = multiplied(circuit, weights[0].flatten())
    turn = gates.power(embeddings.turn_of(circuit), circuit.qubits).numpy()
    expected = ansatz_matrix(circuit, weights[0].numpy()) @ turn
    np.testing.assert_allclose(product.numpy(), expected, atol=1e-13)


@pytest.mark.parametrize(
    ("circuit", "diagonals"),
    [
        (Circuit(3, 2), 5),
        (Circuit(3, 2, ansatz="ry_rz_strong"), 9),
        (Circuit(3, 2, pooling=True), 9),
        (Circuit(3, 2, entangler="none", pooling=True), 7),
        (Circuit(3, 2, ansatz="basic"), 5),
        (Circuit(3, 2, ansatz="hardware_efficient"), 5),
        (Circuit(3, 2, "angle_z"), 6),
        (Circuit(3, 2, "iqp"), 5),
    ],
)
def test_rotations_about_z_alone_join_their_neighbours(circuit: Circuit, diagonals: int) -> None:
    slopes, turns, _ = factorise(circuit)
    assert slopes.shape[1] == len(turns) + 1 == diagonals


def test_a_layer_about_z_alone_is_moved_before_the_gates_that_precede_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rotations = torch.eye(12, dtype=torch.float64).view(12, 2, 2, 3)
    first, second = rotations.unbind(1)
    about_z = second * torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64)
    declared = [Layer(first, "cnot", [(0, 1)]), Layer(about_z, "cz", [(0, 1)])]
    monkeypatch.setattr("medqnn.circuits.factors.layers", lambda circuit: declared)
    weights = torch.randn(12, dtype=torch.float64)

    def queue() -> None:
        for wire in range(2):
            qml.Rot(*weights[3 * wire : 3 * wire + 3], wires=wire)
        qml.CNOT([0, 1])
        for wire in range(2):
            qml.RZ(weights[6 + 3 * wire] + weights[8 + 3 * wire], wire)
        qml.CZ([0, 1])

    expected = qml.matrix(queue, wire_order=range(2))()
    product = multiplied(Circuit(2, 1, readouts="Z"), weights)
    np.testing.assert_allclose(product.numpy(), expected, atol=1e-14)


@pytest.mark.parametrize(
    ("circuit", "given"),
    [
        (Circuit(11, 1, "angle"), "of 11 qubits"),
        (Circuit(2, 1, "angle", reupload=True), "with reupload"),
    ],
)
def test_a_circuit_that_is_no_small_matrix(circuit: Circuit, given: str) -> None:
    with pytest.raises(CircuitError, match=f"{given} is not compiled.*at most 10 qubits"):
        factorise(circuit)
