"""How a circuit is evaluated: the choice among methods that give the same numbers."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from medqnn.circuits import compiled
from medqnn.circuits.circuit import Circuit


class Method(Protocol):
    """Values of a batch, and their gradients in closed form; a module, such as ``compiled``."""

    def evaluate(self, circuit: Circuit, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Any]:
        """Values (..., c, circuit.outputs), and what ``gradients`` needs."""

    def gradients(
        self, circuit: Circuit, saved: Any, grad: Tensor, inputs: Tensor, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Gradients to the inputs and to the weights, of their shapes and dtypes."""


def fastest(circuit: Circuit, inputs: Tensor, weights: Tensor) -> Method:
    """The method that is fastest for these tensors and fits into memory."""
    return compiled


def traced(circuit: Circuit) -> Method:
    """A method whose ``evaluate`` is plain tensor operations, which autograd sees through."""
    return compiled
