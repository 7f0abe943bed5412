"""Each kernel equals `compiled` to rounding, and PennyLane"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from medqnn.circuits import Circuit, compiled, expectations, methods, native, statevector
from medqnn.circuits.native import method as chosen

from .. import oracle

READOUTS = ["X", "Y", "Z", "ZX", "XYZ"]
CIRCUITS = st.builds(
    Circuit,
    qubits=st.integers(1, 5),
    depth=st.integers(1, 3),
    embedding=st.sampled_from(["amplitude", "angle", "angle_x", "angle_z"]),
    readouts=st.sampled_from(READOUTS),
    entangler=st.sampled_from(["cnot", "cz", "none"]),
    ansatz=st.sampled_from(
        ["strong", "ry_rz_strong", "basic", "hardware_efficient", "real_amplitudes"]
    ),
    pooling=st.booleans(),
)
LAYER_A, LAYER_B = Circuit(5, 2), Circuit(4, 3, "angle", "Z")
TOLERANCE = {torch.float64: 1e-11, torch.float32: 2e-4}


@pytest.fixture(autouse=True, scope="module", params=["matrix", "states"])
def kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    """The kernel for every circuit and batch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chosen, "kernel", lambda circuit, images: request.param)
        yield request.param


def outcome(
    method: methods.Method, circuit: Circuit, inputs: Tensor, weights: Tensor, grad: Tensor
) -> tuple[Tensor, ...]:
    """Values, and the gradients to inputs and weights."""
    values, saved = method.evaluate(circuit, inputs, weights)
    return values, *method.gradients(circuit, saved, grad, inputs, weights)


def assert_equals(
    other: methods.Method, circuit: Circuit, inputs: Tensor, weights: Tensor, grad: Tensor
) -> None:
    ours = outcome(native, circuit, inputs, weights, grad)
    theirs = outcome(other, circuit, inputs, weights, grad)
    tolerance = TOLERANCE[inputs.dtype]
    for one, other in zip(ours, theirs, strict=True):
        scale = other.nan_to_num().abs().max().clamp_min(1).item() if other.numel() else 1.0
        torch.testing.assert_close(
            one, other, atol=tolerance * scale, rtol=tolerance, equal_nan=True
        )


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    circuit=CIRCUITS,
    circuits=st.integers(1, 3),
    batch=st.sampled_from([0, 1, 7, 16, 63, 64, 65, 150]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 999),
)
def test_values_and_gradients_are_those_of_compiled(
    circuit: Circuit, circuits: int, batch: int, dtype: torch.dtype, seed: int
) -> None:
    assert_equals(compiled, circuit, *oracle.draw(circuit, circuits, batch, seed, dtype))


@pytest.mark.parametrize("qubits", [6, 7])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_widest_matrix(qubits: int, dtype: torch.dtype) -> None:
    circuit = Circuit(qubits, 2, "amplitude", "YZ")
    assert_equals(compiled, circuit, *oracle.draw(circuit, 2, 70, seed=0, dtype=dtype))


