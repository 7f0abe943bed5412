from __future__ import annotations

from functools import reduce
from typing import get_args

import numpy as np
import pennylane as qml
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit.library import efficient_su2, real_amplitudes
from qiskit.quantum_info import Operator

from medqnn.circuits import Circuit, ansatze
from medqnn.circuits.ansatze import Layer, Upload
from medqnn.circuits.circuit import Ansatz
from medqnn.errors import CircuitError

from . import oracle
from .strategies import circuits


def angles(circuit: Circuit) -> list[list[list[float]]]:
    """(φ, θ, ω) of every qubit in every layer, the weights being 1, 2, 3, …"""
    declared = ansatze.layers(circuit)
    weights = torch.arange(1.0, 1 + len(declared[0].rotations), dtype=torch.float64)
    return [torch.tensordot(weights, layer.rotations, 1).tolist() for layer in declared]


def gates(circuit: Circuit) -> list[tuple[str, list[tuple[int, int]]]]:
    return [(layer.gate, layer.pairs) for layer in ansatze.layers(circuit)]


def test_ranges_go_round() -> None:
    reached = [pairs[0][1] for _, pairs in gates(Circuit(4, 5))]
    assert reached == [1, 2, 3, 1, 2]


def test_a_ring_goes_round() -> None:
    assert ansatze.ring(Circuit(3, 1), 2) == [(0, 2), (1, 0), (2, 1)]


def test_strongly_entangling_layers_take_their_weights_in_order() -> None:
    circuit = Circuit(2, 2, entangler="cz")
    assert angles(circuit) == [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]
    assert gates(circuit) == [("cz", [(0, 1), (1, 0)])] * 2


def test_ry_rz_strong_is_two_layers_with_rings_of_reach_1() -> None:
    circuit = Circuit(3, 2, ansatz="ry_rz_strong")
    first, second = angles(circuit)[:2]
    assert first == [[0, 1, 2], [0, 6, 7], [0, 11, 12]]
    assert second == [[3, 4, 5], [8, 9, 10], [13, 14, 15]]
    assert gates(circuit) == [("cnot", [(0, 1), (1, 2), (2, 0)])] * 4


def test_pooling_turns_the_even_qubits_from_the_odd_ones() -> None:
    circuit = Circuit(5, 1, "angle", pooling=True)
    assert circuit.weight_shape == (15 + 6,)
    before, between, after = angles(circuit)[1:]
    first, second = (16, 17, 18), (19, 20, 21)
    still = [0, 0, 0]
    assert before == [[(p - w) / 2, 0, 0] if p else still for p, _, w in _on_even(first, second)]
    assert between == [[-(p + w) / 2, -t / 2, 0] for p, t, w in _on_even(first, second)]
    assert after == [[0, t / 2, w] for _, t, w in _on_even(first, second)]
    assert gates(circuit)[1:] == [("cnot", [(1, 0), (3, 2)])] * 2 + [("none", [])]


