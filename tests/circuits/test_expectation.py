from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from medqnn.circuits import Circuit, expectations
from medqnn.errors import CircuitError

from . import oracle
from .strategies import circuits

WIDE = [
    Circuit(6, 2, "amplitude", "Y", "cnot"),
    Circuit(7, 1, "angle", "ZX", "cz"),
    Circuit(8, 2, "amplitude", "Z", "none"),
    Circuit(8, 3, "angle", "XYZ", "cnot"),
    Circuit(7, 2, "angle", "Y", "cz", "ry_rz_strong", pooling=True),
    Circuit(7, 2, "angle_x", "YZ", "cnot", "basic"),
    Circuit(7, 1, "angle_z", "X", "cz", "hardware_efficient", coupling=((6, 0), (3, 4), (4, 2))),
    Circuit(8, 1, "iqp", "XY", "cnot", "real_amplitudes"),
]


def assert_equals_pennylane(circuit: Circuit, circuits: int, batch: int, seed: int) -> None:
    """Values and the gradients to inputs and weights, to 1e-10 in float64."""
    arguments = oracle.draw(circuit, circuits, batch, seed)
    ours = oracle.gradients(expectations, circuit, *arguments)
    theirs = oracle.gradients(oracle.expectations, circuit, *arguments)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-10)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(circuits(), st.integers(1, 3), st.sampled_from([1, 2, 5]), st.integers(0, 999))
def test_values_and_gradients_are_pennylanes(
    circuit: Circuit, circuits: int, batch: int, seed: int
) -> None:
    assert_equals_pennylane(circuit, circuits, batch, seed)


@pytest.mark.parametrize("circuit", WIDE, ids=repr)
def test_wide_circuits_are_pennylanes(circuit: Circuit) -> None:
    assert_equals_pennylane(circuit, circuits=2, batch=3, seed=0)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(circuits(), st.integers(0, 999))
def test_values_are_expectation_values(circuit: Circuit, seed: int) -> None:
    inputs, weights, _ = oracle.draw(circuit, circuits=2, batch=8, seed=seed)
    assert expectations(circuit, inputs, weights).abs().max() <= 1 + 1e-12


@pytest.mark.parametrize("embedding", ["amplitude", "angle", "angle_x", "iqp"])
def test_gradcheck(embedding: str) -> None:
    circuit = Circuit(2, 2, embedding, "YX", "cz", "ry_rz_strong", pooling=True)
    inputs, weights, _ = oracle.draw(circuit, circuits=2, batch=2, seed=3)
    inputs.requires_grad_()
    weights.requires_grad_()

    def evaluate(inputs: Tensor, weights: Tensor) -> Tensor:
        return expectations(circuit, inputs, weights)

    assert torch.autograd.gradcheck(evaluate, (inputs, weights))
    assert torch.autograd.gradgradcheck(evaluate, (inputs, weights))


@pytest.mark.parametrize("lead", [(), (1,), (0,), (2, 3), (2, 0, 3)])
def test_any_leading_dimensions(lead: tuple[int, ...]) -> None:
    circuit = Circuit(3, 2)
    _, weights, _ = oracle.draw(circuit, circuits=2, batch=1, seed=0)
    inputs = torch.randn(*lead, 2, 8, dtype=torch.float64, requires_grad=True)
    weights.requires_grad_()
    values = expectations(circuit, inputs, weights)
    assert values.shape == (*lead, 2, 3)
    flat = expectations(circuit, inputs.detach().reshape(-1, 2, 8), weights.detach())
    torch.testing.assert_close(values.detach().reshape(-1, 2, 3), flat)
    values.sum().backward()
    assert inputs.grad.shape == inputs.shape
    assert weights.grad.shape == weights.shape
    if 0 in lead:
        assert weights.grad.count_nonzero() == 0


def test_strided_arguments() -> None:
    circuit = Circuit(3, 2)
    inputs, weights, cotangent = oracle.draw(circuit, circuits=2, batch=4, seed=0)
    expected = oracle.gradients(expectations, circuit, inputs, weights, cotangent)

    def strided(tensor: Tensor) -> Tensor:
        return tensor.mT.contiguous().mT

    actual = oracle.gradients(
        lambda circuit, *pair: expectations(circuit, *map(strided, pair)),
        circuit,
        inputs,
        weights,
        strided(cotangent),
    )
    torch.testing.assert_close(actual, expected)


