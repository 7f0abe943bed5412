"""How the gradients of a circuit's readouts vary: barren plateaus, and weights without effect.

On a barren plateau the variance of ∂⟨O⟩/∂θ over random weights falls exponentially in the number of
qubits (McClean et al. 2018); readouts of single qubits behind few layers are spared (Cerezo et al.
2021). ``plateau`` is where circuits end that are deep enough to scramble everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import linregress
from torch import Generator, Tensor

from medqnn.circuits import Circuit
from medqnn.diagnostics.states import draw_inputs, draw_weights, expectation_values

ZERO = 1e-12
"""A root-mean-square gradient below is zero in exact arithmetic; rounding leaves about 1e-16."""

CHUNK = 2**21
"""Entries of the phases of the draws that are evaluated at once."""


class Gradients(NamedTuple):
    """Of a circuit with P weights and r readouts.

    Attributes:
        variance: Mean of Var ∂⟨O_j⟩/∂θ_k over the pairs (j, k) whose gradient is not identically
            zero; 0 without such pairs.
        error: Standard error of the variance, from the spread over draws.
        live_pairs: Share of pairs whose gradient is not identically zero: the readouts' light
            cones.
        dead_weights: Share of weights whose gradient is identically zero for every readout. With
            ⟨Z⟩ the last rotations about z are such, since they commute with the readout.
    """

    variance: float
    error: float
    live_pairs: float
    dead_weights: float


class Fit(NamedTuple):
    """Variance ∝ 2^(-exponent · qubits), by least squares on log₂ of the variance."""

    exponent: float
    error: float  # standard error of the exponent


def weight_gradients(circuit: Circuit, inputs: Tensor, weights: Tensor) -> Tensor:
    """∂⟨O_j⟩/∂θ_k of each draw.

    Args:
        circuit: Whose readouts O_j.
        inputs: float64 (S, circuit.inputs).
        weights: float64 (S, *circuit.weight_shape).

    Returns:
        float64 (S, outputs, P).
    """
    weights = weights.detach().requires_grad_()
    sums = expectation_values(circuit, inputs, weights).sum(0)
    rows = [torch.autograd.grad(value, weights, retain_graph=True)[0] for value in sums]
    return torch.stack(rows, dim=1).flatten(2)


def gradient_variance(
    circuit: Circuit, angles: tuple[float, float], samples: int, generator: Generator
) -> Gradients:
    """The variance over random weights and random inputs, both drawn anew for each sample.

    Args:
        circuit: What to look at.
        angles: See ``states.draw_inputs``.
        samples: Number S of draws, at least 2.
        generator: Source of the draws.
    """
    inputs = draw_inputs(circuit, samples, angles, generator)
    weights = draw_weights(circuit, samples, generator)
    entries = circuit.dimension * 4 * circuit.depth  # at most four turned layers a layer
    size = max(1, CHUNK // entries)
    chunks = zip(inputs.split(size), weights.split(size), strict=True)
    gradients = torch.cat([weight_gradients(circuit, *chunk) for chunk in chunks])
    return summarise(gradients)


def summarise(gradients: Tensor) -> Gradients:
    """The figures of gradients (S, outputs, P)."""
    live = gradients.square().mean(0).sqrt() > ZERO
    dead = float((~live.any(dim=0)).double().mean())
    if not live.any():
        return Gradients(0.0, 0.0, 0.0, dead)
    count = len(gradients)
    squares = (gradients - gradients.mean(0)).square()[:, live].mean(1) * count / (count - 1)
    error = squares.std() / count**0.5
    return Gradients(float(squares.mean()), float(error), float(live.double().mean()), dead)


def plateau(qubits: int) -> float:
    """Variance where the circuit before and behind a rotation is Haar-random each.

    With [P, ·] of the rotation's Pauli and O the readout's, the second moments of the Haar measure
    give N² / (2 (N² - 1)(N + 1)) for N = 2^q, near 2^-(q + 1).
    """
    size = 2.0**qubits
    return size**2 / (2 * (size**2 - 1) * (size + 1))


def decay(qubits: Sequence[int], variances: Sequence[float]) -> Fit:
    """How fast variances fall with the width; at least three widths."""
    line = linregress(np.asarray(qubits), np.log2(variances))
    return Fit(float(-line.slope), float(line.stderr))
