"""Narrow circuits as matrices: one unitary a circuit and step, one real product a batch.

The circuit's weights do not depend on the data, so circuit k is a matrix U_k, compiled once a
step. Both embeddings give real amplitudes ψ, so with the transposed matrix stored as interleaved
real and imaginary columns a batch is one real product; the readout is squares times a table of
signs. With R_l the product of layer l's R_y gates (real), D_l the diagonals of all R_z gates, P_l
the rings, and W the last ring and basis change, the compiled matrix is

    Uᵀ = D_0 · R_1ᵀ · D_1 · P_1ᵀ · R_2ᵀ · D_2 ⋯ R_dᵀ · D_d · Wᵀ

which is built from the right, so that every step scales rows or multiplies from the left by a
real matrix. ``forward`` and ``backward`` are the pair that another kernel may replace.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import ansatze, embeddings, gates, readout
from medqnn.circuits.circuit import Circuit

COMPLEX = {torch.float32: torch.complex64, torch.float64: torch.complex128}


class Tables(NamedTuple):
    """Constants of a circuit, for one dtype and device (N = 2^q, r readouts)."""

    slope: Tensor  # (3dq, N + d(q+N)): weights to the angles of all factors
    offset: Tensor  # (N + d(q+N),)
    row_order: Tensor  # int64 (d, N): the ring before each R_y product, as the order of its rows
    columns: Tensor  # complex (N, rN): last ring and basis change
    signs: Tensor  # (2rN, rq): squares to expectation values
    flipped: Tensor  # int64 (q, N)
    eigenvalues: Tensor  # (N, q)
    entries: Tensor  # int64 ((1+q)N,): the entries of an overlap that hold angle gradients
    trace: Tensor  # ((d+1)(1+q)N, 3dq): those entries to the weights' gradient


class Saved(NamedTuple):
    """What ``forward`` keeps for ``backward`` (c circuits, B images)."""

    states: Tensor  # (B, c, N) embedded amplitudes
    inverse_norm: Tensor  # (B, c, 1); of no use for angles
    amplitudes: Tensor  # (c, B, 2rN) real and imaginary parts at the readout
    diagonals: tuple[Tensor, ...]  # complex (c, N, 1) each: D_0 … D_d
    rotations: tuple[Tensor, ...]  # (c, N, N) each: R_1ᵀ … R_dᵀ, rows in ring order
    partial: tuple[Tensor, ...]  # complex (c, N, rN) each: Uᵀ from D_l on; the first is Uᵀ


@lru_cache(maxsize=64)
def tables(circuit: Circuit, dtype: torch.dtype, device: torch.device) -> Tables:
    """The constants of a circuit, built in float64 once and kept.

    Plain tensors whatever mode the first call comes in: inference, a transform, a default device.
    """
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.device("cpu"),
        torch._C._DisableFuncTorch(),
    ):
        return _tables(circuit, dtype, device)


def _tables(circuit: Circuit, dtype: torch.dtype, device: torch.device) -> Tables:
    slope, offset = ansatze.angles(circuit)
    rings = [ansatze.ring(circuit, layer)[0] for layer in range(circuit.depth - 1)]
    entries, trace = _traces(circuit, slope)
    return Tables(
        slope.to(device, dtype),
        offset.to(device, dtype),
        torch.stack([torch.arange(circuit.dimension), *rings]).to(device),
        readout.readout_columns(circuit).to(device, COMPLEX[dtype]),
        readout.readout_signs(circuit).to(device, dtype),
        gates.flipped(circuit.qubits).to(device),
        gates.z_eigenvalues(circuit.qubits).to(device, dtype),
        entries.to(device),
        trace.to(device, dtype),
    )


def _traces(circuit: Circuit, slope: Tensor) -> tuple[Tensor, Tensor]:
    """Where an overlap ḡ zᵀ holds the angles' gradients, and how they add up.

    For a diagonal exp(-i p) that scales a matrix's rows to z, with gradient g to z,
    ∂L/∂p_n = Im (ḡ zᵀ)_nn. For the R_y product that multiplied it before,
    ∂L/∂h_j = Σ_n ± Re (ḡ zᵀ)_nm, where m is n with qubit j flipped and the sign is qubit j's Z
    eigenvalue in n.
    """
    q, d, size = circuit.qubits, circuit.depth, circuit.dimension
    rows = torch.arange(size)
    diagonal = 2 * (rows * size + rows) + 1
    flips = 2 * (rows * size + gates.flipped(q))
    to_angles = torch.zeros(d + 1, 1 + q, size, slope.shape[1], dtype=torch.float64)
    to_angles[0, 0, :, :size] = torch.eye(size)
    for layer in range(d):
        start = size + layer * (q + size)
        to_angles[layer + 1, 0, :, start + q : start + q + size] = torch.eye(size)
        for qubit in range(q):
            to_angles[layer + 1, 1 + qubit, :, start + qubit] = gates.z_eigenvalues(q)[:, qubit]
    return torch.cat([diagonal, flips.flatten()]), to_angles.flatten(0, 2) @ slope.T


def forward(circuit: Circuit, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Saved]:
    """Expectation values of a batch; plain tensor operations, differentiable by autograd too.

    Args:
        circuit: What to evaluate.
        inputs: Real (B, c, circuit.inputs).
        weights: Real (c, d, q, 3), same dtype.

    Returns:
        (B, c, circuit.outputs), and what ``backward`` needs.
    """
    table = tables(circuit, weights.dtype, weights.device)
    if circuit.embedding == "amplitude":
        states, inverse_norm = embeddings.amplitude(inputs)
    else:
        states = inverse_norm = embeddings.angle(inputs)
    diagonals, rotations, partial = compile_matrix(circuit, table, weights)
    amplitudes = torch.bmm(states.transpose(0, 1), _interleaved(partial[0]))
    values = (amplitudes * amplitudes) @ table.signs
    saved = Saved(states, inverse_norm, amplitudes, diagonals, rotations, partial)
    return values.transpose(0, 1), saved


def compile_matrix(
    circuit: Circuit, table: Tables, weights: Tensor
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Uᵀ of each circuit with the factors it is built from: see ``Saved``."""
    q, d, size = circuit.qubits, circuit.depth, circuit.dimension
    angles = torch.addmm(table.offset, weights.flatten(1), table.slope)
    layers = angles[:, size:].view(-1, d, q + size)
    phases = torch.cat((angles[:, None, :size], layers[:, :, q:]), dim=1).unsqueeze(-1)
    diagonals = torch.polar(torch.ones_like(phases), -phases).unbind(1)
    turns = gates.ry_product_transposed(layers[:, :, :q])
    rotations = [turns[:, layer].index_select(1, table.row_order[layer]) for layer in range(d)]
    partial = [diagonals[d] * table.columns]
    for diagonal, rotation in zip(diagonals[d - 1 :: -1], rotations[::-1], strict=True):
        partial.append(diagonal * _complex(torch.bmm(rotation, _interleaved(partial[-1]))))
    return diagonals, tuple(rotations), tuple(partial[::-1])


