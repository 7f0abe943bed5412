"""TorchQuantum's functional gates on a ``QuantumDevice``, in complex64.

Version 0.1.8 imports at once what its hardware plugins, data sets and plots need, among it a Qiskit
of 2023; its state vectors need none of that, so empty modules stand for it here.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, ClassVar

import torch
from torch import Tensor

from peers import autograd
from peers.problem import Problem, Step

UNUSED = (
    "matplotlib",
    "pathos",
    "qiskit",
    "qiskit_ibm_runtime",
    "qiskit_nature",
    "sklearn",
    "torchdiffeq",
    "torchpack",
    "torchvision",
)


class Anything(type):
    """A class with whatever attribute is asked for."""

    def __getattr__(cls, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


class Nothing(metaclass=Anything):
    """Can be made of anything, subclassed, and called by any name."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Take anything."""


class Empty(ModuleType):
    """A module, and package, that has a class of whatever name is asked for."""

    __path__: ClassVar[list[str]] = []
    __file__ = ""
    __all__: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        return Anything(name, (Nothing,), {})


class Finder(MetaPathFinder, Loader):
    """Finds an empty module under each of the names that nothing here uses."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Ours, or leave it to the others."""
        return ModuleSpec(name, self) if name.partition(".")[0] in UNUSED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module before it is run."""
        return Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""


sys.meta_path.insert(0, Finder())

import torchquantum as tq  # noqa: E402
import torchquantum.functional as tqf  # noqa: E402

DTYPES = ("float32",)
DEVICES = ("cpu", "cuda")
PACKAGES = ("torchquantum", "torch")


def build(problem: Problem) -> Step:
    wires = list(range(problem.qubits))
    observables = [{"X": tq.PauliX, "Y": tq.PauliY, "Z": tq.PauliZ}[problem.pauli]()] * len(wires)

    def evaluate(inputs: Tensor, weights: Tensor) -> Tensor:
        device = tq.QuantumDevice(problem.qubits, bsz=len(inputs), device=problem.device)
        embed(problem, device, inputs)
        for ring, angles in zip(problem.rings(), weights, strict=True):
            for wire in wires:
                for gate, angle in zip((tqf.rz, tqf.ry, tqf.rz), angles[wire], strict=True):
                    gate(device, wires=wire, params=angle)
            for pair in ring:
                tqf.cnot(device, wires=list(pair))
        return tq.expval(device, wires, observables)

    return autograd.step(problem, autograd.by_circuit(evaluate))


def embed(problem: Problem, device: tq.QuantumDevice, inputs: Tensor) -> None:
    if problem.embedding == "amplitude":
        amplitudes = torch.nn.functional.normalize(inputs, dim=-1)
        device.set_states(amplitudes.to(torch.complex64))
        return
    for wire, angle in enumerate(inputs.unbind(-1)):
        tqf.ry(device, wires=wire, params=angle)
