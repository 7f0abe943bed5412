"""Finite shots: what a device tells after so many runs, instead of the expectation value.

All qubits of a circuit are read in the same shots, once for each letter of the readouts, so
outcomes are drawn from the joint distribution over 2^q bit strings.
"""

from __future__ import annotations

import torch
from torch import Tensor

from medqnn.circuits import gates
from medqnn.circuits.circuit import Circuit
from medqnn.circuits.noise import trajectories
from medqnn.circuits.noise.declaration import Noise
from medqnn.circuits.noise.exact import probabilities
from medqnn.errors import CircuitError

EXACT_QUBITS = 6
"""Widest noisy circuit whose joint distribution is computed exactly; wider ones take trajectories,
for 8^q numbers a circuit are too many."""


@torch.no_grad()
def sample(
    circuit: Circuit,
    inputs: Tensor,
    weights: Tensor,
    shots: int,
    generator: torch.Generator,
    noise: Noise | None = None,
) -> Tensor:
    """``circuits.expectations`` as estimated from shots; unbiased, not differentiable.

    Above 6 qubits a noisy circuit's shots are drawn from the mean of as many random courses of the
    noise, at most 1,000.

    Args:
        circuit: What to evaluate.
        inputs: Real (..., c, circuit.inputs); a sub-vector of zeros gives zeros.
        weights: Real (c, *circuit.weight_shape), radians.
        shots: Runs for each image, circuit and letter of the readouts, at least 1.
        generator: Of the inputs' device; the same seed gives the same values.
        noise: What happens beside the gates; None for nothing.

    Returns:
        Values in [-1, 1], shape (..., c, circuit.outputs).

    Raises:
        CircuitError: If there is no shot, or the noise does not fit the circuit.
    """
    if shots < 1:
        raise CircuitError(f"shots is {shots}: give at least 1")
    chances = distribution(circuit, inputs, weights, noise or Noise(), shots, generator)
    told = counts(chances, shots, generator)
    signs = gates.z_eigenvalues(circuit.qubits)[:, list(circuit.measured)].to(told)
    exists = (chances.sum(-1, keepdim=True) > 0.5).to(told)
    values = (told @ signs / shots * exists).flatten(-2)
    return values.to(torch.promote_types(inputs.dtype, weights.dtype))


def distribution(
    circuit: Circuit,
    inputs: Tensor,
    weights: Tensor,
    noise: Noise,
    shots: int,
    generator: torch.Generator,
) -> Tensor:
    """Joint probabilities (..., c, r, 2^q) of what is told, for r readouts."""
    if noise.is_coherent:
        return trajectories.probabilities(circuit, inputs, weights, noise, 1, generator)
    if circuit.qubits <= EXACT_QUBITS:
        return probabilities(circuit, inputs, weights, noise)
    count = min(shots, 1_000)
    return trajectories.probabilities(circuit, inputs, weights, noise, count, generator)


def counts(probabilities: Tensor, shots: int, generator: torch.Generator) -> Tensor:
    """How often each outcome comes up in so many shots: a multinomial draw.

    The shots are dealt out qubit by qubit, binomially, so the cost does not grow with their number.

    Args:
        probabilities: Real (..., 2^q).
        shots: How many.
        generator: Of the probabilities' device.

    Returns:
        float64 (..., 2^q), whole numbers that add up to ``shots``.
    """
    chances = probabilities.double().clamp_min(0.0)
    levels = [chances]
    while levels[-1].shape[-1] > 1:
        levels.append(levels[-1].unflatten(-1, (-1, 2)).sum(-1))
    dealt = torch.full_like(levels[-1], float(shots))
    for finer in levels[-2::-1]:
        zero, one = finer.unflatten(-1, (-1, 2)).unbind(-1)
        share = (one / (zero + one).clamp_min(1e-300)).clamp(0.0, 1.0)
        ones = torch.binomial(dealt, share, generator=generator)
        dealt = torch.stack((dealt - ones, ones), dim=-1).flatten(-2)
    return dealt
