from __future__ import annotations

import shutil
import warnings

import pytest
import torch
from torch import Tensor

from medqnn.circuits import Circuit, expectations
from medqnn.circuits.operator import fields_of

from . import oracle

CIRCUIT = Circuit(3, 2, "amplitude", "YX", "cnot", "ry_rz_strong", pooling=True)
COUPLED = Circuit(3, 2, "iqp", "X", ansatz="hardware_efficient", coupling=((0, 2), (2, 1)))


@pytest.fixture(autouse=True)
def _nothing_compiled() -> None:
    torch.compiler.reset()


@pytest.fixture
def arguments() -> tuple[Tensor, Tensor, Tensor]:
    return oracle.draw(CIRCUIT, circuits=2, batch=4, seed=0)


@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compile_has_no_graph_break_and_gives_the_same(backend: str) -> None:
    if backend == "inductor" and not shutil.which("c++"):
        pytest.skip("no C++ compiler on this machine, which torch.compile's default needs")
    module = torch.compile(
        lambda circuit, *pair: 2 * expectations(circuit, *pair), fullgraph=True, backend=backend
    )
    batches = (4, 7, 0) if backend == "aot_eager" else (4,)
    for batch in batches:
        drawn = oracle.draw(CIRCUIT, circuits=2, batch=batch, seed=batch)
        expected = oracle.gradients(lambda *a: 2 * expectations(*a), CIRCUIT, *drawn)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            if backend == "inductor":  # PyTorch's own, as it imports its compiler
                warnings.simplefilter("ignore", DeprecationWarning)
            actual = oracle.gradients(module, CIRCUIT, *drawn)
        torch.testing.assert_close(actual, expected)


def test_compile_knows_every_field_of_the_circuit() -> None:
    drawn = oracle.draw(COUPLED, circuits=2, batch=4, seed=0)
    expected = oracle.gradients(expectations, COUPLED, *drawn)
    module = torch.compile(expectations, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(oracle.gradients(module, COUPLED, *drawn), expected)


def test_compile_under_autocast(arguments: tuple[Tensor, ...]) -> None:
    single = [a.float() for a in arguments]
    expected = oracle.gradients(expectations, CIRCUIT, *single)
    with torch.autocast("cpu", torch.bfloat16):
        module = torch.compile(expectations, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(oracle.gradients(module, CIRCUIT, *single), expected)


class Bare(torch.nn.Module):
    """The circuits as a model's whole."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = torch.nn.Parameter(weights)

    def forward(self, inputs: Tensor) -> Tensor:
        return expectations(CIRCUIT, inputs, self.weights)


def test_export_takes_a_model_with_its_numbers_or_without(arguments: tuple[Tensor, ...]) -> None:
    inputs, weights, _ = arguments
    exported = torch.export.export(Bare(weights), (inputs,))
    torch.testing.assert_close(exported.module()(inputs), expectations(CIRCUIT, inputs, weights))
    empty = torch.export.export(Bare(weights.to("meta")), (inputs.to("meta"),))
    targets = [node.target for node in empty.graph.nodes]
    assert torch.ops.medqnn.expectations.default in targets


def test_the_operator_keeps_pytorchs_rules(arguments: tuple[Tensor, ...]) -> None:
    inputs, weights, _ = arguments
    operands = (inputs.requires_grad_(), weights.requires_grad_(), fields_of(CIRCUIT))
    torch.library.opcheck(torch.ops.medqnn.expectations.default, operands)
