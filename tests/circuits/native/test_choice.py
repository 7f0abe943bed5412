"""Where `fastest` takes the machine code, and where not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from medqnn import kernels
from medqnn.circuits import Circuit, compiled, expectations, methods, native
from medqnn.circuits.native import method
from medqnn.errors import CircuitError

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
        Circuit(native.MAX_QUBITS, 200),  # too much to keep
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


def test_zeros_without_memory_are_zeros_and_freed_memory_is_told() -> None:
    inputs, weights = torch.rand(3, 1, 4), torch.rand(1, 3, 4, 3)
    zeros = torch._efficientzerotensor((3, 1, 4))
    expected = expectations(LAYER_B, torch.zeros(3, 1, 4), weights)
    assert torch.equal(expectations(LAYER_B, zeros, weights), expected)
    inputs.untyped_storage().resize_(0)
    with pytest.raises(CircuitError, match="memory was given back"):
        expectations(LAYER_B, inputs, weights)


def test_a_tracer_sees_operations() -> None:
    inputs, weights, _ = oracle.draw(LAYER_A, circuits=2, batch=3, seed=0)
    with FlopCounterMode(display=False) as counter:
        assert not native.serves(LAYER_A, inputs, weights)
        expectations(LAYER_A, inputs, weights)
    assert counter.get_total_flops() > 0
    assert native.serves(LAYER_A, inputs, weights)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_that_is_forked_while_code_is_made_has_it_too() -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORK]
    assert subprocess.run(command, timeout=60, check=False).returncode == 7


FORK = """
import os, threading, time
import torch
from medqnn.circuits import Circuit, expectations
arguments = Circuit(2, 1), torch.rand(3, 1, 4), torch.rand(1, 1, 2, 3)
thread = threading.Thread(target=expectations, args=arguments)
thread.start()
time.sleep(0.2)
child = os.fork()
if not child:
    expectations(*arguments)
    os._exit(7)
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


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
    def refused(kernel: str, bits: int) -> None:
        raise RuntimeError("Unable to allocate executable memory")

    inputs, weights, _ = oracle.draw(LAYER_A, circuits=2, batch=3, seed=0)
    with monkeypatch.context() as patch:
        patch.setattr(kernels, "functions", refused)
        method._functions.clear()
        assert methods.fastest(LAYER_A, inputs, weights) is compiled
    method._functions.clear()
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
