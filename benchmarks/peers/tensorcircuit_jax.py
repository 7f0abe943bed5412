"""TensorCircuit-NG with JAX: jit of vmap over batch and circuits."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import tensorcircuit

from peers import jax_bridge
from peers.problem import Problem, Step

DTYPES = ("float32", "float64")
DEVICES = ("cpu",)
PACKAGES = ("tensorcircuit-ng", "jax", "jaxlib", "torch")

tensorcircuit.set_backend("jax")


def build(problem: Problem) -> Step:
    precision = {"float32": "complex64", "float64": "complex128"}[problem.inputs.dtype.name]

    def single(inputs: Any, weights: Any) -> Any:
        with tensorcircuit.runtime_dtype(precision):
            circuit = embedded(problem, inputs)
            for ring, angles in zip(problem.rings(), weights, strict=True):
                for wire, (phi, theta, omega) in enumerate(angles):
                    circuit.rz(wire, theta=phi)
                    circuit.ry(wire, theta=theta)
                    circuit.rz(wire, theta=omega)
                for control, target in ring:
                    circuit.cnot(control, target)
            observed = [{problem.pauli.lower(): [wire]} for wire in range(problem.qubits)]
            return jnp.stack([circuit.expectation_ps(**one).real for one in observed])

    return jax_bridge.step(problem, single)


def embedded(problem: Problem, inputs: Any) -> tensorcircuit.Circuit:
    if problem.embedding == "amplitude":
        state = inputs / jnp.linalg.norm(inputs)
        return tensorcircuit.Circuit(problem.qubits, inputs=state)
    circuit = tensorcircuit.Circuit(problem.qubits)
    for wire, angle in enumerate(inputs):
        circuit.ry(wire, theta=angle)
    return circuit
