"""Strongly entangling layers (Schuld et al. 2020), the ansatz of every published system here.

Layer l turns each qubit by Rot(φ, θ, ω) = R_z(ω) R_y(θ) R_z(φ), then applies a ring of two-qubit
gates from qubit i to qubit (i + r_l) mod q.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from medqnn.circuits import gates
from medqnn.circuits.circuit import Circuit


def ring_range(layer: int, qubits: int) -> int:
    """Reach r_l of layer l's ring: (l mod (q - 1)) + 1, as in PennyLane."""
    return layer % (qubits - 1) + 1


def ring(circuit: Circuit, layer: int) -> tuple[Tensor, Tensor]:
    """The ring after a rotation layer: it sends basis state b to signs[b] · |states[b]⟩.

    Returns:
        ``states``, int64 (2^q,), and ``signs``, float64 (2^q,). One qubit has no ring.
    """
    q = circuit.qubits
    states, signs = torch.arange(2**q), torch.ones(2**q, dtype=torch.float64)
    if q == 1 or circuit.entangler == "none":
        return states, signs
    reach = ring_range(layer, q)
    for control in range(q):
        target = (control + reach) % q
        if circuit.entangler == "cnot":
            states = gates.cnot(q, control, target)[states]
        else:
            signs = signs * gates.cz(q, control, target)
    return states, signs


def angles(circuit: Circuit) -> tuple[Tensor, Tensor]:
    """Every angle of the circuit's factors, linear in the weights.

    Between two layers' R_y products stand R_z(ω) of the earlier, its ring, and R_z(φ) of the
    later; moving the ring's permutation into the later R_y product leaves one diagonal
    exp(-i p), which a CZ ring's signs join. So a circuit is the diagonal p_0, then for each layer
    an R_y product with half-angles h_l = θ_l / 2 and the diagonal p_l.

    Returns:
        ``slope`` (3 d q, 2^q + d (q + 2^q)) and ``offset`` of its columns, float64, such that
        ``weights.flatten() @ slope + offset`` is (p_0, h_1, p_1, …, h_d, p_d) in radians.
    """
    q, d, size = circuit.qubits, circuit.depth, circuit.dimension
    eigenvalues = gates.z_eigenvalues(q)
    first = torch.zeros(d, q, 3, size, dtype=torch.float64)
    half = torch.zeros(d, q, 3, d, q, dtype=torch.float64)
    phase = torch.zeros(d, q, 3, d, size, dtype=torch.float64)
    offset = torch.zeros(d, q + size, dtype=torch.float64)
    first[0, :, 0] = 0.5 * eigenvalues.T
    for layer in range(d):
        half[layer, :, 1, layer] = 0.5 * torch.eye(q, dtype=torch.float64)
        phase[layer, :, 2, layer] = 0.5 * eigenvalues.T
        if layer + 1 < d:  # the last ring belongs to the readout
            states, signs = ring(circuit, layer)
            phase[layer + 1, :, 0, layer] = 0.5 * eigenvalues[states].T
            offset[layer, q:] = math.pi * (signs < 0).double()
    layers = torch.cat([half, phase], dim=-1).flatten(3)
    slope = torch.cat([first, layers], dim=-1).flatten(0, 2)
    return slope, torch.cat([torch.zeros(size, dtype=torch.float64), offset.flatten()])
