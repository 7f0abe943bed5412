"""Wide noisy circuits: pure states, of which each suffers one random course of the noise.

After a gate, Kraus operator K_k strikes with probability ‖K_k ψ‖² and leaves K_k ψ / ‖K_k ψ‖; the
mean over many trajectories is the noisy state (Dalibard, Castin and Mølmer 1992). For evaluation:
nothing here is differentiable.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import embeddings, gates
from medqnn.circuits.circuit import Circuit
from medqnn.circuits.noise.channels import PAULIS, Channel
from medqnn.circuits.noise.declaration import Noise, confuse
from medqnn.circuits.noise.listing import (
    DataPair,
    DataRotation,
    Entangling,
    Rotation,
    angles,
    listed,
)
from medqnn.errors import CircuitError

AMPLITUDES = 2**22
"""Amplitudes that are in memory at a time, 64 MB in double precision."""


class Estimate(NamedTuple):
    """Means over trajectories, and their standard errors, of the same shape."""

    values: Tensor
    errors: Tensor


@torch.no_grad()
def expectations(
    circuit: Circuit,
    inputs: Tensor,
    weights: Tensor,
    noise: Noise,
    count: int,
    generator: torch.Generator,
) -> Estimate:
    """``circuits.expectations`` under noise, as the mean of ``count`` trajectories; unbiased.

    Args:
        circuit: What to evaluate, of any width whose state vector fits into memory.
        inputs: Real (..., c, circuit.inputs).
        weights: Real (c, *circuit.weight_shape), radians.
        noise: What happens beside the gates.
        count: Trajectories of each image and circuit, at least 2.
        generator: Of the inputs' device; the same seed gives the same values.

    Returns:
        Values and their standard errors, shape (..., c, circuit.outputs).

    Raises:
        CircuitError: If the count is too small, or the noise does not fit the circuit.
    """
    if count < 2:
        raise CircuitError(f"count is {count}: give at least 2 trajectories")
    signs = gates.z_eigenvalues(circuit.qubits)[:, list(circuit.measured)]
    total, squares = torch.zeros(()), torch.zeros(())
    for told in _told(circuit, inputs, weights, noise, count, generator):
        values = (told @ signs.to(told)).flatten(-2)
        total, squares = total + values.sum(2), squares + values.square().sum(2)
    mean = total / count
    variance = (squares / count - mean.square()).clamp_min(0.0) / (count - 1)
    return Estimate(_batch_first(mean, inputs), _batch_first(variance.sqrt(), inputs))


@torch.no_grad()
def probabilities(
    circuit: Circuit,
    inputs: Tensor,
    weights: Tensor,
    noise: Noise,
    count: int,
    generator: torch.Generator,
) -> Tensor:
    """Joint probabilities of what is told of all qubits, the mean of ``count`` trajectories.

    Arguments as with ``expectations``; without channels one trajectory is exact.

    Returns:
        Shape (..., c, r, 2^q), for r readouts.
    """
    total = torch.zeros(())
    for told in _told(circuit, inputs, weights, noise, count, generator):
        total = total + told.sum(2)
    return _batch_first(total / count, inputs)


def _told(
    circuit: Circuit,
    inputs: Tensor,
    weights: Tensor,
    noise: Noise,
    count: int,
    generator: torch.Generator,
) -> Iterator[Tensor]:
    """Probabilities (c, B, t, r, 2^q) of t trajectories at a time, ``count`` in all."""
    working = torch.promote_types(torch.promote_types(inputs.dtype, weights.dtype), torch.float32)
    flat = inputs.movedim((-2, -1), (0, 1)).to(working).reshape(*inputs.shape[-2:], -1)
    errors = noise.readout_of(circuit.qubits)
    images = max(1, len(weights) * flat.shape[-1] * circuit.dimension)
    chunk = max(1, min(count, AMPLITUDES // images))
    for start in range(0, count, chunk):
        now = min(chunk, count - start)
        state = _Pure(circuit, flat, now, noise, generator)
        state.run(weights.to(working).flatten(1))
        told = torch.stack([state.measured(letter) for letter in circuit.readouts], dim=2)
        yield confuse(told.unflatten(1, (-1, now)), errors)


class _Pure:
    """States (c, S, 2^q) of S = B t trajectories, and what may happen to them."""

    def __init__(
        self,
        circuit: Circuit,
        inputs: Tensor,
        times: int,
        noise: Noise,
        generator: torch.Generator,
    ) -> None:
        self.circuit, self.noise, self.generator = circuit, noise, generator
        self.inputs = inputs.repeat_interleave(times, dim=-1)
        complex_dtype = torch.promote_types(inputs.dtype, torch.complex64)
        if circuit.embedding == "amplitude":
            states = embeddings.amplitude(self.inputs)[0].mT
        else:
            states = self.inputs.new_zeros(len(inputs), self.inputs.shape[-1], circuit.dimension)
            states[..., 0] = 1.0
        self.states = states.to(complex_dtype).contiguous()

    def run(self, weights: Tensor) -> None:
        """From preparation to readout, for weights (c, P)."""
        found = listed(self.circuit)
        turned = [gate for gate in found if isinstance(gate, Rotation)]
        slopes, offsets = (part.to(weights) for part in angles(turned, self.noise.over_rotation))
        by_weights = iter((weights @ slopes + offsets).unflatten(-1, (-1, 3)).unbind(1))
        self._on_each(self.noise.preparation)
        for gate in found:
            if isinstance(gate, Rotation):
                self._turn(gate.qubit, _rot(next(by_weights)).unsqueeze(1))
            elif isinstance(gate, DataRotation):
                self._turn(gate.qubit, self._embedding(gate))
            else:
                self._pair(gate)
        self._on_each(self.noise.before_readout)

    def measured(self, letter: str) -> Tensor:
        """Probabilities (c, S, 2^q) in the letter's eigenbasis."""
        states = self.states
        for qubit in range(self.circuit.qubits):
            states = _apply(states, gates.BASIS_CHANGE[letter].to(states)[None, None], qubit)
        return states.abs().square()

    def _turn(self, qubit: int, matrix: Tensor) -> None:
        """A gate (c, 1 or S, 2, 2), then its noise."""
        self.states = _apply(self.states, matrix, qubit)
        for channel in self.noise.one_qubit:
            self._strike(channel, qubit)

    def _embedding(self, gate: DataRotation) -> Tensor:
        angle = self.inputs[:, gate.qubit, :, None, None] + self.noise.over_rotation
        one, axis = PAULIS[0].to(self.states), PAULIS["IXYZ".index(gate.axis)].to(self.states)
        matrix = (angle / 2).cos() * one - 1j * (angle / 2).sin() * axis
        return matrix @ gates.BASIS_CHANGE["X"].to(matrix) if gate.hadamard else matrix

    def _pair(self, gate: Entangling | DataPair) -> None:
        """A two-qubit gate, then its noise."""
        qubits, (first, second) = self.circuit.qubits, gate.pair
        if isinstance(gate, DataPair):
            eigenvalues = gates.z_eigenvalues(qubits)[:, [first, second]].prod(1)
            by = (self.inputs[:, first] * self.inputs[:, second]).unsqueeze(-1)
            self.states = self.states * torch.exp(-0.5j * by * eigenvalues.to(by))
        elif gate.gate == "cnot":
            self.states = self.states[..., gates.cnot(qubits, first, second)]
        else:
            self.states = self.states * gates.cz(qubits, first, second).to(self.states)
        for channel in self.noise.two_qubit:
            if channel.joint:
                self._strike_both(channel, gate.pair)
                continue
            for qubit in gate.pair:
                self._strike(channel, qubit)

    def _on_each(self, channels: tuple[Channel, ...]) -> None:
        for qubit in range(self.circuit.qubits):
            for channel in channels:
                self._strike(channel, qubit)

    def _strike(self, channel: Channel, qubit: int) -> None:
        """Every K†K of our channels is diagonal, so the qubit's populations decide."""
        kraus = channel.kraus().to(self.states)
        diagonals = kraus.abs().square().sum(1)  # (K, 2)
        halves = self.states.unflatten(-1, (2**qubit, 2, -1))
        populations = halves.abs().square().sum((-3, -1))
        chances = (populations @ diagonals.T).clamp_min(1e-30)
        chosen = self._draw(chances)
        norm = chances.gather(-1, chosen[..., None]).sqrt()[..., None]
        self.states = _apply(self.states, kraus[chosen] / norm, qubit)

    def _strike_both(self, channel: Channel, pair: tuple[int, int]) -> None:
        """Joint depolarising: the same chances whatever the state, of 16 pairs of Paulis."""
        others = [channel.rate / 15] * 15
        chances = torch.tensor([1.0 - channel.rate, *others], dtype=self.inputs.dtype)
        chances = chances.to(self.inputs.device).expand(*self.states.shape[:2], -1)
        chosen, paulis = self._draw(chances), PAULIS.to(self.states)
        for qubit, pauli in zip(pair, (chosen // 4, chosen % 4), strict=True):
            self.states = _apply(self.states, paulis[pauli], qubit)

    def _draw(self, chances: Tensor) -> Tensor:
        """Indices (c, S), by chances (c, S, K) up to a factor."""
        rows = chances.reshape(-1, chances.shape[-1])
        if not len(rows):
            return rows.new_zeros(chances.shape[:-1], dtype=torch.int64)
        drawn = torch.multinomial(rows, 1, generator=self.generator)
        return drawn.view(chances.shape[:-1])


def _apply(states: Tensor, matrix: Tensor, qubit: int) -> Tensor:
    """One-qubit matrices (1 or c, 1 or S, 2, 2) on states (c, S, 2^q)."""
    zero, one = states.unflatten(-1, (2**qubit, 2, -1)).unbind(-2)
    entries = matrix[..., None, None]
    rows = [entries[..., row, 0, :, :] * zero + entries[..., row, 1, :, :] * one for row in (0, 1)]
    return torch.stack(rows, dim=-2).flatten(-3)


def _rot(angles: Tensor) -> Tensor:
    """R_z(ω) R_y(θ) R_z(φ) for angles (c, 3): complex (c, 2, 2)."""
    phi, theta, omega = angles.unbind(-1)
    cos, sin = (theta / 2).cos(), (theta / 2).sin()
    plus, minus = torch.exp(0.5j * (phi + omega)), torch.exp(0.5j * (phi - omega))
    entries = (cos * plus.conj(), -sin * minus, sin * minus.conj(), cos * plus)
    return torch.unflatten(torch.stack(entries, dim=-1), -1, (2, 2))


def _batch_first(tensor: Tensor, inputs: Tensor) -> Tensor:
    """(c, B, …) as (..., c, …), in the inputs' batch shape."""
    return tensor.transpose(0, 1).reshape(*inputs.shape[:-2], len(tensor), *tensor.shape[2:])
