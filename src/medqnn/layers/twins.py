"""What may stand where the quantum layer stands, so that its worth can be measured.

A hybrid network never travels alone. Each twin reads the quantum layer's input, and all but
``none`` give as many outputs, so that nothing else of the network changes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from medqnn.errors import RecipeError
from medqnn.layers.quantum import QuantumLayer

HYBRID = "hybrid"


class MatchedLinear(nn.Module):
    """A grouped linear map with as many weights as the circuits, or hardly fewer, then tanh.

    Each group stands for one circuit with P weights, i inputs and o outputs. Its map has rank
    P // (i + o), without bias; where P is too few even for rank one, the inputs are averaged down
    to P // o numbers, which a full linear map reads. A circuit with fewer weights than outputs is
    matched by one number and o weights, a few more than its own.

    Args:
        layer: The quantum layer to match.
    """

    def __init__(self, layer: QuantumLayer) -> None:
        super().__init__()
        inputs, outputs = layer.circuit.inputs, layer.circuit.outputs
        budget = layer.weight[0].numel()
        rank = budget // (inputs + outputs)
        self.hidden = rank or max(1, budget // outputs)
        self.down = nn.Parameter(torch.empty(layer.circuits, inputs, rank)) if rank else None
        self.up = nn.Parameter(torch.empty(layer.circuits, self.hidden, outputs))
        self.circuits = layer.circuits
        for weight in self.parameters():
            nn.init.normal_(weight, std=weight.shape[1] ** -0.5)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, in_features) to (B, out_features) in (-1, 1)."""
        grouped = inputs.unflatten(-1, (self.circuits, -1))
        if self.down is None:
            reduced = F.adaptive_avg_pool1d(grouped, self.hidden)
        else:
            reduced = torch.einsum("bci,cih->bch", grouped, self.down)
        return torch.einsum("bch,cho->bco", reduced, self.up).flatten(1).tanh()

    def extra_repr(self) -> str:
        """Shapes of the maps."""
        down = "averages" if self.down is None else tuple(self.down.shape)
        return f"circuits={self.circuits}, down={down}, up={tuple(self.up.shape)}"


def _dense(layer: QuantumLayer) -> nn.Module:
    return nn.Sequential(nn.Linear(layer.in_features, layer.out_features), nn.Tanh())


def _product(layer: QuantumLayer) -> nn.Module:
    product = copy.deepcopy(layer)
    product.circuit = replace(layer.circuit, entangler="none")
    return product


VARIANTS = MappingProxyType(
    {
        HYBRID: lambda layer: layer,
        "dense": _dense,
        "matched": MatchedLinear,
        "product": _product,
        "frozen": lambda layer: layer.requires_grad_(False),
        "none": lambda layer: nn.Identity(),
    }
)
"""Builders of the hybrid's head and its twins, each from the quantum layer.

``hybrid`` is the layer itself; ``dense`` a linear layer of the same widths, then tanh (the papers'
classical counterpart); ``matched`` a classical layer with at most as many weights; ``product`` the
circuit without entangling gates; ``frozen`` the circuit with random, untrained weights; ``none``
nothing.
"""


def head(variant: str, layer: QuantumLayer) -> tuple[nn.Module, int]:
    """The module of a variant in the quantum layer's place, and the width of its output.

    The random state is left as found, so that a network's other weights are drawn alike with
    every variant.

    Raises:
        RecipeError: If there is no such variant.
    """
    twin = build(VARIANTS, variant, layer)
    return twin, layer.in_features if variant == "none" else layer.out_features


def build(
    builders: Mapping[str, Callable[[Any], nn.Module]], variant: str, layer: nn.Module
) -> nn.Module:
    """A variant of a layer, with the random state left as found.

    Raises:
        RecipeError: If there is no such variant.
    """
    if variant not in builders:
        raise RecipeError(f"unknown variant '{variant}': choose one of {', '.join(builders)}")
    with torch.random.fork_rng(devices=[]):
        return builders[variant](layer)
