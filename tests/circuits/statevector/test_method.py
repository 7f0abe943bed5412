"""The state-vector method beside PennyLane, autograd and itself in parts."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from medqnn.circuits import Circuit, statevector
from medqnn.circuits.statevector import memory

from .. import oracle
from ..strategies import circuits

WIDE = [
    Circuit(12, 2, "amplitude", "Y"),
    Circuit(9, 2, "angle", "ZX", "cz", pooling=True),
    Circuit(11, 1, "iqp", "X", "cnot", "basic"),
]
UPLOADS = [
    Circuit(4, 3, "angle_x", "XYZ", "cz", "ry_rz_strong", True, True),
    Circuit(3, 2, "iqp", "Y", "cnot", "basic", reupload=True),
]


def in_closed_form(
    circuit: Circuit, inputs: Tensor, weights: Tensor, cotangent: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    values, saved = statevector.evaluate(circuit, inputs, weights)
    return values, *statevector.gradients(circuit, saved, cotangent, inputs, weights)


def by_autograd(circuit: Circuit, inputs: Tensor, weights: Tensor) -> Tensor:
    return statevector.evaluate(circuit, inputs, weights)[0]


def assert_equals_pennylane(circuit: Circuit, number: int, batch: int, seed: int) -> None:
    arguments = oracle.draw(circuit, number, batch, seed)
    ours = in_closed_form(circuit, *arguments)
    theirs = oracle.gradients(oracle.expectations, circuit, *arguments)
    torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=1e-10)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(circuits(qubits=5, reupload=True), st.integers(1, 3), st.sampled_from([1, 3]), st.integers())
def test_values_and_gradients_are_pennylanes(
    circuit: Circuit, number: int, batch: int, seed: int
) -> None:
    assert_equals_pennylane(circuit, number, batch, seed % 1000)


@pytest.mark.parametrize("circuit", WIDE, ids=repr)
def test_wide_circuits_are_pennylanes(circuit: Circuit) -> None:
    assert_equals_pennylane(circuit, number=1, batch=2, seed=0)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(circuits(qubits=5, reupload=True), st.integers(0, 999))
def test_the_closed_form_is_what_autograd_finds(circuit: Circuit, seed: int) -> None:
    arguments = oracle.draw(circuit, circuits=2, batch=2, seed=seed)
    torch.testing.assert_close(
        in_closed_form(circuit, *arguments),
        oracle.gradients(by_autograd, circuit, *arguments),
        atol=1e-11,
        rtol=1e-11,
    )


@pytest.mark.parametrize("embedding", ["angle", "iqp"])
def test_second_derivatives(embedding: str) -> None:
    circuit = Circuit(2, 2, embedding, "Y", "cnot", "basic", reupload=True)
    inputs, weights, _ = oracle.draw(circuit, circuits=1, batch=1, seed=0)

    def evaluate(weights: Tensor) -> Tensor:
        return by_autograd(circuit, inputs, weights)

    assert torch.autograd.gradgradcheck(evaluate, weights.requires_grad_())


@pytest.mark.parametrize("circuit", [Circuit(5, 2), *UPLOADS], ids=repr)
def test_torch_func_sees_through(circuit: Circuit) -> None:
    inputs, weights, _ = oracle.draw(circuit, circuits=2, batch=3, seed=0)

    def loss(inputs: Tensor, weights: Tensor) -> Tensor:
        return by_autograd(circuit, inputs, weights).square().sum()

    each = torch.func.vmap(torch.func.grad(loss, (0, 1)), (0, None))(inputs, weights)
    for image, own in enumerate(zip(*each, strict=True)):
        expected = torch.func.grad(loss, (0, 1))(inputs[image], weights)
        torch.testing.assert_close(own, expected)
    forward = torch.func.jacfwd(loss, argnums=1)(inputs, weights)
    torch.testing.assert_close(forward, torch.func.grad(loss, 1)(inputs, weights))


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("circuit", [Circuit(4, 2), *UPLOADS], ids=repr)
def test_parts_make_the_whole(
    circuit: Circuit, keep: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = oracle.draw(circuit, circuits=2, batch=5, seed=0)
    whole = in_closed_form(circuit, *arguments)
    monkeypatch.setattr(memory, "parts", lambda *_: memory.Parts(images=2, keep=keep))
    torch.testing.assert_close(in_closed_form(circuit, *arguments), whole, rtol=0, atol=1e-13)


@pytest.mark.parametrize("lead", [(), (1,), (0,), (2, 0, 3), (2, 3)])
@pytest.mark.parametrize("circuit", [Circuit(3, 2), *UPLOADS], ids=repr)
def test_any_leading_dimensions(circuit: Circuit, lead: tuple[int, ...]) -> None:
    _, weights, _ = oracle.draw(circuit, circuits=2, batch=1, seed=0)
    inputs = torch.randn(*lead, 2, circuit.inputs, dtype=torch.float64)
    cotangent = torch.randn(*lead, 2, circuit.outputs, dtype=torch.float64)
    ours = in_closed_form(circuit, inputs, weights, cotangent)
    flat = in_closed_form(
        circuit,
        inputs.reshape(math.prod(lead), *inputs.shape[-2:]),
        weights,
        cotangent.reshape(math.prod(lead), *cotangent.shape[-2:]),
    )
    assert [tensor.shape for tensor in ours] == [cotangent.shape, inputs.shape, weights.shape]
    for own, other in zip(ours, flat, strict=True):
        torch.testing.assert_close(own, other.reshape(own.shape))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_precision(dtype: torch.dtype) -> None:
    circuit = Circuit(6, 2, "angle_z", "YZ", reupload=True)
    double = oracle.draw(circuit, circuits=2, batch=3, seed=0)
    arguments = [tensor.to(dtype) for tensor in double]
    ours = in_closed_form(circuit, *arguments)
    exact = in_closed_form(circuit, *(tensor.double() for tensor in arguments))
    for own, other in zip(ours, exact, strict=True):
        assert own.dtype == dtype
        scale = other.abs().max().item()
        torch.testing.assert_close(
            own.double(), other, rtol=0, atol=16 * scale * torch.finfo(dtype).eps
        )


def test_a_vector_of_zeros_has_no_state() -> None:
    circuit = Circuit(5, 2)
    _, weights, cotangent = oracle.draw(circuit, circuits=1, batch=2, seed=0)
    for tensor in in_closed_form(circuit, torch.zeros(2, 1, 32).double(), weights, cotangent):
        assert tensor.count_nonzero() == 0


def test_the_same_bits_again() -> None:
    circuit = Circuit(8, 3, "iqp", "XYZ", reupload=True)
    arguments = oracle.draw(circuit, circuits=2, batch=4, seed=0, dtype=torch.float32)
    once, again = (in_closed_form(circuit, *arguments) for _ in range(2))
    assert all(map(torch.equal, once, again))
