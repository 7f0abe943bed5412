"""The problem's circuit in PennyLane's terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pennylane as qml
import torch
from torch import Tensor

from peers.problem import Problem


def node(problem: Problem, device: Any, **options: Any) -> Any:
    """A QNode of one circuit: inputs (n,) or (B, n) and weights (d, q, 3) to q values."""
    wires = range(problem.qubits)
    observable = {"X": qml.PauliX, "Y": qml.PauliY, "Z": qml.PauliZ}[problem.pauli]

    @qml.qnode(device, **options)
    def circuit(inputs: Any, weights: Any) -> list[Any]:
        if problem.embedding == "amplitude":
            qml.AmplitudeEmbedding(inputs, wires, normalize=True)
        else:
            qml.AngleEmbedding(inputs, wires, rotation="Y")
        qml.StronglyEntanglingLayers(weights, wires)
        return [qml.expval(observable(wire)) for wire in wires]

    return circuit


def stacked(node: Callable[..., list[Tensor]]) -> Callable[[Tensor, Tensor], Tensor]:
    """The node's list of q values as the last dimension."""
    return lambda inputs, weights: torch.stack(node(inputs, weights), dim=-1)
