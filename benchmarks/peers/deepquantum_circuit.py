"""DeepQuantum's state vectors; angles of the data through its encoders, by vmap."""

from __future__ import annotations

import deepquantum
import torch
from torch import Tensor

from peers import autograd
from peers.problem import Problem, Step

DTYPES = ("float32", "float64")
DEVICES = ("cpu", "cuda")
PACKAGES = ("deepquantum", "torch")


def build(problem: Problem) -> Step:
    dtype = torch.from_numpy(problem.inputs).dtype
    circuits = [circuit(problem).to(problem.device, dtype) for _ in problem.weights]
    angles = [angle for one in circuits for angle in one.parameters()]

    def evaluate(inputs: Tensor) -> Tensor:
        for one, own in zip(circuits, inputs.unbind(1), strict=True):
            if problem.embedding == "amplitude":
                one(state=one.amplitude_encoding(own))
            else:
                one(data=own)
        return torch.stack([one.expectation() for one in circuits], dim=1)

    return autograd.own_weights(problem, evaluate, angles)


def circuit(problem: Problem) -> deepquantum.QubitCircuit:
    built = deepquantum.QubitCircuit(problem.qubits)
    if problem.embedding == "angle":
        built.rylayer(encode=True)
    for ring in problem.rings():
        for wire in range(problem.qubits):
            built.rz(wire)
            built.ry(wire)
            built.rz(wire)
        built.cnot_ring(step=ring[0][1])
    for wire in range(problem.qubits):
        built.observable(wire, basis=problem.pauli.lower())
    return built
