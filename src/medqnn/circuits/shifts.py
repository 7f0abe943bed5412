"""Gradients of circuits that can only be run: a device, a sampler, any black box.

An expectation value is a trigonometric polynomial in each weight, with noise too, so a few shifted
runs give its exact derivative. SPSA takes two runs for all weights together, and is only right on
average.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits.ansatze import Layer, layers
from medqnn.circuits.circuit import Circuit
from medqnn.errors import CircuitError


class Shift(NamedTuple):
    """One run of the rule: where, and with which coefficient."""

    radians: float
    coefficient: float


def parameter_shift(
    circuit: Circuit, evaluate: Callable[[Tensor], Tensor], weights: Tensor
) -> Tensor:
    """Derivatives of the values to each circuit's weights, exact for exact values.

    A weight that turns one angle takes two runs, at ±π/2. One that turns several by multiples of a
    common step (pooling) takes the general rule for R equidistant frequencies, 2R runs (Wierichs et
    al. 2022, equation 21). All circuits are shifted in the same run, for each has its own weights.

    Args:
        circuit: Whose weights these are.
        evaluate: Weights (c, *circuit.weight_shape) to values (..., c, circuit.outputs).
        weights: Where.

    Returns:
        Shape (..., c, circuit.outputs, P), for the P weights of a circuit, flattened.
    """
    columns = []
    for place, shifts in enumerate(rules(circuit)):
        along = torch.zeros_like(weights).flatten(1)
        along[:, place] = 1.0
        step = along.view_as(weights)
        runs = [shift.coefficient * evaluate(weights + shift.radians * step) for shift in shifts]
        columns.append(torch.stack(runs).sum(0))
    return torch.stack(columns, dim=-1)


def rules(circuit: Circuit) -> list[list[Shift]]:
    """The shifted runs of each weight of one circuit, flattened."""
    declared = [layer.rotations for layer in layers(circuit) if isinstance(layer, Layer)]
    slopes = torch.cat([rotations.flatten(1) for rotations in declared], dim=1)
    return [_rule(row[row != 0].abs()) for row in slopes]


def _rule(slopes: Tensor) -> list[Shift]:
    """The rule for frequencies step, 2 step, … R step, where R step is the sum of the slopes."""
    step = float(slopes.min())
    count = round(float(slopes.sum()) / step)
    found = []
    for number in range(1, 2 * count + 1):
        angle = (2 * number - 1) * math.pi / (2 * count)
        sign = -1.0 if number % 2 == 0 else 1.0
        coefficient = step * sign / (4 * count * math.sin(angle / 2) ** 2)
        nearest = angle if angle <= math.pi else angle - 2 * math.pi
        found.append(Shift(nearest / step, coefficient))
    return found


def spsa(
    loss: Callable[[Tensor], Tensor],
    weights: Tensor,
    generator: torch.Generator,
    step: float = 0.1,
    draws: int = 1,
) -> Tensor:
    """Gradient of a scalar by simultaneous perturbation (Spall 1992).

    Each draw moves all weights by ±``step`` at once and runs the loss on both sides. The mean is
    the gradient up to an error of the order of ``step``².

    Args:
        loss: Weights to a scalar.
        weights: Where, of any shape.
        generator: Of the weights' device.
        step: Radians, more than 0.
        draws: Estimates that are averaged, at least 1; each takes two runs.

    Returns:
        Of the weights' shape.

    Raises:
        CircuitError: If the step or the number of draws is out of its range.
    """
    if not (step > 0 and draws >= 1):
        raise CircuitError(f"step is {step}, draws {draws}: give a step above 0 and 1 draw or more")
    total = torch.zeros_like(weights)
    for _ in range(draws):
        coin = torch.randint(2, weights.shape, generator=generator, device=weights.device)
        signs = 2.0 * coin.to(weights) - 1.0
        slope = (loss(weights + step * signs) - loss(weights - step * signs)) / (2.0 * step)
        total += slope * signs
    return total / draws
