"""How much a circuit with random weights entangles: the Meyer-Wallach measure.

Q(ψ) = 2 (1 - mean over qubits k of Tr ρ_k²), where ρ_k is the state of qubit k alone (Meyer and
Wallach 2002, in Brennen's form of 2003): 0 of a product of single qubits, 1 where each qubit alone
is wholly mixed (GHZ).
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Generator, Tensor

from medqnn.circuits import Circuit
from medqnn.diagnostics.states import draw_inputs, draw_weights, embedded, states


class Entanglement(NamedTuple):
    """Q over random weights and inputs.

    Attributes:
        mean: Mean of Q at the circuit's end.
        sd: Its standard deviation over draws.
        embedding: Mean of Q before the first trainable gate: 0 of angles, which embed into a
            product; not of amplitudes. Gates on single qubits leave it, so it is also the mean of
            the product circuit.
    """

    mean: float
    sd: float
    embedding: float


def meyer_wallach(vectors: Tensor) -> Tensor:
    """Q of state vectors (S, 2^q), real or complex, of norm 1: (S,), in [0, 1]."""
    qubits = vectors.shape[1].bit_length() - 1
    purity = vectors.new_zeros(len(vectors)).real
    for qubit in range(qubits):
        halves = vectors.unflatten(1, (2**qubit, 2, -1)).transpose(1, 2).flatten(2)
        reduced = halves @ halves.mH
        purity = purity + reduced.abs().square().sum((1, 2)) / qubits
    return 2.0 * (1.0 - purity)


def haar_mean(qubits: int) -> float:
    """Mean of Q of Haar-random states: (N - 2) / (N + 1) for N = 2^q."""
    return float((2**qubits - 2) / (2**qubits + 1))


def entanglement(
    circuit: Circuit, angles: tuple[float, float], samples: int, generator: Generator
) -> Entanglement:
    """Q over random weights and random inputs, both drawn anew for each sample.

    Args:
        circuit: What to look at.
        angles: See ``states.draw_inputs``.
        samples: Number of draws, at least 2.
        generator: Source of the draws.
    """
    inputs = draw_inputs(circuit, samples, angles, generator)
    found = meyer_wallach(states(circuit, inputs, draw_weights(circuit, samples, generator)))
    before = meyer_wallach(embedded(circuit, inputs))
    return Entanglement(float(found.mean()), float(found.std()), float(before.mean()))
