"""pyqtorch's state vectors; data and weights are values of named parameters."""

from __future__ import annotations

from functools import partial

import pyqtorch
import torch
from torch import Tensor

from peers import autograd
from peers.problem import Problem, Step

DTYPES = ("float32", "float64")
DEVICES = ("cpu", "cuda")
PACKAGES = ("pyqtorch", "torch")
COMPLEX = {"float32": torch.complex64, "float64": torch.complex128}


def build(problem: Problem) -> Step:
    dtype = COMPLEX[problem.inputs.dtype.name]
    circuit = declared(problem).to(problem.device, dtype)
    pauli = getattr(pyqtorch, problem.pauli)
    observables = [
        pyqtorch.Observable([pauli(wire)]).to(problem.device, dtype)
        for wire in range(problem.qubits)
    ]
    evaluate = partial(expectations, problem, circuit, observables, dtype)
    return autograd.step(problem, autograd.by_circuit(evaluate))


def declared(problem: Problem) -> pyqtorch.QuantumCircuit:
    gates: list[pyqtorch.primitives.Primitive] = []
    if problem.embedding == "angle":
        gates += [pyqtorch.RY(wire, f"x{wire}") for wire in range(problem.qubits)]
    turns = (pyqtorch.RZ, pyqtorch.RY, pyqtorch.RZ)
    for layer, ring in enumerate(problem.rings()):
        for wire in range(problem.qubits):
            gates += [turn(wire, f"w{layer}.{wire}.{n}") for n, turn in enumerate(turns)]
        gates += [pyqtorch.CNOT(*pair) for pair in ring]
    return pyqtorch.QuantumCircuit(problem.qubits, gates)


def expectations(
    problem: Problem,
    circuit: pyqtorch.QuantumCircuit,
    observables: list[pyqtorch.Observable],
    dtype: torch.dtype,
    inputs: Tensor,
    weights: Tensor,
) -> Tensor:
    """Inputs (B, n) and weights (d, q, 3) to (B, q); pyqtorch has the batch last."""
    names = (
        f"w{layer}.{wire}.{n}"
        for layer in range(problem.depth)
        for wire in range(problem.qubits)
        for n in range(3)
    )
    values = dict(zip(names, weights.flatten().unbind(), strict=True))
    if problem.embedding == "amplitude":
        amplitudes = torch.nn.functional.normalize(inputs, dim=-1).mT.to(dtype)
        state = amplitudes.unflatten(0, [2] * problem.qubits)
    else:
        state = circuit.init_state(len(inputs))
        values |= {f"x{wire}": angle for wire, angle in enumerate(inputs.unbind(-1))}
    final = circuit(state, values)
    return torch.stack([one.expectation(final) for one in observables], dim=-1)
