"""How evenly a circuit with random weights covers the states (Sim, Johnson, Aspuru-Guzik 2019).

Pairs of states that differ in their weights alone have fidelities F = |⟨ψ|φ⟩|². Of Haar-random
states of N = 2^q amplitudes these have the density (N - 1)(1 - F)^(N - 2). Expressibility is
KL(circuit ‖ Haar) of histograms of F: 0 for a circuit that covers all states evenly, and
(N - 1) ln(bins) for one that knows a single state. Lower is more expressive, which is no merit by
itself: expressive circuits have small gradients.

A histogram of S samples has a KL of its own even where the circuit is Haar-random, near
(filled bins - 1) / 2S: a circuit cannot be told from Haar below ``haar_floor``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from medqnn.circuits import Circuit
from medqnn.diagnostics.states import draw_inputs, draw_weights, states

BINS = 75  # the paper's
REPEATS = 20  # Haar samples that the floor is measured on


class Floor(NamedTuple):
    """Expressibility of samples that are Haar-random, in nats."""

    mean: float
    sd: float


def fidelities(
    circuit: Circuit, angles: tuple[float, float], pairs: int, generator: Generator
) -> Tensor:
    """F of pairs of states with the same random input and their own random weights.

    Args:
        circuit: What to look at.
        angles: See ``states.draw_inputs``.
        pairs: Number of pairs.
        generator: Source of the draws.

    Returns:
        float64 (pairs,), in [0, 1].
    """
    inputs = draw_inputs(circuit, pairs, angles, generator)
    one, other = (
        states(circuit, inputs, draw_weights(circuit, pairs, generator)) for _ in range(2)
    )
    return (one.conj() * other).sum(1).abs().square()


def haar_log_masses(dimension: int, bins: int = BINS) -> np.ndarray:
    """Logarithms of the Haar measure's mass in equal bins of F over [0, 1]: float64 (bins,).

    The mass from l to r is (1 - l)^(N - 1) - (1 - r)^(N - 1); of many qubits it is less than the
    least number, its logarithm is not.
    """
    left = np.arange(bins) / bins
    ratio = (1.0 - np.arange(1, bins + 1) / bins) / (1.0 - left)
    return np.asarray(
        (dimension - 1) * np.log1p(-left) + np.log1p(-(ratio.clip(0) ** (dimension - 1)))
    )


def divergence(sample: Tensor, dimension: int, bins: int = BINS) -> float:
    """KL(histogram of the sample ‖ Haar) in nats.

    Args:
        sample: Fidelities (S,) in [0, 1]; a rounding error beyond 1 counts as 1.
        dimension: Length N of the state vectors, at least 2.
        bins: Equal bins over [0, 1].
    """
    counts, _ = np.histogram(sample.numpy().clip(0.0, 1.0), bins, (0.0, 1.0))
    filled = counts > 0
    shares = counts[filled] / counts.sum()
    return float(shares @ (np.log(shares) - haar_log_masses(dimension, bins)[filled]))


def haar_floor(dimension: int, pairs: int, generator: Generator) -> Floor:
    """What ``divergence`` gives of so many Haar-random pairs: mean and SD of 20 such samples."""
    uniform = torch.rand(REPEATS, pairs, dtype=torch.float64, generator=generator)
    samples = 1.0 - uniform ** (1.0 / (dimension - 1))  # the inverse of the distribution
    found = [divergence(sample, dimension) for sample in samples]
    return Floor(float(np.mean(found)), float(np.std(found, ddof=1)))