@pytest.mark.parametrize(
    "circuit", [Circuit(8, 3, "angle_x", "XZ", "cz"), Circuit(11, 2)], ids=repr
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_states_of_wide_circuits(circuit: Circuit, dtype: torch.dtype, kernel: str) -> None:
    if kernel == "states":
        assert_equals(statevector, circuit, *oracle.draw(circuit, 2, 19, seed=0, dtype=dtype))


UPLOADS = st.builds(
    Circuit,
    qubits=st.integers(1, 4),
    depth=st.integers(1, 3),
    embedding=st.sampled_from(["angle", "angle_x", "angle_z"]),
    readouts=st.sampled_from(READOUTS),
    entangler=st.sampled_from(["cnot", "cz", "none"]),
    ansatz=st.sampled_from(["strong", "ry_rz_strong", "basic"]),
    pooling=st.booleans(),
    reupload=st.just(True),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    circuit=UPLOADS,
    batch=st.sampled_from([0, 1, 7, 16, 17, 40]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 999),
)
def test_data_uploaded_again_and_again(
    kernel: str, circuit: Circuit, batch: int, dtype: torch.dtype, seed: int
) -> None:
    if kernel == "states":
        assert_equals(statevector, circuit, *oracle.draw(circuit, 2, batch, seed, dtype))


@pytest.mark.parametrize(
    "circuit",
    [LAYER_A, LAYER_B, Circuit(3, 2, "angle", "XZ", "cz", "ry_rz_strong", pooling=True)],
    ids=repr,
)
def test_values_and_gradients_are_pennylanes(circuit: Circuit) -> None:
    arguments = oracle.draw(circuit, circuits=2, batch=5, seed=1)
    theirs = oracle.gradients(oracle.expectations, circuit, *arguments)
    for one, other in zip(outcome(native, circuit, *arguments), theirs, strict=True):
        torch.testing.assert_close(one, other, atol=1e-11, rtol=1e-11)


@pytest.mark.parametrize("qubits", [10, 13])
def test_wide_circuits_in_float32_lose_no_digits(qubits: int, kernel: str) -> None:
    """Equal amplitudes round alike at each addition."""
    if kernel == "states":
        circuit = Circuit(qubits, 1, readouts="X", entangler="none")
        weights = torch.zeros(1, *circuit.weight_shape)
        for number in (0.1, 0.5748, 5.3373):
            inputs = torch.full((4, 1, circuit.inputs), number)
            values, _ = native.evaluate(circuit, inputs, weights)
            torch.testing.assert_close(values, torch.ones_like(values), atol=1e-6, rtol=0.0)


def test_large_batches_in_float32_lose_no_digits() -> None:
    circuit = Circuit(4, 3)
    inputs, weights, grad = oracle.draw(circuit, 1, 1, seed=12)
    many = inputs.expand(20_000, 1, 16), weights, torch.ones_like(grad).expand(20_000, 1, 4)
    *_, found = outcome(native, circuit, *(tensor.float() for tensor in many))
    *_, expected = outcome(compiled, circuit, *many)
    scale = expected.abs().max().item()
    torch.testing.assert_close(found.double(), expected, atol=1e-5 * scale, rtol=0.0)


def reversed_in_memory(tensor: Tensor) -> Tensor:
    """The same numbers with the batch side by side."""
    return (
        tensor.permute(*reversed(range(tensor.dim())))
        .contiguous()
        .permute(*reversed(range(tensor.dim())))
    )


def every_other(tensor: Tensor) -> Tensor:
    """The same numbers with others between them."""
    return torch.stack((tensor, torch.full_like(tensor, torch.nan)), dim=-1)[..., 0]


def negated_in_name(tensor: Tensor) -> Tensor:
    """The same numbers, of which memory holds the negatives."""
    return torch.complex(torch.zeros_like(tensor), -tensor).conj().imag


@pytest.mark.parametrize("layout", [reversed_in_memory, every_other, negated_in_name])
@pytest.mark.parametrize("circuit", [LAYER_A, LAYER_B], ids=["amplitude", "angle"])
def test_any_layout(circuit: Circuit, layout: object) -> None:
    arguments = oracle.draw(circuit, circuits=2, batch=70, seed=2)
    expected = outcome(native, circuit, *arguments)
    actual = outcome(native, circuit, *map(layout, arguments))
    torch.testing.assert_close(actual, expected, atol=0.0, rtol=0.0)


def test_an_expanded_input_and_gradient() -> None:
    _, weights, _ = oracle.draw(LAYER_B, circuits=3, batch=1, seed=3)
    inputs = torch.rand(4, dtype=torch.float64).expand(6, 3, 4)
    grad = torch.ones((), dtype=torch.float64).expand(6, 3, 4)
    assert_equals(compiled, LAYER_B, inputs, weights, grad)


@pytest.mark.parametrize("lead", [(), (2, 3), (2, 0, 3)])
def test_any_leading_dimensions(lead: tuple[int, ...]) -> None:
    _, weights, _ = oracle.draw(LAYER_B, circuits=2, batch=1, seed=4)
    inputs, grad = torch.rand(2, *lead, 2, 4, dtype=torch.float64)
    assert_equals(compiled, LAYER_B, inputs, weights, grad)


def test_a_batch_that_is_last_in_memory_is_returned_so() -> None:
    inputs, weights, grad = oracle.draw(LAYER_B, circuits=2, batch=9, seed=5)
    values, grad_inputs, _ = outcome(native, LAYER_B, reversed_in_memory(inputs), weights, grad)
    assert values.stride(0) == grad_inputs.stride(0) == 1
    values, grad_inputs, _ = outcome(native, LAYER_B, inputs, weights, grad)
    assert values.is_contiguous()
    assert grad_inputs.is_contiguous()


def test_vectors_of_zeros_and_very_short_ones() -> None:
    inputs, weights, grad = oracle.draw(LAYER_A, circuits=2, batch=5, seed=6)
    inputs[0], inputs[1, 0], inputs[2] = 0.0, 1e-13 * inputs[1, 0], 1e-9 * inputs[2]
    assert_equals(compiled, LAYER_A, inputs, weights, grad)
    values, grad_inputs, _ = outcome(native, LAYER_A, inputs, weights, grad)
    assert values[0].count_nonzero() == grad_inputs[0].count_nonzero() == 0


@pytest.mark.parametrize("number", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("circuit", [LAYER_A, LAYER_B], ids=["amplitude", "angle"])
def test_what_is_not_finite_spreads_as_in_compiled(circuit: Circuit, number: float) -> None:
    for place in range(3):
        arguments = oracle.draw(circuit, circuits=2, batch=20, seed=7)
        arguments[place][1, 1] = number
        assert_equals(compiled, circuit, *arguments)


@pytest.mark.parametrize("circuit", [LAYER_A, LAYER_B], ids=["amplitude", "angle"])
def test_the_same_bits_every_time_whatever_pytorchs_threads(circuit: Circuit) -> None:
    arguments = oracle.draw(circuit, circuits=3, batch=300, seed=8, dtype=torch.float32)
    expected = outcome(native, circuit, *arguments)
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            again = outcome(native, circuit, *arguments)
            assert all(map(torch.equal, again, expected))
    finally:
        torch.set_num_threads(before)


def test_an_images_value_does_not_depend_on_its_place_in_the_batch() -> None:
    inputs, weights, grad = oracle.draw(LAYER_A, circuits=2, batch=130, seed=9)
    whole = outcome(native, LAYER_A, inputs, weights, grad)
    for image in (0, 63, 64, 129):
        own = slice(image, image + 1)
        alone = outcome(native, LAYER_A, inputs[own], weights, grad[own])
        assert torch.equal(alone[0], whole[0][own])
        assert torch.equal(alone[1], whole[1][own])


def test_many_threads_at_once_get_what_one_alone_gets() -> None:
    native.method._functions.clear()  # so that they also come first at once
    tasks = [
        (circuit, *oracle.draw(circuit, circuits=2, batch=100, seed=seed))
        for seed in range(12)
        for circuit in (LAYER_A, LAYER_B)
    ]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda task: outcome(native, *task), tasks))
    for task, found in zip(tasks, together, strict=True):
        assert all(map(torch.equal, found, outcome(native, *task)))


