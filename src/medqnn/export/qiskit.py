"""Trained circuits as Qiskit's, ready to be transpiled and run.

Qubit j here is qubit j there, and is measured into bit j. Qiskit counts the other way when it
makes one number of several qubits: there qubit 0 is the least significant bit, here the most.
So the string of a Qiskit count, read from the right, is qubit 0, 1, … here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from medqnn.circuits import Circuit
from medqnn.errors import CircuitError
from medqnn.export.extras import extra
from medqnn.export.gates import Gate, Inputs, gates, prepares
from medqnn.kernels.contract import LEAST_SQUARED_NORM
from medqnn.layers import QuantumConv2d, QuantumLayer

with extra("export"):
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter, ParameterExpression
    from qiskit.circuit.library import StatePreparation

CHANGES = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
"""Gates behind which a measurement of Z is one of the Pauli operator."""


def circuits(
    layer: QuantumLayer | QuantumConv2d, inputs: Tensor | None = None
) -> list[QuantumCircuit]:
    """Each circuit of a layer with its trained angles, without measurements.

    Args:
        layer: With c circuits.
        inputs: What the circuits read, real (c, circuit.inputs). Without it angles stay open, as
            the parameters ``x_0``, ``x_1``, …, and the circuits of an amplitude embedding begin
            behind the embedded state, which is to be prepared from each image.

    Returns:
        c circuits, named ``circuit_1``, ….

    Raises:
        CircuitError: If the inputs do not fit, or are all zero where a state is made of them.
    """
    spec, weights = layer.circuit, layer.weight.detach().double().cpu()
    if inputs is not None and inputs.shape != (len(weights), spec.inputs):
        raise CircuitError(
            f"inputs have shape {tuple(inputs.shape)}: give {(len(weights), spec.inputs)}, the "
            "numbers that each circuit reads of one image"
        )
    built = []
    for number, own in enumerate(weights, start=1):
        read = None if inputs is None else inputs[number - 1].detach().double().cpu()
        built.append(_circuit(f"circuit_{number}", spec, own, read))
    return built


def programs(
    layer: QuantumLayer | QuantumConv2d, inputs: Tensor | None = None
) -> list[QuantumCircuit]:
    """``circuits`` with measurements: one program for each circuit and readout.

    Programs of a circuit stand together, in the order of its readouts, and are named
    ``circuit_1_Y``. The expectation value of qubit j is the mean of (-1)^bit j over shots.
    """
    return [
        _measured(circuit, layer.circuit.measured, pauli)
        for circuit in circuits(layer, inputs)
        for pauli in layer.circuit.readouts
    ]


def _circuit(name: str, spec: Circuit, weights: Tensor, inputs: Tensor | None) -> QuantumCircuit:
    built = QuantumCircuit(spec.qubits, name=name)
    if prepares(spec):
        if inputs is not None:
            built.append(_preparation(inputs, name), range(spec.qubits)[::-1])
        numbers: Sequence[float | Parameter] = ()
    elif inputs is None:
        numbers = [Parameter(f"x_{number}") for number in range(spec.inputs)]
    else:
        numbers = inputs.tolist()
    for gate in gates(spec, weights):
        angle = () if gate.angle is None else (_angle(gate, numbers),)
        getattr(built, gate.name)(*angle, *gate.qubits)
    return built


def _angle(gate: Gate, numbers: Sequence[float | Parameter]) -> float | ParameterExpression:
    if not isinstance(gate.angle, Inputs):
        return float(gate.angle)  # type: ignore[arg-type]
    first, *rest = (numbers[number] for number in gate.angle.numbers)
    for other in rest:
        first = first * other
    return first


def _preparation(inputs: Tensor, name: str) -> StatePreparation:
    """The state of amplitudes, for qubits listed from the last to the first."""
    squared_norm = float(inputs.square().sum())
    if squared_norm < LEAST_SQUARED_NORM:
        raise CircuitError(
            f"{name} reads zeros of this image, of which no state can be prepared: its values "
            "are 0 there; give another image"
        )
    return StatePreparation((inputs / torch.tensor(squared_norm).sqrt()).numpy(), normalize=True)


def _measured(circuit: QuantumCircuit, qubits: Sequence[int], pauli: str) -> QuantumCircuit:
    program = QuantumCircuit(circuit.num_qubits, circuit.num_qubits)
    program.name = f"{circuit.name}_{pauli}"
    program.compose(circuit, inplace=True)
    for qubit in qubits:
        for change in CHANGES[pauli]:
            getattr(program, change)(qubit)
        program.measure(qubit, qubit)
    return program
