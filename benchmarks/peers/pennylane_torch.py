"""PennyLane's ``default.qubit``, PyTorch's backpropagation; the batch by broadcasting."""

from __future__ import annotations

import pennylane as qml

from peers import autograd, pennylane_circuit
from peers.problem import Problem, Step

DTYPES = ("float32", "float64")
DEVICES = ("cpu", "cuda")
PACKAGES = ("pennylane", "torch")


def build(problem: Problem) -> Step:
    device = qml.device("default.qubit", wires=problem.qubits)
    node = pennylane_circuit.node(problem, device, interface="torch", diff_method="backprop")
    return autograd.step(problem, autograd.by_circuit(pennylane_circuit.stacked(node)))