def test_gradient_to_one_argument_alone() -> None:
    circuit = Circuit(3, 2)
    inputs, weights, cotangent = oracle.draw(circuit, circuits=2, batch=4, seed=0)
    _, to_inputs, to_weights = oracle.gradients(expectations, circuit, inputs, weights, cotangent)
    inputs.requires_grad_()
    expectations(circuit, inputs, weights).backward(cotangent)
    torch.testing.assert_close(inputs.grad, to_inputs)
    weights.requires_grad_()
    expectations(circuit, inputs.detach(), weights).backward(cotangent)
    torch.testing.assert_close(weights.grad, to_weights)


def test_backward_twice_through_a_kept_graph() -> None:
    circuit = Circuit(3, 2)
    inputs, weights, cotangent = oracle.draw(circuit, circuits=2, batch=4, seed=0)
    weights.requires_grad_()
    values = expectations(circuit, inputs, weights)
    values.backward(cotangent, retain_graph=True)
    once = weights.grad.clone()
    values.backward(cotangent)
    torch.testing.assert_close(weights.grad, 2 * once)
    assert values.grad_fn is not None
    assert values.grad_fn.saved is None  # values are still here, what backward needed is not
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        values.backward(cotangent)


@pytest.mark.parametrize(
    ("inputs", "weights", "given"),
    [
        ((4, 2, 8), (2, 2, 3), "(2, 2, 3)"),
        ((4, 2, 8), (2, 3, 3, 3), "(2, 3, 3, 3)"),
        ((4, 2, 8), (3, 2, 3, 3), "(4, 2, 8)"),
        ((4, 2, 3), (2, 2, 3, 3), "(4, 2, 3)"),
        ((8,), (2, 2, 3, 3), "(8,)"),
    ],
)
def test_a_shape_that_does_not_fit(
    inputs: tuple[int, ...], weights: tuple[int, ...], given: str
) -> None:
    with pytest.raises(CircuitError) as caught:
        expectations(Circuit(3, 2), torch.zeros(inputs), torch.zeros(weights))
    assert given in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [torch.int64, torch.complex64, torch.bool])
def test_a_dtype_that_is_not_real(dtype: torch.dtype) -> None:
    inputs, weights = torch.zeros(4, 2, 8), torch.zeros(2, 2, 3, 3)
    for pair in ((inputs.to(dtype), weights), (inputs, weights.to(dtype))):
        with pytest.raises(CircuitError, match=str(dtype)):
            expectations(Circuit(3, 2), *pair)


@pytest.mark.parametrize("layout", [torch.sparse_coo, torch._mkldnn])
def test_a_layout_without_rows_of_numbers(layout: torch.layout) -> None:
    inputs, weights = torch.rand(4, 2, 8), torch.rand(2, 2, 3, 3)

    def other(tensor: Tensor) -> Tensor:
        return tensor.to_sparse() if layout is torch.sparse_coo else tensor.to_mkldnn()

    for name, pair in {
        "inputs": (other(inputs), weights),
        "weights": (inputs, other(weights)),
    }.items():
        with pytest.raises(CircuitError, match=rf"{name} have the layout {layout}: .*to_dense\(\)"):
            expectations(Circuit(3, 2), *pair)
        dense = (tensor.to_dense() for tensor in pair)
        torch.testing.assert_close(
            expectations(Circuit(3, 2), *dense), expectations(Circuit(3, 2), inputs, weights)
        )


@pytest.mark.parametrize("circuit", [Circuit(3, 2), Circuit(3, 2, "angle", reupload=True)])
def test_shapes_alone(circuit: Circuit) -> None:
    """On the meta device there are no numbers, but shapes."""
    weights = torch.rand(2, *circuit.weight_shape, device="meta", requires_grad=True)
    values = expectations(circuit, torch.rand(4, 2, circuit.inputs, device="meta"), weights)
    values.sum().backward()
    assert values.shape == (4, 2, 3)
    assert weights.grad is not None
    assert weights.grad.shape == weights.shape


def test_tensors_on_two_devices() -> None:
    inputs, weights = torch.rand(4, 2, 8), torch.rand(2, 2, 3, 3)
    with pytest.raises(CircuitError, match="inputs are on meta and weights on cpu: move both"):
        expectations(Circuit(3, 2), inputs.to("meta"), weights)
