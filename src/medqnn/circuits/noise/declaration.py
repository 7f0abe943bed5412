"""What noise a circuit suffers, and where."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from medqnn.circuits.noise.channels import Channel
from medqnn.errors import CircuitError


@dataclass(frozen=True)
class ReadoutError:
    """The chance that a measured bit is told wrongly.

    Attributes:
        one_for_zero: P(1 | 0), in [0, 1].
        zero_for_one: P(0 | 1), in [0, 1].

    Raises:
        CircuitError: If one is no probability.
    """

    one_for_zero: float
    zero_for_one: float

    def __post_init__(self) -> None:
        for name in ("one_for_zero", "zero_for_one"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise CircuitError(
                    f"readout error {name} is {getattr(self, name)!r}: give a probability "
                    "between 0 and 1"
                )

    @property
    def slope(self) -> float:
        """What ⟨P⟩ is multiplied by, before ``offset`` is added."""
        return 1.0 - self.one_for_zero - self.zero_for_one

    @property
    def offset(self) -> float:
        """What ⟨P⟩ is shifted by."""
        return self.zero_for_one - self.one_for_zero


@dataclass(frozen=True)
class Noise:
    """The noise of a device; without arguments there is none.

    A one-qubit gate is all rotations of one qubit in a layer, such as Rot(φ, θ, ω), or in an
    embedding: a device makes each of one or two pulses, whatever the ansatz calls it. A two-qubit
    gate is one CNOT or CZ of the ansatz, or one exp(-i x_j x_k Z_j Z_k / 2) of ``iqp``. Pooling is
    a controlled rotation made of these (see ``ansatze``). Amplitude embedding has no gates here,
    for its circuit is another question (it needs about 2^q of them); ``preparation`` can stand for
    it. A change of basis for ⟨X⟩ or ⟨Y⟩ is part of the readout. Qubits that wait are left alone.

    Attributes:
        one_qubit: Channels after each one-qubit gate, in order.
        two_qubit: Channels after each two-qubit gate: depolarising strikes both qubits together,
            any other each of them.
        preparation: Channels on each qubit of the state that is prepared: |0…0⟩, or with amplitude
            embedding the embedded one.
        before_readout: Channels on each qubit before the readout.
        readout: Readout errors: none, one for all qubits, or one a qubit.
        over_rotation: Radians that every rotation of one qubit turns too far, the three of a Rot
            each.
    """

    one_qubit: tuple[Channel, ...] = ()
    two_qubit: tuple[Channel, ...] = ()
    preparation: tuple[Channel, ...] = ()
    before_readout: tuple[Channel, ...] = ()
    readout: tuple[ReadoutError, ...] = ()
    over_rotation: float = 0.0

    @property
    def is_coherent(self) -> bool:
        """Whether no channel acts, so that a pure state stays pure until the readout."""
        return not (self.one_qubit or self.two_qubit or self.preparation or self.before_readout)

    def readout_of(self, qubits: int) -> tuple[ReadoutError, ...]:
        """The readout error of each qubit.

        Raises:
            CircuitError: If there are neither none, one nor as many as qubits.
        """
        given = len(self.readout)
        if given not in (0, 1, qubits):
            raise CircuitError(
                f"noise has {given} readout errors for {qubits} qubits: give none, one for all "
                f"or {qubits}"
            )
        return self.readout * qubits if given == 1 else self.readout or (EXACT_READOUT,) * qubits

    def scaled(self, factor: float) -> Noise:
        """The noise of gates and waiting as if it acted ``factor`` times; readout stays as it is.

        Raises:
            CircuitError: If the factor is negative or a channel cannot be scaled.
        """
        if not factor >= 0.0:
            raise CircuitError(f"noise is scaled by {factor}: give 0 or more")

        def all_of(channels: tuple[Channel, ...], qubits: int = 1) -> tuple[Channel, ...]:
            return tuple(channel.repeated(factor, qubits) for channel in channels)

        return Noise(
            all_of(self.one_qubit),
            all_of(self.two_qubit, 2),
            all_of(self.preparation),
            all_of(self.before_readout),
            self.readout,
            self.over_rotation * factor,
        )


EXACT_READOUT = ReadoutError(0.0, 0.0)


def confuse(probabilities: Tensor, errors: tuple[ReadoutError, ...]) -> Tensor:
    """Probabilities of what is told, from those of what is measured.

    Args:
        probabilities: Real (..., 2^q).
        errors: One a qubit.

    Returns:
        Of the same shape.
    """
    told = torch.unflatten(probabilities, -1, (2,) * len(errors))
    first = probabilities.dim() - 1
    for qubit, error in enumerate(errors):
        if error == EXACT_READOUT:
            continue
        zero, one = told.unbind(first + qubit)
        wrong = error.one_for_zero * zero - error.zero_for_one * one
        told = torch.stack((zero - wrong, one + wrong), dim=first + qubit)
    return told.flatten(first)
