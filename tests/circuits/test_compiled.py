from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medqnn.circuits import Circuit, compiled, gates

from .oracle import ansatz_matrix, draw
from .strategies import circuits


def compile_circuit(circuit: Circuit, weights: torch.Tensor) -> torch.Tensor:
    """Compiled matrix (c, rN, N), each readout's block a unitary."""
    table = compiled.tables(circuit, weights.dtype, weights.device)
    _, products = compiled.compile_matrix(table, weights)
    return products[-1]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(circuits(depth=4), st.sampled_from("XYZ"), st.integers(0, 99))
def test_the_matrix_is_pennylanes_behind_the_basis_change(
    circuit: Circuit, pauli: str, seed: int
) -> None:
    circuit = replace(circuit, embedding="amplitude", readouts=pauli)
    _, weights, _ = draw(circuit, circuits=2, batch=1, seed=seed)
    change = np.eye(1)
    for _ in range(circuit.qubits):
        change = np.kron(change, gates.BASIS_CHANGE[pauli].numpy())
    for matrix, angles in zip(compile_circuit(circuit, weights), weights, strict=True):
        expected = change @ ansatz_matrix(circuit, angles.numpy())
        np.testing.assert_allclose(matrix.numpy(), expected, atol=1e-13)


@pytest.mark.parametrize("entangler", ["cnot", "cz", "none"])
def test_every_readouts_block_is_unitary(entangler: str) -> None:
    circuit = Circuit(4, 3, readouts="XYZ", entangler=entangler)
    _, weights, _ = draw(circuit, circuits=3, batch=1, seed=0)
    for block in compile_circuit(circuit, weights).chunk(3, dim=1):
        identity = torch.eye(16, dtype=torch.complex128).expand(3, 16, 16)
        torch.testing.assert_close(block @ block.mH, identity)


def test_tables_are_built_once_for_a_circuit_dtype_and_device() -> None:
    cpu = torch.device("cpu")
    table = compiled.tables(Circuit(3, 2), torch.float32, cpu)
    assert table is compiled.tables(Circuit(3, 2), torch.float32, cpu)
    assert table.slope.dtype == torch.float32
    assert table.rows.dtype == torch.complex64
    assert compiled.tables(Circuit(3, 2), torch.float64, cpu).rows.dtype == torch.complex128


@pytest.mark.parametrize("embedding", ["amplitude", "angle", "angle_z", "iqp"])
def test_backward_equals_autograd_through_forward(embedding: str) -> None:
    circuit = Circuit(3, 3, embedding, "ZY", "cz", "ry_rz_strong", pooling=True)
    inputs, weights, grad = draw(circuit, circuits=2, batch=4, seed=1)
    inputs, grad = (tensor.permute(1, 2, 0).contiguous() for tensor in (inputs, grad))
    inputs.requires_grad_()
    weights.requires_grad_()
    values, saved = compiled.forward(circuit, inputs, weights)
    expected = torch.autograd.grad(values, (inputs, weights), grad)
    with torch.no_grad():
        for ours, theirs in zip(compiled.backward(circuit, saved, grad), expected, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("embedding", ["amplitude", "angle", "iqp"])
def test_a_batch_that_is_last_in_memory_is_returned_so(embedding: str) -> None:
    circuit = Circuit(3, 1, embedding)
    inputs, weights, grad = (
        tensor.permute(1, 2, 0).contiguous().permute(2, 0, 1) if tensor.dim() == 3 else tensor
        for tensor in draw(circuit, circuits=2, batch=4, seed=1)
    )
    values, saved = compiled.evaluate(circuit, inputs, weights)
    grad_inputs, _ = compiled.gradients(circuit, saved, grad, inputs, weights)
    for tensor in (values, grad_inputs):
        assert tensor.permute(1, 2, 0).is_contiguous()
