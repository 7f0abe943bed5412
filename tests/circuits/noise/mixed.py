"""PennyLane's `default.mixed` in float64, with channels inserted into PennyLane's own gate list."""

from __future__ import annotations

from collections.abc import Iterator

import pennylane as qml
import torch
from hypothesis import strategies as st
from torch import Tensor

from medqnn.circuits import Circuit
from medqnn.circuits.noise import Channel, Noise, ReadoutError, relaxation

from .. import oracle

RATES = st.floats(0.0, 0.3)
KINDS = ["depolarising", "amplitude_damping", "phase_damping", "bit_flip", "phase_flip"]
CHANNELS = st.lists(st.builds(Channel, st.sampled_from(KINDS), RATES), max_size=2).map(tuple)
NOISES = st.builds(
    Noise,
    one_qubit=CHANNELS,
    two_qubit=CHANNELS,
    preparation=CHANNELS,
    before_readout=CHANNELS,
    readout=st.lists(st.builds(ReadoutError, RATES, RATES), max_size=1).map(tuple),
    over_rotation=st.sampled_from([0.0, 0.1]),
)
FULL = Noise(
    one_qubit=(*relaxation(50.0, 70.0, 2.0), Channel("bit_flip", 0.03)),
    two_qubit=(Channel("depolarising", 0.08), Channel("amplitude_damping", 0.05)),
    preparation=(Channel("bit_flip", 0.04), Channel("depolarising", 0.02)),
    before_readout=(Channel("phase_damping", 0.1), Channel("phase_flip", 0.02)),
    readout=(ReadoutError(0.02, 0.07),),
    over_rotation=0.05,
)
"""Every source of noise."""

THEIRS = {
    "depolarising": qml.DepolarizingChannel,
    "amplitude_damping": qml.AmplitudeDamping,
    "phase_damping": qml.PhaseDamping,
    "bit_flip": qml.BitFlip,
    "phase_flip": qml.PhaseFlip,
}
ROTATIONS = {"RX": qml.RX, "RY": qml.RY, "RZ": qml.RZ}


def expectations(circuit: Circuit, inputs: Tensor, weights: Tensor, noise: Noise) -> Tensor:
    """As `noise.expectations`, for inputs (B, c, n) of float64, image by image."""
    device = qml.device("default.mixed", wires=circuit.qubits)
    node = qml.QNode(_program, device, interface="torch", diff_method="backprop")
    torch.set_default_dtype(torch.float64)  # the device rounds R_z to it
    try:
        values = [
            torch.stack(node(circuit, image[k], weights[k], noise))
            for image in inputs
            for k in range(len(weights))
        ]
    finally:
        torch.set_default_dtype(torch.float32)
    slope, offset = _readout(circuit, noise)
    return torch.stack(values).view(*inputs.shape[:2], -1) * slope + offset


def _readout(circuit: Circuit, noise: Noise) -> tuple[float, float]:
    """⟨P⟩ from told bits: (1 - 2 P(1|0)) P(0) - (1 - 2 P(0|1)) P(1)."""
    if not noise.readout:
        return 1.0, 0.0
    (error,) = noise.readout
    up, down = 1 - 2 * error.one_for_zero, 1 - 2 * error.zero_for_one
    return (up + down) / 2, (up - down) / 2


def _program(circuit: Circuit, inputs: Tensor, weights: Tensor, noise: Noise) -> list[object]:
    wires = range(circuit.qubits)
    with qml.queuing.AnnotatedQueue() as queue:
        if not circuit.reupload and circuit.embedding != "amplitude":
            oracle.embedding(circuit, inputs)
        oracle.ansatz(circuit, weights, inputs)
    with qml.QueuingManager.stop_recording():
        gates = _flat(qml.tape.QuantumScript.from_queue(queue).operations)
        groups = list(_grouped(_controlled_apart(gates)))
    if circuit.embedding == "amplitude":
        qml.AmplitudeEmbedding(inputs / inputs.norm(), wires)
    _strike(noise.preparation, wires)
    for turns, wire in groups:
        for turn in turns:
            _too_far(turn, noise.over_rotation)
        if wire is None:
            _strike_pair(noise.two_qubit, turns[0].wires)
        else:
            _strike(noise.one_qubit, [wire])
    _strike(noise.before_readout, wires)
    measured = wires[::2] if circuit.pooling else wires
    return [qml.expval(oracle.PAULI[p](wire)) for p in circuit.readouts for wire in measured]


