"""Quantum channels: what happens to a qubit beside the gate.

Each is a set of Kraus operators, ρ → Σ K ρ K† (Nielsen and Chuang 2010, section 8.3), with one
rate in [0, 1]. The conventions of the rates are PennyLane's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from medqnn.errors import CircuitError

Kind = Literal["depolarising", "amplitude_damping", "phase_damping", "bit_flip", "phase_flip"]

PAULIS = torch.tensor(
    [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]],
    dtype=torch.complex128,
)
"""1, X, Y, Z: complex128 (4, 2, 2)."""

STATIONARY = MappingProxyType(
    {
        "depolarising": 3 / 4,
        "amplitude_damping": 1.0,
        "phase_damping": 1.0,
        "bit_flip": 1 / 2,
        "phase_flip": 1 / 2,
    }
)
"""Rate at which a channel, repeated, would change nothing any more."""


@dataclass(frozen=True)
class Channel:
    """One source of noise.

    Attributes:
        kind: ``depolarising`` (with probability ``rate`` one of the other Paulis strikes, each as
            likely as the rest), ``amplitude_damping`` (|1⟩ decays to |0⟩ with probability
            ``rate``), ``phase_damping`` (coherences shrink by √(1 - rate)), ``bit_flip`` (X with
            probability ``rate``) or ``phase_flip`` (Z).
        rate: In [0, 1].

    Raises:
        CircuitError: If the kind is unknown or the rate out of its range.
    """

    kind: Kind
    rate: float

    def __post_init__(self) -> None:
        if self.kind not in STATIONARY:
            raise CircuitError(f"noise is {self.kind!r}: give one of {', '.join(STATIONARY)}")
        if not 0.0 <= self.rate <= 1.0:
            raise CircuitError(
                f"rate of {self.kind} is {self.rate!r}: give a probability between 0 and 1"
            )

    @property
    def joint(self) -> bool:
        """Whether it strikes the two qubits of a gate together, instead of each by itself."""
        return self.kind == "depolarising"

    def kraus(self, qubits: int = 1) -> Tensor:
        """Kraus operators, complex128 (K, 2^n, 2^n); n = 2 for a joint channel alone."""
        paulis = PAULIS if qubits == 1 else torch.stack([torch.kron(a, b) for a, b in _PAIRS])
        rate = self.rate
        if self.kind == "depolarising":
            others = len(paulis) - 1
            shares = torch.tensor([1.0 - rate] + [rate / others] * others, dtype=torch.float64)
            return paulis * shares.sqrt()[:, None, None]
        if self.kind in ("bit_flip", "phase_flip"):
            flip = paulis[1 if self.kind == "bit_flip" else 3]
            return torch.stack((math.sqrt(1.0 - rate) * paulis[0], math.sqrt(rate) * flip))
        stays = torch.tensor([[1, 0], [0, math.sqrt(1.0 - rate)]], dtype=torch.complex128)
        column = [0.0, math.sqrt(rate)]
        to_zero = self.kind == "amplitude_damping"
        entry = torch.tensor(column[::-1] if to_zero else column, dtype=torch.complex128)
        return torch.stack((stays, torch.stack((torch.zeros_like(entry), entry), dim=1)))

    def repeated(self, times: float, qubits: int = 1) -> Channel:
        """The channel as if it acted so many times, which need not be a whole number.

        Raises:
            CircuitError: If the rate is beyond the one at which it would be stationary.
        """
        stationary = 15 / 16 if self.joint and qubits == 2 else STATIONARY[self.kind]
        if self.rate > stationary:
            raise CircuitError(
                f"rate of {self.kind} is {self.rate:g}: give at most {stationary:g} to scale it"
            )
        return Channel(self.kind, stationary * (1.0 - (1.0 - self.rate / stationary) ** times))


_PAIRS = [(a, b) for a in PAULIS for b in PAULIS]


def relaxation(t1: float, t2: float, time: float) -> tuple[Channel, Channel]:
    """Thermal relaxation to |0⟩ over a time: amplitude damping, then the rest of the dephasing.

    Populations decay as exp(-t / T1), coherences as exp(-t / T2).

    Args:
        t1: Relaxation time T1, more than 0, in the unit of ``time``.
        t2: Coherence time T2, more than 0 and at most 2 T1.
        time: How long, at least 0.

    Raises:
        CircuitError: If a time is out of its range.
    """
    if not (t1 > 0 and t2 > 0 and time >= 0):
        raise CircuitError(f"T1 is {t1}, T2 {t2}, time {time}: give T1 and T2 above 0, time from 0")
    if t2 > 2.0 * t1:
        raise CircuitError(f"T2 is {t2} with T1 {t1}: give T2 of at most 2 T1, {2.0 * t1}")
    dephasing = max(0.0, 2.0 / t2 - 1.0 / t1)
    return (
        Channel("amplitude_damping", -math.expm1(-time / t1)),
        Channel("phase_damping", -math.expm1(-time * dephasing)),
    )
