"""PennyLane's ``lightning.qubit``, adjoint differentiation: one circuit and input at a time."""

from __future__ import annotations

import pennylane as qml

from peers import autograd, pennylane_circuit
from peers.problem import Problem, Step

DTYPES = ("float64",)  # float32 gave NaN gradients to amplitudes
DEVICES = ("cpu",)
PACKAGES = ("pennylane", "pennylane_lightning", "torch")
MOST_QUBITS = 5  # whose amplitudes get a gradient, by way of some 2^q gates that prepare them


def build(problem: Problem) -> Step:
    device = qml.device("lightning.qubit", wires=problem.qubits)
    node = pennylane_circuit.node(problem, device, interface="torch", diff_method="adjoint")
    evaluate = autograd.by_circuit(pennylane_circuit.stacked(node))
    prepared = problem.embedding == "amplitude" and problem.qubits > MOST_QUBITS
    return autograd.step(problem, evaluate, only_weights=prepared)
