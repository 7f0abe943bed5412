"""medqnn, by the method that it chooses itself."""

from __future__ import annotations

from medqnn.circuits import Circuit, expectations
from peers import autograd
from peers.problem import Problem, Step

DTYPES = ("float32", "float64")
DEVICES = ("cpu", "cuda")
PACKAGES = ("medqnn", "torch")


def build(problem: Problem) -> Step:
    circuit = Circuit(problem.qubits, problem.depth, problem.embedding, problem.pauli)
    return autograd.step(problem, lambda inputs, weights: expectations(circuit, inputs, weights))