def test_backward_twice_through_a_kept_graph_and_to_one_argument_alone() -> None:
    inputs, weights, cotangent = oracle.draw(LAYER_A, circuits=2, batch=4, seed=10)
    _, to_inputs, to_weights = outcome(native, LAYER_A, inputs, weights, cotangent)
    inputs.requires_grad_()
    values = expectations(LAYER_A, inputs, weights)
    for _ in range(2):
        (found,) = torch.autograd.grad(values, inputs, cotangent, retain_graph=True)
        assert torch.equal(found, to_inputs)
    weights.requires_grad_()
    values = expectations(LAYER_A, inputs.detach(), weights)
    assert torch.equal(torch.autograd.grad(values, weights, cotangent)[0], to_weights)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (torch.float32, torch.float64),
        (torch.float16, torch.float16),
        (torch.bfloat16, torch.float32),
        (torch.bfloat16, torch.float16),
    ],
)
def test_other_dtypes_are_promoted_and_half_precision_computed_in_float32(
    first: torch.dtype, second: torch.dtype
) -> None:
    inputs, weights, grad = oracle.draw(LAYER_A, circuits=2, batch=9, seed=11)
    inputs, weights = inputs.to(first), weights.to(second)
    result = torch.promote_types(first, second)
    working = torch.promote_types(result, torch.float32)
    found = outcome(native, LAYER_A, inputs, weights, grad.to(result))
    wide = outcome(
        native, LAYER_A, inputs.to(working), weights.to(working), grad.to(result).to(working)
    )
    for one, other, dtype in zip(found, wide, (result, first, second), strict=True):
        assert torch.equal(one, other.to(dtype))
