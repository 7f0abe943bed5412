"""Where `fastest` takes the machine code, and where not."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import Tensor

from medqnn.circuits import Circuit, compiled, methods, native
from medqnn.circuits.native import machine, method

from .. import oracle

LAYER_A, LAYER_B = Circuit(5, 2), Circuit(4, 3, "angle", "Z")


def test_it_is_taken_where_it_serves() -> None:
    inputs, weights, _ = oracle.draw(LAYER_A, circuits=2, batch=3, seed=0)
    assert methods.fastest(LAYER_A, inputs, torch.nn.Parameter(weights)) is native
    assert methods.fastest(LAYER_A, inputs.float(), weights.float()) is native


@pytest.mark.parametrize(
    "circuit",
    [
        Circuit(native.MAX_QUBITS + 1, 1),
        Circuit(3, 2, "iqp"),
        Circuit(native.MAX_QUBITS, 100),  # too much to keep
    ],
)
def test_it_is_not_taken_where_it_does_not(circuit: Circuit) -> None:
    inputs, weights, _ = oracle.draw(circuit, circuits=2, batch=3, seed=0)
    assert not native.serves(circuit, inputs, weights)


def test_tensors_that_may_have_no_memory_are_left_to_others() -> None:
    class Fake(Tensor):
        pass

    inputs, weights = torch.rand(1, 1, 4), torch.rand(1, 3, 4, 3)
    assert not native.serves(LAYER_B, inputs.as_subclass(Fake), weights)
    assert not native.serves(LAYER_B, inputs.to("meta"), weights.to("meta"))


@pytest.mark.parametrize(
    ("circuit", "images", "expected"),
    [
        (LAYER_B, 4096, "matrix"),
        (LAYER_B, 8, "states"),  # few images
        (LAYER_A, 4096, "states"),  # two layers of 32 states cost no more than 32 rows
        (Circuit(5, 10), 4096, "matrix"),
        (Circuit(5, 5, readouts="XYZ"), 4096, "states"),  # three matrices
        (Circuit(8, 100), 4096, "states"),
        (Circuit(4, 3, "angle", reupload=True), 4096, "states"),
    ],
)
def test_a_matrix_is_taken_for_many_images_of_narrow_deep_circuits(
    circuit: Circuit, images: int, expected: str
) -> None:
    assert method.kernel(circuit, images) == expected


def test_where_no_machine_code_can_be_made_pytorch_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(code: object) -> None:
        raise RuntimeError("Unable to allocate executable memory")

    inputs, weights, _ = oracle.draw(LAYER_A, circuits=2, batch=3, seed=0)
    with monkeypatch.context() as patch:
        patch.setattr(machine, "Machine", refused)
        method._made.cache_clear()
        assert methods.fastest(LAYER_A, inputs, weights) is compiled
    method._made.cache_clear()
    assert methods.fastest(LAYER_A, inputs, weights) is native


WITHOUT_LLVMLITE = """
import sys
import torch
from medqnn.circuits import Circuit, compiled, expectations, methods
assert "llvmlite" not in sys.modules
sys.modules["llvmlite"] = None
circuit, inputs, weights = Circuit(2, 1), torch.rand(3, 1, 4), torch.rand(1, 1, 2, 3)
assert methods.fastest(circuit, inputs, weights) is compiled
assert expectations(circuit, inputs, weights).shape == (3, 1, 2)
"""


def test_llvmlite_is_not_loaded_before_it_is_needed_and_may_be_missing() -> None:
    command = [sys.executable, "-W", "error", "-c", WITHOUT_LLVMLITE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
