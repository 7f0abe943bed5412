"""Circuits with random weights and inputs, each draw one state vector.

``circuits.compiled`` makes one matrix for many images. Here every draw has its own weights and one
input, so the same factors are applied to vectors instead: the work of one draw is 2^q times less.
All is computed in float64, so that a gradient that is zero by symmetry is zero to 1e-15.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Generator, Tensor

from medqnn.circuits import Circuit, embeddings
from medqnn.circuits.compiled import tables

FULL_TURN = 2 * math.pi
CPU = torch.device("cpu")


def draw_weights(circuit: Circuit, count: int, generator: Generator) -> Tensor:
    """Angles uniform in [0, 2π), as the layers draw them: float64 (count, *weight_shape)."""
    shape = (count, *circuit.weight_shape)
    return FULL_TURN * torch.rand(shape, dtype=torch.float64, generator=generator)


def draw_inputs(
    circuit: Circuit, count: int, angles: tuple[float, float], generator: Generator
) -> Tensor:
    """Random inputs of the kind that the circuit meets in its network.

    Amplitudes are normal numbers behind a ReLU (as behind HQCM-EBTC's projection); a vector of
    zeros, which has no state, becomes |0…0⟩. Angles are uniform.

    Args:
        circuit: Whose inputs.
        count: Number S of them.
        angles: Range of the angles, in radians; amplitudes need none.
        generator: Source of the draws.

    Returns:
        float64 (S, circuit.inputs).
    """
    shape = (count, circuit.inputs)
    if circuit.embedding != "amplitude":
        low, high = angles
        uniform = torch.rand(shape, dtype=torch.float64, generator=generator)
        return low + (high - low) * uniform
    inputs = torch.randn(shape, dtype=torch.float64, generator=generator).relu()
    inputs[~inputs.any(dim=1), 0] = 1.0
    return inputs


def embedded(circuit: Circuit, inputs: Tensor) -> Tensor:
    """Embedded states (S, 2^q) of inputs (S, n), up to the same gate on every qubit.

    float64, or complex128 with ``iqp``; ``factors`` has that gate.
    """
    return embeddings.FORMS[circuit.embedding].embed(inputs.mT)[0].mT


def states(circuit: Circuit, inputs: Tensor, weights: Tensor) -> Tensor:
    """States at the end of the circuit, one a draw.

    Args:
        circuit: What to evaluate. With pooling, its measurements are deferred (see ``ansatze``),
            so that the state stays pure.
        inputs: float64 (S, circuit.inputs).
        weights: float64 (S, *circuit.weight_shape).

    Returns:
        complex128 (S, 2^q).
    """
    return _amplitudes(replace(circuit, readouts="Z"), inputs, weights)


def expectation_values(circuit: Circuit, inputs: Tensor, weights: Tensor) -> Tensor:
    """As ``circuits.expectations``, for one input a draw: float64 (S, circuit.outputs)."""
    amplitudes = _amplitudes(circuit, inputs, weights)
    signs = tables(circuit, torch.float64, CPU).signs
    return (amplitudes.real.square() + amplitudes.imag.square()) @ signs.T


def _amplitudes(circuit: Circuit, inputs: Tensor, weights: Tensor) -> Tensor:
    """Amplitudes in the eigenbasis of every readout, complex128 (S, r 2^q)."""
    table = tables(circuit, torch.float64, CPU)
    phases = (weights.flatten(1) @ table.slope).unflatten(1, (-1, circuit.dimension))
    *diagonals, last = torch.polar(table.one, -phases).unbind(1)
    state = embedded(circuit, inputs).to(torch.complex128)
    for constant, diagonal in zip(table.turns, diagonals, strict=True):
        state = constant.times_transposed(state * diagonal)
    return (state * last) @ table.rows.mT