def _on_even(first: tuple[int, ...], second: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [first, (0, 0, 0), second, (0, 0, 0), (0, 0, 0)]


def test_pooling_in_the_product_circuit_turns_unconditionally() -> None:
    circuit = Circuit(3, 1, "angle", entangler="none", pooling=True)
    assert angles(circuit)[1:] == [[[10, 11, 12], [0, 0, 0], [0, 0, 0]]]
    assert gates(circuit)[1:] == [("none", [])]


@pytest.mark.parametrize("ansatz", get_args(Ansatz))
def test_one_qubit_has_no_ring_and_nothing_to_pool(ansatz: str) -> None:
    circuit = Circuit(1, 2, ansatz=ansatz, pooling=True)
    assert all(pairs == [] for _, pairs in gates(circuit))
    assert not torch.stack([layer.rotations for layer in ansatze.layers(circuit)][-3:]).any()


def test_basic_turns_about_x_and_goes_round() -> None:
    circuit = Circuit(3, 2, ansatz="basic")
    assert angles(circuit)[1] == [[0, 4, 0], [0, 5, 0], [0, 6, 0]]
    assert gates(circuit) == [("cnot", [(0, 1), (1, 2), (2, 0)])] * 2
    assert {layer.axis for layer in ansatze.layers(circuit)} == {"X"}


def test_basic_on_two_qubits_has_one_gate_a_layer() -> None:
    assert gates(Circuit(2, 1, ansatz="basic")) == [("cnot", [(0, 1)])]


def test_hardware_efficient_couples_neighbours_or_the_pairs_given() -> None:
    circuit = Circuit(3, 2, ansatz="hardware_efficient", entangler="cz")
    assert angles(circuit)[1] == [[0, 7, 8], [0, 9, 10], [0, 11, 12]]
    assert gates(circuit) == [("cz", [(0, 1), (1, 2)])] * 2
    star = Circuit(3, 1, ansatz="hardware_efficient", coupling=((1, 0), (1, 2)))
    assert gates(star) == [("cnot", [(1, 0), (1, 2)])]


def test_real_amplitudes_turns_about_y_along_a_line() -> None:
    circuit = Circuit(3, 2, ansatz="real_amplitudes")
    assert angles(circuit)[1] == [[0, 4, 0], [0, 5, 0], [0, 6, 0]]
    assert gates(circuit) == [("cnot", [(0, 1), (1, 2)])] * 2


@pytest.mark.parametrize("ansatz", ["hardware_efficient", "real_amplitudes"])
def test_qiskits_circuits_of_that_name_are_the_same(ansatz: str) -> None:
    circuit = Circuit(3, 2, ansatz=ansatz)
    _, weights, _ = oracle.draw(circuit, circuits=1, batch=1, seed=0)
    library = efficient_su2 if ansatz == "hardware_efficient" else real_amplitudes
    theirs = library(3, reps=2, entanglement="linear", skip_final_rotation_layer=True)
    by_gate = weights[0].reshape(2, 3, -1).mT.flatten().tolist()
    # Qiskit's qubit 0 is the least significant bit
    expected = Operator(theirs.assign_parameters(by_gate).reverse_bits()).data
    np.testing.assert_allclose(
        oracle.ansatz_matrix(circuit, weights[0].numpy()), expected, atol=1e-12
    )


def test_an_upload_stands_before_every_layer_of_the_ansatz() -> None:
    circuit = Circuit(3, 2, "angle_x", ansatz="ry_rz_strong", reupload=True, pooling=True)
    kinds = [type(layer) for layer in ansatze.layers(circuit)]
    assert kinds == [Upload, Layer, Layer] * 2 + [Layer] * 3


def test_amplitudes_have_no_gates() -> None:
    with pytest.raises(CircuitError, match="no gates of its own"):
        ansatze.upload(Circuit(2, 1))


def rotation(axis: str, angle: float) -> np.ndarray:
    return qml.matrix({"X": qml.RX, "Y": qml.RY, "Z": qml.RZ}[axis](angle, 0))


def as_declared(circuit: Circuit, inputs: np.ndarray, weights: torch.Tensor) -> np.ndarray:
    """The circuit's state from its declaration alone, gate by gate in NumPy."""
    state = np.eye(circuit.dimension)[0].astype(complex)
    eigenvalues = [1 - 2 * ((np.arange(circuit.dimension) >> bit) & 1) for bit in range(9)]
    z = eigenvalues[: circuit.qubits][::-1]
    declared = ansatze.layers(circuit)
    for part in declared if circuit.reupload else [ansatze.upload(circuit), *declared]:
        if isinstance(part, Upload):
            first = qml.matrix(qml.Hadamard(0)) if part.hadamard else np.eye(2)
            own = [rotation(part.axis, x) @ first for x in inputs]
            state = reduce(np.kron, own) @ state
            for j, k in part.pairs:
                state = np.exp(-0.5j * inputs[j] * inputs[k] * z[j] * z[k]) * state
            continue
        turned = torch.tensordot(weights.flatten(), part.rotations, 1).tolist()
        own = [rotation("Z", w) @ rotation(part.axis, t) @ rotation("Z", p) for p, t, w in turned]
        state = reduce(np.kron, own) @ state
        for pair in part.pairs if part.gate != "none" else []:
            gate = oracle.IMPRIMITIVE[part.gate](list(pair))
            state = qml.matrix(gate, wire_order=range(circuit.qubits)) @ state
    return state


@settings(max_examples=40, deadline=None, derandomize=True)
@given(circuits(qubits=3, depth=2, reupload=True), st.integers(0, 99))
def test_the_declaration_is_pennylanes_circuit(circuit: Circuit, seed: int) -> None:
    if circuit.embedding == "amplitude":
        return
    inputs, weights, _ = oracle.draw(circuit, circuits=1, batch=1, seed=seed)
    state = as_declared(circuit, inputs[0, 0].numpy(), weights[0])
    values = [
        np.vdot(state, qml.matrix(oracle.PAULI[p](wire), wire_order=range(circuit.qubits)) @ state)
        for p in circuit.readouts
        for wire in circuit.measured
    ]
    expected = oracle.expectations(circuit, inputs, weights)[0, 0]
    np.testing.assert_allclose(np.real(values), expected.numpy(), atol=1e-12)
