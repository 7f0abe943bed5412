"""A layer's two-qubit gates on a state vector, without a table as long as the state.

CNOTs together send basis state b to A b, linear over the bits, so A b is the exclusive or of one
number for b's upper half of bits and one for its lower half. CZs together give b a sign whose
exponent is quadratic in the bits. Both come from tables of 2^(q/2) entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits.ansatze import Layer


class Permutation(NamedTuple):
    """Basis state b is sent to upper[b's upper bits] ^ lower[b's lower bits]; and the inverse."""

    there: tuple[Tensor, Tensor]  # int64 (2^a,), (2^b,)
    back: tuple[Tensor, Tensor]

    def apply(self, state: Tensor) -> Tensor:
        """States (..., N) behind the gates."""
        return _gather(state, *self.back)

    def undo(self, state: Tensor) -> Tensor:
        """States (..., N) before the gates."""
        return _gather(state, *self.there)


class Signs(NamedTuple):
    """Basis state b has the sign (-1)^(upper + lower + parity of (crossed & b's lower bits))."""

    upper: Tensor  # int64 (2^a, 1), 0 or 1
    lower: Tensor  # int64 (2^b,), 0 or 1
    crossed: Tensor  # int64 (2^a, 1)
    parity: Tensor  # int64 (2^b,)

    def apply(self, state: Tensor) -> Tensor:
        """States (..., N) behind the gates."""
        bits = torch.arange(len(self.parity), device=state.device)
        odd = self.parity[self.crossed & bits] ^ self.upper ^ self.lower
        return state * (1 - 2 * odd.flatten()).to(state.real.dtype)

    def undo(self, state: Tensor) -> Tensor:
        """States (..., N) before the gates, which undo themselves."""
        return self.apply(state)


Wiring = Permutation | Signs


def wiring(layer: Layer, qubits: int, device: torch.device) -> Wiring:
    """A layer's gates, all CNOT or all CZ, each pair a control and a target."""
    bits = [(qubits - 1 - one, qubits - 1 - other) for one, other in layer.pairs]
    low = qubits - qubits // 2
    if layer.gate == "cz":
        return _signs(bits, qubits, low, device)
    there, back = (_halves(_images(order, qubits), low, device) for order in (bits, bits[::-1]))
    return Permutation(there, back)


def _gather(state: Tensor, upper: Tensor, lower: Tensor) -> Tensor:
    places = (upper[:, None] ^ lower).flatten()
    return state.gather(-1, places.expand_as(state))


def _images(bits: Iterable[tuple[int, int]], qubits: int) -> list[int]:
    """Where the CNOTs send each basis state of a single bit, lowest bit first."""
    images = [1 << place for place in range(qubits)]
    for control, target in bits:
        images = [image ^ ((image >> control & 1) << target) for image in images]
    return images


def _halves(images: list[int], low: int, device: torch.device) -> tuple[Tensor, Tensor]:
    return _spanned(images[low:], device), _spanned(images[:low], device)


def _spanned(images: list[int], device: torch.device) -> Tensor:
    """Exclusive ors of every subset of the images, the subset's bits counting up."""
    table = torch.zeros(1, dtype=torch.int64, device=device)
    for image in images:
        table = torch.cat((table, table ^ image))
    return table


def _signs(bits: list[tuple[int, int]], qubits: int, low: int, device: torch.device) -> Signs:
    upper, lower = (torch.arange(2**n, device=device) for n in (qubits - low, low))
    odd_upper, crossed = torch.zeros_like(upper), torch.zeros_like(upper)
    odd_lower = torch.zeros_like(lower)
    for pair in bits:
        small, large = sorted(pair)
        if small >= low:
            odd_upper ^= (upper >> (small - low)) & (upper >> (large - low)) & 1
        elif large < low:
            odd_lower ^= (lower >> small) & (lower >> large) & 1
        else:
            crossed ^= ((upper >> (large - low)) & 1) << small
    return Signs(odd_upper[:, None], odd_lower, crossed[:, None], _spanned([1] * low, device))
