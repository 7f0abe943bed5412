"""Pauli expectation values of a state vector, from what is left of it on each qubit alone.

The state of one group of qubits, whatever the others do, is a small product of the state vector
with itself; it holds every readout of the group's qubits, so X, Y and Z cost no more than Z.
"""

from __future__ import annotations

import torch
from torch import Tensor

from medqnn.circuits.circuit import Circuit
from medqnn.circuits.statevector import kronecker
from medqnn.circuits.statevector.schedule import Schedule


def values(plan: Schedule, circuit: Circuit, state: Tensor) -> Tensor:
    """Expectation values (c, B, circuit.outputs) of states, complex (c, B, N)."""
    conjugate = state.conj().resolve_conj()
    left, own = 1, []
    for size in kronecker.split(circuit.qubits):
        right = state.shape[-1] // (left << size)
        if right == 1:
            reduced = kronecker.overlap(state, conjugate, size)
        else:
            axes = (left, 2**size, right)
            pair = (tensor.unflatten(-1, axes) for tensor in (state, conjugate))
            reduced = torch.matmul(next(pair), next(pair).mT).sum(-3)
        own.append(torch.matmul(reduced.flatten(-2), plan.traces[size]))
        left <<= size
    entries = torch.view_as_real(torch.cat(own, dim=-1)).flatten(-2).unflatten(-1, (-1, 8))
    every = torch.matmul(entries, plan.paulis).mT
    return every[..., circuit.measured.start :: circuit.measured.step].flatten(-2)


def costate(plan: Schedule, circuit: Circuit, state: Tensor, grad: Tensor) -> Tensor:
    """∂L/∂Re ψ + i ∂L/∂Im ψ, from the gradient to the values: 2 Σ_P g_P P ψ."""
    every = torch.zeros(
        (*grad.shape[:-1], len(circuit.readouts), circuit.qubits),
        dtype=grad.dtype,
        device=grad.device,
    )
    every[..., :: circuit.measured.step] = 2.0 * grad.unflatten(-1, (len(circuit.readouts), -1))
    entries = torch.view_as_complex(torch.matmul(every.mT, plan.paulis.T).unflatten(-1, (-1, 2)))
    sizes = kronecker.split(circuit.qubits)
    result, left = torch.zeros_like(state), 1
    for size, own in zip(sizes, entries.split(sizes, dim=-2), strict=True):
        matrix = torch.matmul(own.flatten(-2), plan.traces[size].T).unflatten(-1, (2**size, -1))
        right = state.shape[-1] // (left << size)
        if right == 1:
            result += torch.matmul(state.unflatten(-1, (-1, 2**size)), matrix.mT).flatten(-2)
        else:
            axes = (left, 2**size, right)
            result += torch.matmul(matrix.unsqueeze(-3), state.unflatten(-1, axes)).flatten(-3)
        left <<= size
    return result
