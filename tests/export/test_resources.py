from __future__ import annotations

import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator
from qiskit.transpiler import CouplingMap
from torch import nn

from medqnn.export.machines import MACHINES
from medqnn.export.resources import Counts, counts, resources, seconds
from medqnn.layers import QuantumConv2d, QuantumLayer

HEAVY_HEX, IONS = MACHINES


def network(layer: nn.Module, *before: nn.Module) -> nn.Module:
    model = nn.Sequential(*before)
    model.add_module("head", layer)
    return model


def test_gates_of_an_angle_circuit_are_those_that_paper_counts() -> None:
    layer = QuantumLayer(4, 3, 2, "angle", "ZX")
    found = resources(network(layer), torch.zeros(1, 12), shots=100)
    # R_y of each qubit, then twice Rot (three turns) and a ring of 4 CNOTs; Z needs no turn
    assert found.written[:2] == (4 + 2 * 12, 2 * 4)
    assert found.prepared is None
    assert (found.qubits, found.programs, found.shots) == (4, 3 * 2, 100)


def test_state_preparation_counts_in() -> None:
    layer = QuantumLayer(3, 1, 1, "amplitude", "Z")
    found = resources(network(layer), torch.ones(1, 8), shots=1)
    assert found.prepared is not None
    assert found.written.two == found.prepared.two + 3
    assert found.written.one == found.prepared.one + 9
    assert found.prepared.two >= 4  # Qiskit's need not be the least, 2^q - q - 1


def test_a_convolution_takes_every_patch() -> None:
    layer = QuantumConv2d(2, 16, 2, stride=2, readouts="Z")  # 2 circuits a channel
    found = resources(network(layer), torch.zeros(1, 2, 6, 8), shots=1)
    assert found.programs == 4 * (3 * 4)


def test_fitted_programs_use_the_machines_gates_on_its_couplings() -> None:
    layer = QuantumLayer(4, 1, 1, "angle", "Z")
    found = resources(network(layer), torch.zeros(1, 4), shots=1000)
    heavy_hex, ions = found.fitted
    assert heavy_hex.counts.two > found.written.two  # a ring of 4 does not lie on the lattice
    assert ions.counts.two == found.written.two
    for fitted in found.fitted:
        assert fitted.image == pytest.approx(1000 * fitted.shot)
        assert fitted.shot > fitted.machine.delay + fitted.machine.readout
    lattice = HEAVY_HEX.target(4).build_coupling_map()
    assert set(lattice.get_edges()) == set(CouplingMap.from_heavy_hex(3).get_edges())
    assert HEAVY_HEX.target(24).num_qubits == 57


def test_time_is_the_longest_path_or_the_sum() -> None:
    program = QuantumCircuit(3, 3)
    program.rx(0.1, 0)
    program.rx(0.2, 1)
    program.rz(0.3, 1)
    program.rxx(0.4, 1, 2)
    program.rx(0.5, 0)
    program.measure(0, 0)
    assert counts(program) == Counts(4, 1, 3)
    assert seconds(program, IONS) == pytest.approx(3 * 10e-6 + 210e-6 + 100e-6)
    side_by_side = IONS._replace(serial=False)
    assert seconds(program, side_by_side) == pytest.approx(10e-6 + 210e-6 + 100e-6)


def test_ions_couple_by_r_xx_alone() -> None:
    from qiskit import transpile

    plain = QuantumCircuit(2)
    plain.h(0)
    plain.cx(0, 1)
    own = transpile(plain, target=IONS.target(2), optimization_level=3, seed_transpiler=0)
    assert set(own.count_ops()) <= {"rx", "ry", "rz", "rxx"}
    assert Operator(own).equiv(plain)
