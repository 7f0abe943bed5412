"""Qiskit Machine Learning's ``EstimatorQNN``: exact estimator, gradients by parameter shift."""

from __future__ import annotations

import numpy as np
from qiskit.circuit import ParameterVector, QuantumCircuit
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp
from qiskit_machine_learning.gradients import ParamShiftEstimatorGradient
from qiskit_machine_learning.neural_networks import EstimatorQNN

from peers.problem import LacksError, Problem, Results, Step

DTYPES = ("float64",)
DEVICES = ("cpu",)
PACKAGES = ("qiskit-machine-learning", "qiskit")


def build(problem: Problem) -> Step:
    if problem.embedding == "amplitude":
        raise LacksError("no gradient to amplitudes")
    networks = [network(problem) for _ in problem.weights]

    def run() -> Results:
        every = [
            pulled(one, problem.inputs[:, k], problem.weights[k], problem.cotangent[:, k])
            for k, one in enumerate(networks)
        ]
        values, to_inputs, to_weights = zip(*every, strict=True)
        return np.stack(values, 1), np.stack(to_inputs, 1), np.stack(to_weights)

    return run


def pulled(
    one: EstimatorQNN, inputs: np.ndarray, weights: np.ndarray, cotangent: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Values (B, q) of one circuit, and the cotangent's (B, q) pull-back."""
    values = one.forward(inputs, weights.ravel())
    by_input, by_weight = one.backward(inputs, weights.ravel())
    to_inputs = np.einsum("bo,boi->bi", cotangent, by_input)
    return values, to_inputs, np.einsum("bo,bow->w", cotangent, by_weight).reshape(weights.shape)


def network(problem: Problem) -> EstimatorQNN:
    q = problem.qubits
    data, angles = ParameterVector("x", q), ParameterVector("w", problem.weights[0].size)
    circuit = QuantumCircuit(q)
    for wire in range(q):
        circuit.ry(data[wire], wire)
    for layer, ring in enumerate(problem.rings()):
        for wire in range(q):
            phi, theta, omega = (angles[3 * (layer * q + wire) + n] for n in range(3))
            circuit.rz(phi, wire)
            circuit.ry(theta, wire)
            circuit.rz(omega, wire)
        for control, target in ring:
            circuit.cx(control, target)
    estimator = StatevectorEstimator()
    return EstimatorQNN(
        circuit=circuit,
        estimator=estimator,
        observables=[
            SparsePauliOp.from_sparse_list([(problem.pauli, [wire], 1)], q) for wire in range(q)
        ],
        input_params=list(data),
        weight_params=list(angles),
        gradient=ParamShiftEstimatorGradient(estimator),
        input_gradients=True,
        default_precision=0.0,
    )