def _flat(gates: list[qml.operation.Operator]) -> Iterator[qml.operation.Operator]:
    """Templates taken apart."""
    for gate in gates:
        if gate.name in ("Rot", "RX", "RY", "RZ", "Hadamard", "CNOT", "CZ", "CRot", "MultiRZ"):
            yield gate
        else:
            yield from _flat(gate.decomposition())


def _controlled_apart(gates: Iterator[qml.operation.Operator]) -> Iterator[qml.operation.Operator]:
    """A controlled Rot as rotations and two CNOTs (Barenco et al. 1995, lemma 4.3 and 5.1)."""
    for gate in gates:
        if gate.name != "CRot":
            yield gate
            continue
        (phi, theta, omega), (control, target) = gate.parameters, gate.wires
        yield qml.RZ((phi - omega) / 2, target)
        yield qml.CNOT([control, target])
        yield qml.RZ(-(phi + omega) / 2, target)
        yield qml.RY(-theta / 2, target)
        yield qml.CNOT([control, target])
        yield qml.RY(theta / 2, target)
        yield qml.RZ(omega, target)


def _grouped(
    gates: Iterator[qml.operation.Operator],
) -> Iterator[tuple[list[qml.operation.Operator], int | None]]:
    """Two-qubit gates alone; H, R_x, R_y and R_z that follow each other on a wire as one gate.

    A Rot is a gate of its own, and so is the embedding's rotation.
    """
    gates = list(gates)
    while gates:
        gate = gates.pop(0)
        if len(gate.wires) == 2:
            yield [gate], None
            continue
        group, wire = [gate], gate.wires[0]
        for other in list(gates):
            if wire in other.wires:
                if not _continues(group, other):
                    break
                group.append(other)
                gates.remove(other)
        yield group, wire


def _continues(group: list[qml.operation.Operator], other: qml.operation.Operator) -> bool:
    names = "".join(gate.name for gate in group), other.name
    return names in {("RY", "RZ"), ("RZ", "RY"), ("Hadamard", "RZ")}


def _too_far(gate: qml.operation.Operator, radians: float) -> None:
    if gate.name in ROTATIONS:
        ROTATIONS[gate.name](gate.parameters[0] + radians, gate.wires)
    elif gate.name == "Rot":
        qml.Rot(*(angle + radians for angle in gate.parameters), wires=gate.wires)
    else:
        qml.apply(gate)


def _strike(channels: tuple[Channel, ...], wires: range | list[int]) -> None:
    for wire in wires:
        for channel in channels:
            THEIRS[channel.kind](channel.rate, wires=wire)


def _strike_pair(channels: tuple[Channel, ...], wires: qml.wires.Wires) -> None:
    for channel in channels:
        if channel.kind == "depolarising":
            qml.QubitChannel(_joint(channel.rate), wires=wires)
        else:
            for wire in wires:
                THEIRS[channel.kind](channel.rate, wires=wire)


def _joint(rate: float) -> list[object]:
    words = [qml.pauli.string_to_pauli_word(a + b) for a in "IXYZ" for b in "IXYZ"]
    matrices = [qml.matrix(word, wire_order=[0, 1]) for word in words]
    return [matrices[0] * (1 - rate) ** 0.5] + [m * (rate / 15) ** 0.5 for m in matrices[1:]]
