"""A circuit's constants as the kernels of ``gpu`` read them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits.circuit import Circuit
from medqnn.circuits.steps import half_angles, steps
from medqnn.circuits.turns import Permutation

TERMS = 2
"""Weights that an angle may depend on; pooling makes it two."""


class Tables(NamedTuple):
    """A circuit's constants on a device; a step has a row in each table.

    A step's angles φ, θ, ω stand in rows of 4 columns numbers, columns being q filled up to a power
    of two: kind k of qubit j in place k columns + j. A weight in two angles or more has a slot for
    what each of them adds to its gradient.
    """

    reals: Tensor  # (steps, 3, width): offsets of half the angles, slopes by one weight and another
    integers: Tensor  # int32 (steps, 4 width + 2 N + 1): these weights, or -1; these slots, or -1;
    # where amplitudes come from, and where they went, with N where a sign turns; if it uploads
    steps: int
    slots: int  # of each weight


@lru_cache(maxsize=64)
def tables(circuit: Circuit, dtype: torch.dtype, device: torch.device) -> Tables:
    """The constants of a circuit, built in float64 once and kept: plain tensors in any mode."""
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.device("cpu"),
        torch._C._DisableFuncTorch(),
    ):
        found, size = steps(circuit), circuit.dimension
        slopes, offsets = (_placed(angles, circuit) for angles in half_angles(found))
        weights, own_slopes = _terms(slopes)
        slots, most = _slots(weights)
        moves = [Permutation.identity(size).then(step.layer, circuit.qubits) for step in found]
        integers = [
            weights.flatten(1),
            slots.flatten(1),
            torch.stack([_packed(move.transposed()) for move in moves]),
            torch.stack([_packed(move) for move in moves]),
            torch.tensor([[step.uploads] for step in found]),
        ]
        return Tables(
            torch.cat((offsets.transpose(0, 1), own_slopes), dim=1).to(device, dtype),
            torch.cat(integers, dim=1).to(device, torch.int32),
            len(found),
            most,
        )


def _placed(angles: Tensor, circuit: Circuit) -> Tensor:
    """From (…, (L + 2) q 3) to (…, L, width)."""
    q = circuit.qubits
    inner = angles.reshape(-1, angles.shape[-1] // (3 * q), q, 3)[:, 1:-1]
    columns = 1 << (q - 1).bit_length()
    placed = inner.new_zeros(*inner.shape[:2], 4, columns)
    placed[:, :, :3, :q] = inner.mT
    return placed.flatten(2)


def _terms(slopes: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (L, TERMS, width) that each angle depends on, or -1, and by how much."""
    _, layers, width = slopes.shape
    weights = torch.full((layers, TERMS, width), -1)
    own = torch.zeros(layers, TERMS, width, dtype=slopes.dtype)
    filled = torch.zeros(layers, width, dtype=torch.int64)
    for weight, layer, place in slopes.nonzero().tolist():
        term = filled[layer, place]
        assert term < TERMS, "an angle depends on more weights than the kernels read"
        weights[layer, term, place] = weight
        own[layer, term, place] = slopes[weight, layer, place]
        filled[layer, place] += 1
    return weights, own


def _slots(weights: Tensor) -> tuple[Tensor, int]:
    """A slot for each term, and how many slots each weight has: those of weight p from p on."""
    count = int(weights.max()) + 1
    slots, filled = torch.full_like(weights, -1), [0] * count
    for layer, term, place in (weights >= 0).nonzero().tolist():
        weight = int(weights[layer, term, place])
        slots[layer, term, place] = filled[weight] * count + weight
        filled[weight] += 1
    return slots, max(filled)


def _packed(move: Permutation) -> Tensor:
    """Where each state is sent, with N added where its sign turns."""
    return move.states + len(move.states) * (move.signs < 0)
