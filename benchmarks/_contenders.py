"""What the quantum layer's benchmark compares: each contender as one function of two tensors.

A contender maps inputs (B, c, n) and weights (c, d, q, 3) to expectation values (B, c, outputs).
"""

from __future__ import annotations

import importlib.util
import os
import warnings
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
PENNYLANE_TORCH, PENNYLANE_JAX = "PennyLane + PyTorch", "PennyLane + JAX, jit and vmap"
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


def contenders(case: Case, dtype: torch.dtype) -> dict[str, Contender]:
    """Everything that computes the case's circuits here, to be called with tensors of one dtype.

    JAX is among them only where it is installed; its precision is a setting of the process, so
    a later call for another dtype spoils this one's.
    """
    chosen = {OURS: ours(case), OURS_PYTORCH: through(compiled, case)}
    chosen[PENNYLANE_TORCH] = pennylane_torch(case)
    if importlib.util.find_spec("jax"):
        chosen[PENNYLANE_JAX] = pennylane_jax(case, dtype)
    return chosen


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


def program(spec: Circuit, inputs: Any, weights: Any) -> list[Any]:
    """The circuit in PennyLane's terms."""
    wires = range(spec.qubits)
    EMBEDDING[spec.embedding](inputs, wires)
    qml.StronglyEntanglingLayers(weights, wires)
    return [qml.expval(PAULI[pauli](wire)) for pauli in spec.readouts for wire in wires]


def pennylane_torch(case: Case) -> Contender:
    """``default.qubit`` with backpropagation; the batch by PennyLane's broadcasting."""
    device = qml.device("default.qubit", wires=case.circuit.qubits)

    @qml.qnode(device, interface="torch", diff_method="backprop")
    def node(inputs: Tensor, weights: Tensor) -> list[Any]:
        return program(case.circuit, inputs, weights)

    def evaluate(inputs: Tensor, weights: Tensor) -> Tensor:
        columns = [
            torch.stack(node(inputs[:, k], weights[k]), dim=-1) for k in range(case.circuits)
        ]
        return torch.stack(columns, dim=1)

    return evaluate


def pennylane_jax(case: Case, dtype: torch.dtype) -> Contender:
    """``default.qubit`` jitted, vmapped over circuits and batch, bridged to PyTorch."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax

    jax.config.update("jax_enable_x64", dtype == torch.float64)
    # PennyLane asks for complex128 and is content with complex64
    warnings.filterwarnings("ignore", message="Explicitly requested dtype complex128")
    device = qml.device("default.qubit", wires=case.circuit.qubits)

    @qml.qnode(device, interface="jax", diff_method="backprop")
    def node(inputs: Any, weights: Any) -> list[Any]:
        return program(case.circuit, inputs, weights)

    def single(inputs: Any, weights: Any) -> Any:
        return jax.numpy.stack(node(inputs, weights)).astype(inputs.dtype)

    layer = jax.vmap(jax.vmap(single), in_axes=(0, None))
    return _bridged(jax, layer)


def _bridged(jax: Any, layer: Callable[[Any, Any], Any]) -> Contender:
    """Two jitted calls: the values, and in backward the gradients (values computed once more)."""
    forward = jax.jit(layer)
    backward = jax.jit(lambda grad, *arguments: jax.vjp(layer, *arguments)[1](grad))

    class Bridge(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *arguments: Tensor) -> Tensor:
            ctx.arrays = [a.detach().numpy() for a in arguments]
            return torch.from_dlpack(forward(*ctx.arrays))

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
            pulled = backward(grad.contiguous().numpy(), *ctx.arrays)
            return tuple(map(torch.from_dlpack, pulled))

    return Bridge.apply