def backward(circuit: Circuit, saved: Saved, grad: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients to the inputs and the weights, in closed form.

    Args:
        circuit: As in ``forward``.
        saved: From ``forward``.
        grad: Gradient to the expectation values (B, c, circuit.outputs).

    Returns:
        Gradients of the shapes of ``inputs`` and ``weights``.
    """
    table = tables(circuit, saved.states.dtype, saved.states.device)
    grad_amplitudes = torch.matmul(grad.transpose(0, 1), table.signs.T)
    grad_amplitudes = grad_amplitudes.mul_(saved.amplitudes).mul_(2.0)
    columns = _interleaved(saved.partial[0])
    grad_states = torch.bmm(grad_amplitudes, columns.mT).transpose(0, 1)
    if circuit.embedding == "amplitude":
        grad_inputs = embeddings.amplitude_vjp(grad_states, saved.states, saved.inverse_norm)
    else:
        grad_inputs = embeddings.angle_vjp(
            grad_states, saved.states, table.flipped, table.eigenvalues
        )
    grad_matrix = _complex(torch.bmm(saved.states.permute(1, 2, 0), grad_amplitudes))
    return grad_inputs, _weights_vjp(circuit, table, saved, grad_matrix)


def _weights_vjp(circuit: Circuit, table: Tables, saved: Saved, grad: Tensor) -> Tensor:
    """Walk Uᵀ's factors from the left; each one's overlap with its gradient holds the rest."""
    grad = grad.conj().resolve_conj()  # once, so that no factor needs conjugating
    entries = [_overlap(grad, saved.partial[0], table)]
    for diagonal, rotation, partial in zip(
        saved.diagonals[:-1], saved.rotations, saved.partial[1:], strict=True
    ):
        grad = _complex(torch.bmm(rotation.mT, _interleaved(diagonal * grad)))
        entries.append(_overlap(grad, partial, table))
    return (torch.cat(entries, dim=1) @ table.trace).view(-1, *circuit.weight_shape)


def _overlap(grad: Tensor, partial: Tensor, table: Tables) -> Tensor:
    """The entries of ḡ zᵀ that hold angle gradients, (c, (1 + q) N)."""
    overlap = torch.view_as_real(torch.bmm(grad, partial.mT))
    return overlap.flatten(1).index_select(1, table.entries)


def evaluate(circuit: Circuit, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Saved]:
    """``forward`` for any batch shape and floating dtype."""
    result = torch.promote_types(inputs.dtype, weights.dtype)
    working = torch.promote_types(result, torch.float32)
    flat = inputs.to(working).reshape(-1, *inputs.shape[-2:])
    values, saved = forward(circuit, flat, weights.to(working))
    return values.reshape(*inputs.shape[:-1], circuit.outputs).to(result), saved


def gradients(
    circuit: Circuit, saved: Saved, grad: Tensor, inputs: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """``backward`` for any batch shape and floating dtype."""
    flat = grad.to(saved.states.dtype).reshape(-1, *grad.shape[-2:])
    grad_inputs, grad_weights = backward(circuit, saved, flat)
    grad_inputs = grad_inputs.reshape(inputs.shape).to(inputs.dtype)
    return grad_inputs.contiguous(), grad_weights.to(weights.dtype)


def _interleaved(matrix: Tensor) -> Tensor:
    """Complex (c, n, m) as real (c, n, 2m), real and imaginary parts in turn; a view."""
    return torch.view_as_real(matrix).flatten(-2)


def _complex(matrix: Tensor) -> Tensor:
    """The inverse of ``_interleaved``; a view."""
    return torch.view_as_complex(matrix.view(*matrix.shape[:-1], -1, 2))
