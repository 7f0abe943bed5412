"""A model whose quantum layers are evaluated in another way, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from medqnn.errors import CircuitError
from medqnn.layers.quantum import Evaluate, QuantumLayer
from medqnn.layers.quanvolution import QuantumConv2d


def quantum_layers(model: nn.Module) -> list[QuantumLayer | QuantumConv2d]:
    """The modules of a model that evaluate circuits, in the model's order."""
    return [part for part in model.modules() if isinstance(part, QuantumLayer | QuantumConv2d)]


@contextmanager
def evaluated_by(model: nn.Module, evaluate: Evaluate) -> Iterator[nn.Module]:
    """The model with another way to evaluate its quantum layers, until the block ends.

    Args:
        model: With a quantum layer or quantum convolution somewhere in it.
        evaluate: Same arguments and shapes as ``circuits.expectations``.

    Raises:
        CircuitError: If the model has no quantum layer.
    """
    found = quantum_layers(model)
    if not found:
        raise CircuitError("the model has no quantum layer: give a hybrid one")
    before = [module.evaluate for module in found]
    try:
        for module in found:
            module.evaluate = evaluate
        yield model
    finally:
        for module, own in zip(found, before, strict=True):
            module.evaluate = own
