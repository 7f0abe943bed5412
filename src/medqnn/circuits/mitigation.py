"""Less wrong values from a noisy device: readout inversion and zero-noise extrapolation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from medqnn.circuits.circuit import Circuit
from medqnn.circuits.noise.declaration import Noise, ReadoutError
from medqnn.errors import CircuitError

Fit = Literal["linear", "richardson", "exponential"]

LEAST_SLOPE = 0.05
"""A readout that tells less than this share of ⟨P⟩ cannot be inverted: noise would be left."""


@dataclass(frozen=True)
class Mitigation:
    """What is done to noisy values.

    Attributes:
        readout: Whether readout errors are inverted.
        factors: By which the noise of the gates is scaled; (1.0,) for no extrapolation.
        fit: How values at these factors are taken to factor 0; see ``extrapolate``.

    Raises:
        CircuitError: If the factors are not 1 or more, each once.
    """

    readout: bool = True
    factors: tuple[float, ...] = (1.0, 2.0, 3.0)
    fit: Fit = "linear"

    def __post_init__(self) -> None:
        factors = self.factors
        if not factors or min(factors) < 1.0 or len(set(factors)) < len(factors):
            raise CircuitError(f"noise factors are {factors}: give numbers of 1 or more, each once")
        if self.fit not in ("linear", "richardson", "exponential"):
            raise CircuitError(f"fit is {self.fit!r}: give linear, richardson or exponential")


def mitigated(
    circuit: Circuit,
    noise: Noise,
    evaluate: Callable[[Noise], Tensor],
    mitigation: Mitigation,
) -> Tensor:
    """Values under noise, mitigated.

    Args:
        circuit: Whose values they are.
        noise: Under which noise; its readout errors are those inverted.
        evaluate: Noise to values (..., circuit.outputs), exact or from shots; it is asked once for
            each factor.
        mitigation: What to do.

    Returns:
        Values in [-1, 1], of the same shape.
    """
    errors = noise.readout_of(circuit.qubits) if mitigation.readout else ()
    found = []
    for factor in mitigation.factors:
        values = evaluate(noise.scaled(factor))
        found.append(invert_readout(values, circuit, errors) if errors else values)
    return extrapolate(torch.stack(found), mitigation.factors, mitigation.fit)


def invert_readout(values: Tensor, circuit: Circuit, errors: tuple[ReadoutError, ...]) -> Tensor:
    """Expectation values without readout errors, each qubit by itself, clipped to [-1, 1].

    Args:
        values: Real (..., circuit.outputs).
        circuit: Whose values they are.
        errors: One a qubit of the circuit.

    Raises:
        CircuitError: If a qubit's readout tells next to nothing.
    """
    measured = [errors[qubit] for qubit in circuit.measured] * len(circuit.readouts)
    worst = min(measured, key=lambda error: abs(error.slope))
    if abs(worst.slope) < LEAST_SLOPE:
        raise CircuitError(
            f"readout error P(1|0) = {worst.one_for_zero:g}, P(0|1) = {worst.zero_for_one:g} "
            "cannot be inverted: their sum is too close to 1"
        )
    slopes = torch.tensor([error.slope for error in measured]).to(values)
    offsets = torch.tensor([error.offset for error in measured]).to(values)
    return ((values - offsets) / slopes).clamp(-1.0, 1.0)


def extrapolate(values: Tensor, factors: tuple[float, ...], fit: Fit) -> Tensor:
    """Values at noise factors, taken to factor 0 (Temme, Bravyi and Gambetta 2017).

    - ``linear``: a straight line by least squares.
    - ``richardson``: the polynomial through all factors; its weights grow with their number, and so
      does what is left of shot noise.
    - ``exponential``: a · exp(-b · factor) by least squares on logarithms. Where the values change
      sign or are zero it is not defined, and the straight line stands for it.

    Args:
        values: Real (F, ...), one row a factor.
        factors: F different numbers; one alone leaves its values as they are.
        fit: Which.

    Returns:
        (...), clipped to [-1, 1].
    """
    at = torch.tensor(factors, dtype=torch.float64)
    if len(factors) == 1:
        found = values[0]
    elif fit == "richardson":
        found = _weighted(values, _polynomial(at))
    else:
        found = _weighted(values, _line(at))
        if fit == "exponential":
            sizes = values.abs()
            decays = (values.sign() == values[0].sign()).all(0) & (sizes > 1e-12).all(0)
            curve = _weighted(sizes.clamp_min(1e-12).log(), _line(at)).exp() * values[0].sign()
            found = torch.where(decays, curve, found)
    return found.clamp(-1.0, 1.0)


def _polynomial(at: Tensor) -> Tensor:
    """Weights whose sum with values is the polynomial through them at 0."""
    others = at.expand(len(at), -1)[~torch.eye(len(at), dtype=torch.bool)].view(len(at), -1)
    return (others / (others - at[:, None])).prod(1)


def _line(at: Tensor) -> Tensor:
    """Weights whose sum with values is the intercept of their regression line."""
    centred = at - at.mean()
    return 1.0 / len(at) - at.mean() * centred / centred.square().sum()


def _weighted(values: Tensor, shares: Tensor) -> Tensor:
    weighted: Tensor = torch.tensordot(shares.to(values), values, dims=1)
    return weighted
