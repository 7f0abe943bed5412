"""The kernels, interpreted on the CPU, equal the state-vector method and PennyLane"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from medqnn.circuits import Circuit, gpu, statevector

from .. import oracle, strategies
from ..native.test_method import every_other, negated_in_name, reversed_in_memory
from .interpreted import laid_out, outcome, starts

Interpreter = Callable[..., Any]
PAIR = Circuit(2, 1, "angle", "Z")
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4}


def assert_equals_states(interpreter: Interpreter, circuit: Circuit, *arguments: Tensor) -> None:
    ours = interpreter(outcome, circuit, *arguments)
    inputs, weights, grad = arguments
    values, saved = statevector.evaluate(circuit, inputs, weights)
    theirs = values, *statevector.gradients(circuit, saved, grad, inputs, weights)
    tolerance = TOLERANCE[inputs.dtype]
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=10 * tolerance, rtol=tolerance)


@settings(max_examples=14, deadline=None, derandomize=True)
@given(
    circuit=strategies.circuits(qubits=3, depth=2, reupload=True).filter(
        lambda circuit: circuit.embedding != "iqp"
    ),
    images=st.sampled_from([0, 1, 3, 5]),
    seed=st.integers(0, 999),
)
def test_values_and_gradients_are_those_of_state_vectors(
    interpreter: Interpreter, circuit: Circuit, images: int, seed: int
) -> None:
    assert_equals_states(interpreter, circuit, *oracle.draw(circuit, 1, images, seed))


@pytest.mark.parametrize(
    "circuit",
    [Circuit(6, 1), Circuit(5, 1, "angle_z", "ZX", ansatz="ry_rz_strong", pooling=True)],
    ids=repr,
)
def test_wider_circuits(interpreter: Interpreter, circuit: Circuit) -> None:
    assert_equals_states(interpreter, circuit, *oracle.draw(circuit, 1, 1, seed=0))


@pytest.mark.parametrize(
    "circuit",
    [
        Circuit(3, 2, "amplitude", "XYZ", pooling=True),
        Circuit(3, 1, "angle_x", "YX", "cz", "hardware_efficient", reupload=True),
    ],
    ids=repr,
)
def test_values_and_gradients_are_pennylanes(interpreter: Interpreter, circuit: Circuit) -> None:
    arguments = oracle.draw(circuit, circuits=2, batch=3, seed=1)
    theirs = oracle.gradients(oracle.expectations, circuit, *arguments)
    for one, other in zip(interpreter(outcome, circuit, *arguments), theirs, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("layout", [reversed_in_memory, every_other, negated_in_name])
def test_any_layout(interpreter: Interpreter, layout: Callable[[Tensor], Tensor]) -> None:
    arguments = oracle.draw(PAIR, circuits=2, batch=5, seed=2)
    expected = interpreter(outcome, PAIR, *arguments)
    actual = interpreter(laid_out, layout, PAIR, *arguments)
    torch.testing.assert_close(actual, expected, atol=0.0, rtol=0.0)


def test_expanded_tensors_and_leading_dimensions(interpreter: Interpreter) -> None:
    _, weights, _ = oracle.draw(PAIR, circuits=2, batch=1, seed=3)
    inputs = torch.rand(2, dtype=torch.float64).expand(3, 2, 2, 2)
    grad = torch.ones((), dtype=torch.float64).expand(3, 2, 2, 2)
    assert_equals_states(interpreter, PAIR, inputs, weights, grad)
    assert_equals_states(interpreter, PAIR, inputs[0, 0], weights, grad[0, 0])
    assert_equals_states(interpreter, PAIR, inputs[:, :0], weights, grad[:, :0])


def test_a_batch_that_is_last_in_memory_is_returned_so(interpreter: Interpreter) -> None:
    inputs, weights, grad = oracle.draw(PAIR, circuits=2, batch=3, seed=4)
    values, *_ = interpreter(laid_out, reversed_in_memory, PAIR, inputs, weights, grad)
    assert values.stride(0) == 1
    values, *_ = interpreter(outcome, PAIR, inputs, weights, grad)
    assert values.is_contiguous()


@pytest.mark.parametrize(
    ("first", "second"), [(torch.float16, torch.float16), (torch.bfloat16, torch.float32)]
)
def test_half_precision_is_computed_in_float32(
    interpreter: Interpreter, first: torch.dtype, second: torch.dtype
) -> None:
    inputs, weights, grad = oracle.draw(PAIR, circuits=1, batch=3, seed=5)
    result = torch.promote_types(first, second)
    inputs, weights, grad = inputs.to(first), weights.to(second), grad.to(result)
    found = interpreter(outcome, PAIR, inputs, weights, grad)
    wide = interpreter(outcome, PAIR, inputs.float(), weights.float(), grad.float())
    for one, other, dtype in zip(found, wide, (result, first, second), strict=True):
        assert one.dtype is dtype
        torch.testing.assert_close(one, other.to(dtype))


@pytest.mark.parametrize("embedding", ["amplitude", "angle"])
@pytest.mark.parametrize("number", [torch.nan, torch.inf])
def test_an_image_that_is_not_finite_reaches_no_other(
    interpreter: Interpreter, embedding: Any, number: float
) -> None:
    circuit = Circuit(2, 1, embedding, "XYZ")
    inputs, weights, grad = oracle.draw(circuit, circuits=1, batch=4, seed=6)
    sound = interpreter(outcome, circuit, inputs, weights, grad)
    inputs[1, 0, 0] = number
    values, grad_inputs, grad_weights = interpreter(outcome, circuit, inputs, weights, grad)
    others = [0, 2, 3]
    assert torch.equal(values[others], sound[0][others])
    assert torch.equal(grad_inputs[others], sound[1][others])
    assert values[1].isnan().all()
    assert grad_weights.isnan().any()


def test_vectors_of_zeros_and_very_short_ones(interpreter: Interpreter) -> None:
    circuit = Circuit(2, 1, readouts="XYZ")
    inputs, weights, grad = oracle.draw(circuit, circuits=1, batch=3, seed=7)
    inputs[0], inputs[1], inputs[2] = 0.0, 1e-13 * inputs[1], 1e-9 * inputs[2]
    values, grad_inputs, _ = interpreter(outcome, circuit, inputs, weights, grad)
    assert values[0].count_nonzero() == grad_inputs[0].count_nonzero() == 0
    expected, saved = statevector.evaluate(circuit, inputs, weights)
    to_inputs, _ = statevector.gradients(circuit, saved, grad, inputs, weights)
    torch.testing.assert_close(values, expected, atol=1e-12, rtol=1e-10)
    torch.testing.assert_close(grad_inputs, to_inputs, atol=1e-3, rtol=1e-10)


def test_large_angles_in_float32_lose_no_digits(interpreter: Interpreter) -> None:
    """Their sum, of which a phase is made, would be off by its own rounding."""
    circuit = Circuit(3, 1, "amplitude", "X")
    inputs, weights, grad = oracle.draw(circuit, 1, 2, seed=8, dtype=torch.float32)
    weights = 300.0 * weights
    values, *_ = interpreter(outcome, circuit, inputs, weights, grad)
    expected, _ = statevector.evaluate(circuit, inputs.double(), weights.double())
    torch.testing.assert_close(values.double(), expected, atol=2e-6, rtol=0.0)


def test_an_images_value_does_not_depend_on_its_place_in_the_batch(
    interpreter: Interpreter,
) -> None:
    inputs, weights, grad = oracle.draw(PAIR, circuits=2, batch=5, seed=9)
    whole = interpreter(outcome, PAIR, inputs, weights, grad)
    for image in (1, 4):
        own = slice(image, image + 1)
        alone = interpreter(outcome, PAIR, inputs[own], weights, grad[own])
        assert torch.equal(alone[0], whole[0][own])
        assert torch.equal(alone[1], whole[1][own])


def test_kernels_are_tried_before_they_serve(interpreter: Interpreter) -> None:
    circuit = Circuit(2, 1, "angle", "XYZ")
    assert interpreter(starts, circuit)
    assert not interpreter(starts, circuit, "forward")
    assert not interpreter(starts, circuit, "backward")


WITHOUT_TRITON = """
import sys
import torch
from medqnn.circuits import Circuit, gpu
from medqnn.circuits.gpu import method
circuit, inputs, weights = Circuit(2, 1), torch.rand(3, 1, 4), torch.rand(1, 1, 2, 3)
assert not gpu.serves(circuit, inputs, weights)
assert "triton" not in sys.modules
sys.modules["triton"] = None
assert not method._start(circuit, inputs, weights)
"""


def test_triton_is_not_loaded_for_the_cpu_and_may_be_missing() -> None:
    command = [sys.executable, "-W", "error", "-c", WITHOUT_TRITON]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_cpu_is_not_served() -> None:
    inputs, weights, _ = oracle.draw(PAIR, circuits=1, batch=1, seed=0)
    assert not gpu.serves(PAIR, inputs, weights)
    assert not gpu.serves(PAIR, inputs.to("meta"), weights.to("meta"))
