from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorSampler
from qiskit.quantum_info import SparsePauliOp, Statevector

from export.circuits import CIRCUITS, draw, layer_of, values
from medqnn.circuits import Circuit
from medqnn.errors import CircuitError
from medqnn.export.qiskit import circuits, programs
from medqnn.layers import QuantumConv2d, QuantumLayer


def pauli_values(circuit: QuantumCircuit, spec: Circuit) -> list[list[float]]:
    """Qiskit's expectation values, by readout and measured qubit."""
    state = Statevector(circuit)
    return [
        [
            state.expectation_value(SparsePauliOp.from_sparse_list([(p, [j], 1)], spec.qubits)).real
            for j in spec.measured
        ]
        for p in spec.readouts
    ]


def measured_values(program: QuantumCircuit, spec: Circuit) -> list[float]:
    """Means of (-1)^bit over the exact distribution of what the program measures."""
    odds = Statevector(program.remove_final_measurements(inplace=False)).probabilities()
    index = np.arange(2**spec.qubits)  # Qiskit's qubit 0 is the least significant bit
    return [float(odds @ (1 - 2 * (index >> qubit & 1))) for qubit in spec.measured]


@pytest.mark.parametrize("name", CIRCUITS)
def test_qiskit_gives_our_expectation_values(name: str) -> None:
    layer = layer_of(CIRCUITS[name])
    inputs = draw(layer)
    expected = values(layer, inputs)[0].numpy()
    found = [pauli_values(circuit, layer.circuit) for circuit in circuits(layer, inputs[0])]
    np.testing.assert_allclose(found, expected, atol=1e-10)
    measured = [measured_values(program, layer.circuit) for program in programs(layer, inputs[0])]
    np.testing.assert_allclose(np.reshape(measured, expected.shape), expected, atol=1e-10)


@pytest.mark.parametrize("name", ["angle, cz", "iqp, real_amplitudes", "reupload"])
def test_open_inputs_are_parameters_that_can_be_bound_later(name: str) -> None:
    layer = layer_of(CIRCUITS[name])
    inputs = draw(layer)[0]
    names = [f"x_{number}" for number in range(layer.circuit.inputs)]
    for built, bound, numbers in zip(
        circuits(layer), circuits(layer, inputs), inputs.tolist(), strict=True
    ):
        assert sorted(parameter.name for parameter in built.parameters) == names
        later = built.assign_parameters(dict(zip(names, numbers, strict=True)))
        assert Statevector(later).equiv(Statevector(bound), atol=1e-12)


def test_qubit_j_is_bit_j_from_the_right_of_a_count() -> None:
    layer = QuantumLayer(3, 1, 1, "angle", "Z", "none")
    layer.weight.data.zero_()
    (program,) = programs(layer, torch.tensor([[math.pi, 0.0, 0.0]]))
    counts = StatevectorSampler(seed=0).run([program], shots=10).result()[0].data.c.get_counts()
    assert counts == {"001": 10}
    assert layer(torch.tensor([[math.pi, 0.0, 0.0]])).tolist()[0][0] == pytest.approx(-1)


def test_programs_are_named_by_circuit_and_readout_and_measure_what_is_read() -> None:
    found = programs(layer_of(Circuit(3, 1, "angle", "XZ", pooling=True)))
    names = [program.name for program in found]
    assert names == ["circuit_1_X", "circuit_1_Z", "circuit_2_X", "circuit_2_Z"]
    for program in found:
        read = [gate for gate in program.data if gate.name == "measure"]
        wires = [program.find_bit(gate.qubits[0]).index for gate in read]
        bits = [program.find_bit(gate.clbits[0]).index for gate in read]
        assert wires == bits == [0, 2]


def test_amplitudes_without_an_image_start_behind_the_embedded_state() -> None:
    layer = layer_of(CIRCUITS["amplitude"], circuits=1)
    inputs = draw(layer)[0]
    (whole,), (behind,) = circuits(layer, inputs), circuits(layer)
    assert len(whole.data) == len(behind.data) + 1
    ours = (inputs[0] / inputs[0].norm()).numpy()  # qubit 0 the most significant bit
    given = Statevector(ours).reverse_qargs().evolve(behind)
    assert given.equiv(Statevector(whole), atol=1e-10)


def test_each_circuit_of_a_convolution_is_there() -> None:
    layer = QuantumConv2d(2, 16, 2, readouts="Z")  # 2 circuits a channel
    assert [c.name for c in circuits(layer)] == [f"circuit_{k}" for k in (1, 2, 3, 4)]


def test_inputs_that_do_not_fit_are_named() -> None:
    layer = layer_of(CIRCUITS["amplitude"])
    with pytest.raises(CircuitError, match=r"shape \(2, 7\): give \(2, 8\)"):
        circuits(layer, torch.ones(2, 7))
    blank = torch.stack([torch.ones(8), torch.zeros(8)])
    with pytest.raises(CircuitError, match=r"circuit_2 reads zeros"):
        circuits(layer, blank)
