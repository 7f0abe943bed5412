"""How a circuit is evaluated: the choice among methods that give the same numbers."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from medqnn.circuits import compiled, gpu, native, statevector
from medqnn.circuits.circuit import COMPILED_QUBITS, Circuit


class Method(Protocol):
    """Values of a batch, and their gradients in closed form; a module, such as ``compiled``."""

    def evaluate(self, circuit: Circuit, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Any]:
        """Values (..., c, circuit.outputs), and what ``gradients`` needs."""

    def gradients(
        self, circuit: Circuit, saved: Any, grad: Tensor, inputs: Tensor, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Gradients to the inputs and to the weights, of their shapes and dtypes."""


def fastest(circuit: Circuit, inputs: Tensor, weights: Tensor) -> Method:
    """The method that is fastest for these tensors; the state vector fits its memory to them.

    Machine code where it serves, on a GPU one kernel. Else a matrix is worked out once a step and
    is then cheap for each image, a state vector costs the same for each: fewer images than
    16^(q - 6) are faster on state vectors (measured at 5 to 9 qubits; ``benchmarks/wide.py``).
    """
    if native.serves(circuit, inputs, weights):
        return native
    if gpu.serves(circuit, inputs, weights):
        return gpu
    images = inputs.shape[:-2].numel()
    if _has_matrix(circuit) and images >= 16.0 ** (circuit.qubits - 6):
        return compiled
    return statevector


def traced(circuit: Circuit) -> Method:
    """A method whose ``evaluate`` is plain tensor operations, which autograd sees through."""
    return compiled if _has_matrix(circuit) and circuit.qubits <= 7 else statevector


def _has_matrix(circuit: Circuit) -> bool:
    """Whether the circuit can be one matrix for all images, before which they are embedded."""
    return not circuit.reupload and circuit.qubits <= COMPILED_QUBITS
