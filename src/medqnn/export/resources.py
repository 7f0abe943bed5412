"""What a quantum layer's circuits would cost on a quantum computer."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from medqnn.export.extras import extra
from medqnn.export.machines import MACHINES, Machine
from medqnn.export.openqasm import GATES
from medqnn.export.qiskit import programs
from medqnn.layers import QuantumConv2d, QuantumLayer

with extra("export"):
    from qiskit import QuantumCircuit, transpile

LEVEL = 3  # of Qiskit's optimisation, its highest
SEED = 0  # of the transpiler


class Counts(NamedTuple):
    """Gates of a program, and how many stand one after the other; measurements apart."""

    one: int
    two: int
    depth: int


class Fitted(NamedTuple):
    """A program on a machine.

    Attributes:
        machine: Which.
        counts: Of its own gates. R_z is counted, though it takes no time.
        shot: Seconds of one shot, with readout and delay.
        image: Seconds of one image, all programs and shots, without any queue.
    """

    machine: Machine
    counts: Counts
    shot: float
    image: float


class Resources(NamedTuple):
    """What one image costs.

    Attributes:
        qubits: Of each circuit.
        programs: Different measured circuits that an image takes: evaluations times readouts.
        shots: Of each program.
        written: Counts of the program as OpenQASM has it.
        prepared: Counts of its state preparation alone, part of ``written``; None if angles are
            embedded.
        fitted: For each machine.
    """

    qubits: int
    programs: int
    shots: int
    written: Counts
    prepared: Counts | None
    fitted: tuple[Fitted, ...]


def resources(model: nn.Module, images: torch.Tensor, shots: int) -> Resources:
    """Count the gates of a network's circuits, and estimate how long an image takes.

    The program counted is the first circuit's first; others differ in their angles, and by the
    readout's one-qubit gates. Amplitudes are random and none is zero: their preparation takes as
    many gates as that of almost any image.

    Args:
        model: With a quantum layer as its submodule ``head``.
        images: One image of its size, float32 (1, C, H, W).
        shots: Of each program, at least 1.
    """
    layer = model.get_submodule("head")
    assert isinstance(layer, QuantumLayer | QuantumConv2d)
    spec, evaluations = layer.circuit, _evaluations(model, layer, images)
    generator = torch.Generator().manual_seed(SEED)
    inputs = torch.rand(len(layer.weight), spec.inputs, generator=generator)
    program = programs(layer, inputs)[0]
    plain = transpile(program, basis_gates=list(GATES), optimization_level=0)
    count = evaluations * len(spec.readouts)
    prepared = _preparation(program) if spec.embedding == "amplitude" else None
    fitted = tuple(_fit(program, machine, count * shots) for machine in MACHINES)
    return Resources(spec.qubits, count, shots, counts(plain), prepared, fitted)


def counts(program: QuantumCircuit) -> Counts:
    """Of a circuit whose gates act on one or two qubits."""
    sizes = [len(gate.qubits) for gate in program.data if gate.name != "measure"]
    depth = program.depth(lambda gate: gate.name != "measure")
    return Counts(sizes.count(1), sizes.count(2), depth)


def seconds(program: QuantumCircuit, machine: Machine) -> float:
    """Of a machine's own gates: the longest path, or all one after the other; then the readout."""
    free = dict.fromkeys(program.qubits, 0.0)
    for gate in program.data:
        if gate.name != "measure":
            used = program.qubits if machine.serial else gate.qubits
            end = max(free[qubit] for qubit in used) + machine.seconds[gate.name]
            free.update(dict.fromkeys(used, end))
    return max(free.values()) + machine.readout


def _fit(program: QuantumCircuit, machine: Machine, shots: int) -> Fitted:
    target = machine.target(program.num_qubits)
    own = transpile(program, target=target, optimization_level=LEVEL, seed_transpiler=SEED)
    shot = seconds(own, machine) + machine.delay
    return Fitted(machine, counts(own), shot, shot * shots)


def _preparation(program: QuantumCircuit) -> Counts:
    """Of the program's first instruction, which prepares the amplitudes."""
    alone = QuantumCircuit(program.num_qubits)
    first = program.data[0]
    alone.append(first.operation, [program.find_bit(qubit).index for qubit in first.qubits])
    return counts(transpile(alone, basis_gates=list(GATES), optimization_level=0))


def _evaluations(
    model: nn.Module, layer: QuantumLayer | QuantumConv2d, images: torch.Tensor
) -> int:
    """How often circuits are evaluated for an image: once each, or once for each patch."""
    seen: list[int] = []
    hook = layer.register_forward_hook(lambda _, inputs, output: seen.append(output.numel()))
    try:
        with torch.no_grad():
            model(images)
    finally:
        hook.remove()
    return seen[0] // layer.circuit.outputs
