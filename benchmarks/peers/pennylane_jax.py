"""PennyLane's ``default.qubit`` in JAX: jit of vmap over batch and circuits."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import pennylane as qml

from peers import jax_bridge, pennylane_circuit
from peers.problem import Problem, Step

DTYPES = ("float32", "float64")
DEVICES = ("cpu",)
PACKAGES = ("pennylane", "jax", "jaxlib", "torch")


def build(problem: Problem) -> Step:
    device = qml.device("default.qubit", wires=problem.qubits)
    node = pennylane_circuit.node(problem, device, interface="jax", diff_method="backprop")

    def single(inputs: Any, weights: Any) -> Any:
        return jnp.stack(node(inputs, weights)).astype(inputs.dtype)

    return jax_bridge.step(problem, single)
