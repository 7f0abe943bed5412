"""What the quantum layer's benchmark compares: each contender as one function of two tensors.

A contender maps inputs (B, c, n) and weights (c, d, q, 3) to expectation values (B, c, outputs).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pennylane as qml
import torch
from torch import Tensor

from medqnn.circuits import Circuit, compiled, expectations
from medqnn.circuits.methods import Method

Contender = Callable[[Tensor, Tensor], Tensor]

OURS, OURS_PYTORCH, DENSE = "medqnn", "medqnn (PyTorch)", "nn.Linear"
PENNYLANE_TORCH = "PennyLane + PyTorch"
PAULI = {"X": qml.PauliX, "Y": qml.PauliY, "Z": qml.PauliZ}
EMBEDDING = {
    "amplitude": lambda inputs, wires: qml.AmplitudeEmbedding(inputs, wires, normalize=True),
    "angle": lambda inputs, wires: qml.AngleEmbedding(inputs, wires, rotation="Y"),
}


@dataclass(frozen=True)
class Case:
    """A layer and a batch."""

    name: str
    circuit: Circuit
    circuits: int
    batch: int

    def draw(self, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        """Random inputs, weights and gradient to the outputs, the same at each call."""
        random = torch.Generator().manual_seed(0)
        spec = self.circuit
        shapes = (
            (self.batch, self.circuits, spec.inputs),
            (self.circuits, *spec.weight_shape),
            (self.batch, self.circuits, spec.outputs),
        )
        drawn = [torch.randn(s, generator=random, dtype=torch.float64).to(dtype) for s in shapes]
        return drawn[0].requires_grad_(), drawn[1].requires_grad_(), drawn[2]


def contenders(case: Case) -> dict[str, Contender]:
    """Everything that computes the case's circuits in this process, for tensors of any dtype."""
    return {
        OURS: ours(case),
        OURS_PYTORCH: through(compiled, case),
        PENNYLANE_TORCH: pennylane_torch(case),
    }


def ours(case: Case) -> Contender:
    return lambda inputs, weights: expectations(case.circuit, inputs, weights)


def through(method: Method, case: Case) -> Contender:
    """A circuit by one method, whatever ``methods.fastest`` would take."""
    return lambda inputs, weights: _Through.apply(method, case.circuit, inputs, weights)


class _Through(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, method: Method, circuit: Circuit, *tensors: Tensor) -> Tensor:
        ctx.method, ctx.circuit = method, circuit
        ctx.save_for_backward(*tensors)
        values, ctx.saved = method.evaluate(circuit, *tensors)
        return values

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        tensors = ctx.saved_tensors
        return None, None, *ctx.method.gradients(ctx.circuit, ctx.saved, grad, *tensors)


def dense(case: Case, inputs: Tensor) -> torch.nn.Linear:
    """The floor: a dense layer of the same widths."""
    spec = case.circuit
    return torch.nn.Linear(
        case.circuits * spec.inputs, case.circuits * spec.outputs, dtype=inputs.dtype
    )


def pennylane_torch(case: Case) -> Contender:
    """``default.qubit`` with backpropagation; the batch by PennyLane's broadcasting."""
    spec, wires = case.circuit, range(case.circuit.qubits)
    device = qml.device("default.qubit", wires=wires)

    @qml.qnode(device, interface="torch", diff_method="backprop")
    def node(inputs: Tensor, weights: Tensor) -> list[Any]:
        EMBEDDING[spec.embedding](inputs, wires)
        qml.StronglyEntanglingLayers(weights, wires)
        return [qml.expval(PAULI[pauli](wire)) for pauli in spec.readouts for wire in wires]

    def evaluate(inputs: Tensor, weights: Tensor) -> Tensor:
        columns = [
            torch.stack(node(inputs[:, k], weights[k]), dim=-1) for k in range(case.circuits)
        ]
        return torch.stack(columns, dim=1)

    return evaluate
