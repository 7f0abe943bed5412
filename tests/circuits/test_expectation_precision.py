"""Precision, autocast, extreme values and devices of `expectations`."""

from __future__ import annotations

import pytest
import torch

from medqnn.circuits import Circuit, expectations

from . import oracle

CIRCUITS = [
    Circuit(5, 2),
    Circuit(4, 3, "angle", "Z"),
    Circuit(3, 2, "amplitude", "ZXY", "cz"),
    Circuit(4, 2, "angle", "ZX", "cnot", "ry_rz_strong", pooling=True),
    Circuit(4, 2, "angle_z", "ZX", ansatz="basic"),
    Circuit(4, 2, "iqp", "YZ", ansatz="hardware_efficient"),
]
HALVES = [torch.bfloat16, torch.float16]


@pytest.mark.parametrize("circuit", CIRCUITS, ids=repr)
def test_float32_is_float64_to_1e_5(circuit: Circuit) -> None:
    arguments = oracle.draw(circuit, circuits=3, batch=16, seed=0, dtype=torch.float32)
    single = oracle.gradients(expectations, circuit, *arguments)
    double = oracle.gradients(expectations, circuit, *(a.double() for a in arguments))
    for one, other in zip(single, double, strict=True):
        assert one.dtype == torch.float32
        scale = max(1.0, other.abs().max().item())
        torch.testing.assert_close(one.double(), other, atol=1e-5 * scale, rtol=0)


def test_the_wider_dtype_wins() -> None:
    circuit = CIRCUITS[0]
    inputs, weights, cotangent = oracle.draw(circuit, circuits=2, batch=4, seed=0)
    values, to_inputs, to_weights = oracle.gradients(
        expectations, circuit, inputs.float(), weights, cotangent
    )
    dtypes = (values.dtype, to_inputs.dtype, to_weights.dtype)
    assert dtypes == (torch.float64, torch.float32, torch.float64)


@pytest.mark.parametrize("circuit", CIRCUITS, ids=repr)
@pytest.mark.parametrize("dtype", HALVES)
def test_autocast_changes_nothing_forward_or_backward(circuit: Circuit, dtype: torch.dtype) -> None:
    arguments = oracle.draw(circuit, circuits=2, batch=8, seed=0, dtype=torch.float32)
    expected = oracle.gradients(expectations, circuit, *arguments)
    with torch.autocast("cpu", dtype):
        actual = oracle.gradients(expectations, circuit, *arguments)
    for one, other in zip(actual, expected, strict=True):
        assert torch.equal(one, other)


def test_autocast_changes_nothing_under_transforms() -> None:
    circuit = CIRCUITS[0]
    inputs, weights, _ = oracle.draw(circuit, circuits=2, batch=8, seed=0, dtype=torch.float32)
    evaluate = torch.func.vmap(lambda row: expectations(circuit, row, weights))
    expected = evaluate(inputs)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(evaluate(inputs), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("circuit", CIRCUITS, ids=repr)
@pytest.mark.parametrize("dtype", HALVES)
def test_half_precision_parameters_are_computed_in_float32(
    circuit: Circuit, dtype: torch.dtype
) -> None:
    arguments = [a.to(dtype) for a in oracle.draw(circuit, circuits=2, batch=8, seed=0)]
    half = oracle.gradients(expectations, circuit, *arguments)
    single = oracle.gradients(expectations, circuit, *(a.float() for a in arguments))
    for one, other in zip(half, single, strict=True):
        assert torch.equal(one, other.to(dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-11, 1e-8, 1e-4, 1e4, 1e15])
def test_amplitudes_of_any_norm(scale: float, dtype: torch.dtype) -> None:
    circuit = CIRCUITS[0]
    inputs, *rest = oracle.draw(circuit, circuits=2, batch=4, seed=0, dtype=dtype)
    values, to_inputs, to_weights = oracle.gradients(expectations, circuit, inputs, *rest)
    scaled = oracle.gradients(expectations, circuit, scale * inputs, *rest)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(scaled[0], values, atol=tolerance, rtol=0)
    torch.testing.assert_close(scale * scaled[1], to_inputs, atol=10 * tolerance, rtol=tolerance)
    torch.testing.assert_close(scaled[2], to_weights, atol=10 * tolerance, rtol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_zero_sub_vector_gives_zeros_and_no_gradient(dtype: torch.dtype) -> None:
    circuit = CIRCUITS[0]
    inputs, weights, cotangent = (
        a.to(dtype) for a in oracle.draw(circuit, circuits=2, batch=4, seed=0)
    )
    inputs[1, 0] = 0
    values, to_inputs, to_weights = oracle.gradients(
        expectations, circuit, inputs, weights, cotangent
    )
    assert values[1, 0].count_nonzero() == to_inputs[1, 0].count_nonzero() == 0
    cotangent[1, 0] = 0  # the zero sub-vector adds nothing to the weights' gradient
    inputs[1, 0] = 1
    others = oracle.gradients(expectations, circuit, inputs, weights, cotangent)
    torch.testing.assert_close(to_weights, others[2])
    inputs[:] = 0
    for result in oracle.gradients(expectations, circuit, inputs, weights, cotangent):
        assert result.count_nonzero() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_zero_sub_vector_has_finite_gradients_through_autograd_too(dtype: torch.dtype) -> None:
    circuit = CIRCUITS[0]
    inputs, weights, _ = oracle.draw(circuit, circuits=2, batch=4, seed=0, dtype=dtype)
    inputs[1, 0] = 0

    def loss(inputs: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return expectations(circuit, inputs, weights).square().sum()

    transformed = torch.func.grad(loss, argnums=(0, 1))(inputs, weights)
    inputs.requires_grad_()
    weights.requires_grad_()
    plain = torch.autograd.grad(loss(inputs, weights), (inputs, weights), create_graph=True)
    expected = torch.autograd.grad(loss(inputs, weights), (inputs, weights))
    torch.testing.assert_close(transformed, expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(plain, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("circuit", CIRCUITS, ids=repr)
def test_cuda_equals_cpu(circuit: Circuit, dtype: torch.dtype) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")
    arguments = oracle.draw(circuit, circuits=3, batch=16, seed=0, dtype=dtype)
    cpu = oracle.gradients(expectations, circuit, *arguments)
    cuda = oracle.gradients(expectations, circuit, *(a.cuda() for a in arguments))
    tolerance = 1e-4 if dtype == torch.float32 else 1e-11
    for one, other in zip(cuda, cpu, strict=True):
        assert one.is_cuda
        torch.testing.assert_close(one.cpu(), other, atol=tolerance, rtol=tolerance)
