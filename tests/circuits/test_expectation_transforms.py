"""`expectations` under PyTorch's transforms, modes and threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from medqnn.circuits import Circuit, compiled, expectations

from . import oracle

CIRCUIT = Circuit(3, 2, "amplitude", "YX", "cnot", "ry_rz_strong")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Constant tables and compiled code as in a new process, before and after."""
    compiled.tables.cache_clear()
    torch.compiler.reset()
    yield
    compiled.tables.cache_clear()


@pytest.fixture
def arguments() -> tuple[Tensor, Tensor, Tensor]:
    return oracle.draw(CIRCUIT, circuits=2, batch=4, seed=0)


def evaluate(inputs: Tensor, weights: Tensor) -> Tensor:
    return expectations(CIRCUIT, inputs, weights)


def loss(inputs: Tensor, weights: Tensor) -> Tensor:
    return evaluate(inputs, weights).square().sum()


def test_vmap_over_inputs_and_over_weights(arguments: tuple[Tensor, ...]) -> None:
    inputs, weights, _ = arguments
    torch.testing.assert_close(
        torch.func.vmap(evaluate, (0, None))(inputs, weights), evaluate(inputs, weights)
    )
    several = torch.stack([weights, 2 * weights, weights - 1])
    expected = torch.stack([evaluate(inputs, one) for one in several])
    torch.testing.assert_close(torch.func.vmap(evaluate, (None, 0))(inputs, several), expected)
    # one gradient an image, as differential privacy and influence functions take them
    grads = torch.func.vmap(torch.func.grad(loss, argnums=1), (0, None))(inputs, weights)
    torch.testing.assert_close(grads.sum(0), torch.func.grad(loss, argnums=1)(inputs, weights))


def test_jacobians_are_those_of_autograd(arguments: tuple[Tensor, ...]) -> None:
    inputs, weights, _ = arguments
    reverse = torch.func.jacrev(evaluate, argnums=(0, 1))(inputs, weights)
    forward = torch.func.jacfwd(evaluate, argnums=(0, 1))(inputs, weights)
    expected = torch.autograd.functional.jacobian(evaluate, (inputs, weights))
    torch.testing.assert_close(reverse, expected)
    torch.testing.assert_close(forward, expected)


@pytest.mark.parametrize("argument", [0, 1])
def test_second_derivatives_to_one_argument_alone(
    arguments: tuple[Tensor, ...], argument: int
) -> None:
    """As a gradient penalty takes them, with data that need no gradient or frozen weights."""
    pair = list(arguments[:2])
    expected = torch.func.hessian(loss, argnums=argument)(*pair).sum(dim=(0, 1, 2))
    wanted = pair[argument].requires_grad_()
    (grad,) = torch.autograd.grad(loss(*pair), wanted, create_graph=True)
    (second,) = torch.autograd.grad(grad.sum(), wanted)
    torch.testing.assert_close(second, expected.sum(0) if argument else expected)


def test_transforms_of_complex_states() -> None:
    circuit = Circuit(3, 1, "iqp", "YX")
    inputs, weights, _ = oracle.draw(circuit, circuits=2, batch=3, seed=0)

    def both(inputs: Tensor, weights: Tensor) -> Tensor:
        return expectations(circuit, inputs, weights)

    expected = torch.autograd.functional.jacobian(both, (inputs, weights))
    torch.testing.assert_close(torch.func.jacrev(both, argnums=(0, 1))(inputs, weights), expected)
    torch.testing.assert_close(torch.func.jacfwd(both, argnums=(0, 1))(inputs, weights), expected)
    one_by_one = torch.func.vmap(both, (0, None))(inputs, weights)
    torch.testing.assert_close(one_by_one, both(inputs, weights))
    with torch.device("meta"):
        torch.testing.assert_close(both(inputs, weights), one_by_one)


def test_checkpointing_recomputes_the_same(arguments: tuple[Tensor, ...]) -> None:
    def checkpointed(circuit: Circuit, *pair: Tensor) -> Tensor:
        return torch.utils.checkpoint.checkpoint(evaluate, *pair, use_reentrant=False)

    torch.testing.assert_close(
        oracle.gradients(checkpointed, CIRCUIT, *arguments),
        oracle.gradients(expectations, CIRCUIT, *arguments),
    )


@pytest.mark.parametrize("later", ["eager", "compile", "second derivative"])
@pytest.mark.parametrize("first", ["grad", "jvp", "vmap", "inference mode", "default device"])
def test_the_first_call_may_be_in_any_mode(
    arguments: tuple[Tensor, ...], first: str, later: str
) -> None:
    """The constant tables are built in the first call and serve in every later one."""
    inputs, weights, _ = arguments
    if first == "grad":
        torch.func.grad(loss)(inputs, weights)
    elif first == "jvp":
        torch.func.jvp(loss, (inputs, weights), (inputs, weights))
    elif first == "vmap":
        torch.func.vmap(loss, (0, None))(inputs, weights)
    elif first == "inference mode":
        with torch.inference_mode():
            loss(inputs, weights)
    else:
        with torch.device("meta"):
            loss(inputs, weights)
    weights.requires_grad_()
    chosen = loss
    if later == "compile":
        chosen = torch.compile(loss, fullgraph=True, backend="aot_eager")
    second = later == "second derivative"
    (grad,) = torch.autograd.grad(
        chosen(inputs.requires_grad_(), weights), weights, create_graph=second
    )
    if second:
        grad.sum().backward()
    compiled.tables.cache_clear()
    torch.testing.assert_close(grad, torch.autograd.grad(loss(inputs, weights), weights)[0])


def test_two_threads_at_once() -> None:
    drawn = [oracle.draw(CIRCUIT, circuits=2, batch=8, seed=seed) for seed in range(2)]
    expected = [oracle.gradients(expectations, CIRCUIT, *one) for one in drawn]
    compiled.tables.cache_clear()
    wrong: list[int] = []

    def work(index: int) -> None:
        for _ in range(50):
            actual = oracle.gradients(expectations, CIRCUIT, *drawn[index])
            if not all(map(torch.equal, actual, expected[index])):
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
