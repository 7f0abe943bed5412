from __future__ import annotations

import numpy as np
import pytest

from export.circuits import CIRCUITS, draw, layer_of, values
from export.test_qiskit import measured_values
from medqnn.circuits import Circuit
from medqnn.export.openqasm import openqasm
from medqnn.layers import QuantumLayer

qasm3 = pytest.importorskip("qiskit.qasm3")
pytest.importorskip("qiskit_qasm3_import", reason="OpenQASM 3 cannot be read back without it")


@pytest.mark.parametrize("name", CIRCUITS)
def test_programs_read_back_give_our_expectation_values(name: str) -> None:
    layer = layer_of(CIRCUITS[name])
    inputs = draw(layer)
    expected = values(layer, inputs)[0].flatten(0, 1).numpy()
    found = [
        measured_values(qasm3.loads(text), layer.circuit)
        for text in openqasm(layer, inputs[0]).values()
    ]
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("name", ["angle, cz", "iqp, real_amplitudes", "reupload"])
def test_open_inputs_are_declared_and_can_be_bound(name: str) -> None:
    layer = layer_of(CIRCUITS[name])
    inputs = draw(layer)
    expected = values(layer, inputs)[0].flatten(0, 1).numpy()
    readouts, found = len(layer.circuit.readouts), []
    for number, text in enumerate(openqasm(layer).values()):
        assert text.count("input float[64] x_") == layer.circuit.inputs
        numbers = inputs[0, number // readouts].tolist()
        program = qasm3.loads(text)
        bound = {f"x_{k}": value for k, value in enumerate(numbers)}
        found.append(measured_values(program.assign_parameters(bound), layer.circuit))
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_a_program_tells_its_reader_what_it_needs() -> None:
    text = openqasm(QuantumLayer(2, 1, 1, "angle", "Y"))["circuit_1_Y"]
    assert text.startswith("OPENQASM 3.0;\n// circuit_1_Y: the value of qubit j is <Y>")
    assert "x_0 to x_1" in text
    assert "gate " not in text  # every gate is a standard one
    state = openqasm(QuantumLayer(2, 1, 1, "amplitude", "Z"))["circuit_1_Z"]
    assert "PREPARE HERE the state of an image: 4 amplitudes, q[0] the most significant" in state
    assert "input" not in state


def test_a_given_image_leaves_nothing_open() -> None:
    layer = layer_of(Circuit(2, 1, "amplitude", "Z"))
    for text in openqasm(layer, draw(layer)[0]).values():
        assert "PREPARE" not in text
        assert "input" not in text
