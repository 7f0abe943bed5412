from __future__ import annotations

from pathlib import Path

import pytest
import torch
from qiskit.quantum_info import DensityMatrix, Pauli, SuperOp, average_gate_fidelity
from qiskit_aer.noise import depolarizing_error, thermal_relaxation_error

from medqnn.circuits.noise.program import one_qubit, two_qubit
from medqnn.devices import Profile, load, names
from medqnn.errors import CircuitError

GIVEN = """
title: One of ours
qubits: 5
coupling: all
t1: 1.0e-4
t2: 1.5e-4
one_qubit: {name: sx, per_rotation: 2, error: 1.0e-3, seconds: 5.0e-8}
two_qubit: {name: cz, error: 1.0e-2, seconds: 3.0e-7}
readout: {one_for_zero: 0.02, zero_for_one: 0.05}
source: {text: ours, date: 2026-01-31}
"""


def aer(profile: Profile, qubits: int) -> SuperOp:
    """Relaxation, then depolarising by Aer's own rule for a calibrated error."""
    gates = profile.one_qubit if qubits == 1 else profile.two_qubit
    relaxes = SuperOp(thermal_relaxation_error(profile.t1, profile.t2, gates.seconds))
    whole = relaxes if qubits == 1 else relaxes.tensor(relaxes)
    size, fidelity = 2**qubits, average_gate_fidelity(whole)
    lost = size * (gates.error - (1 - fidelity)) / (size * fidelity - 1)
    return whole.compose(SuperOp(depolarizing_error(lost, qubits)))


def pauli_vector(state: DensityMatrix, qubits: int) -> torch.Tensor:
    """Qiskit's last qubit is our first; a product of unlike states tells them apart."""
    words = "IXYZ" if qubits == 1 else [a + b for a in "IXYZ" for b in "IXYZ"]
    return torch.tensor([state.expectation_value(Pauli(word)).real for word in words])


@pytest.mark.parametrize("qubits", [1, 2])
@pytest.mark.parametrize("name", ["ibm-eagle", "ibm-heron-r2", "ionq-aria"])
def test_gates_are_as_noisy_as_aers(name: str, qubits: int) -> None:
    profile = load(name)
    channels = profile.noise().one_qubit[:3] if qubits == 1 else profile.noise().two_qubit
    ours = (one_qubit if qubits == 1 else two_qubit)(channels)
    theirs = aer(profile, qubits)
    assert 1 - average_gate_fidelity(theirs) == pytest.approx(
        profile.one_qubit.error if qubits == 1 else profile.two_qubit.error
    )
    for label in ("0", "1", "+", "r") if qubits == 1 else ("01", "+r", "r1"):
        state = DensityMatrix.from_label(label)
        before, after = (pauli_vector(s, qubits) for s in (state, state.evolve(theirs)))
        torch.testing.assert_close(ours @ before, after, atol=1e-6, rtol=0)


def test_every_profile_names_its_source_and_is_physical() -> None:
    assert names() == ["ibm-eagle", "ibm-heron-r2", "ionq-aria", "quantinuum-h2"]
    for profile in map(load, names()):
        assert profile.source.text
        assert 0 < profile.one_qubit.error < profile.two_qubit.error < 0.01
        noise = profile.noise()
        assert noise.two_qubit[-1].rate > 0
        assert noise.readout[0].one_for_zero == profile.readout.one_for_zero


def test_a_rotation_of_two_pulses_is_struck_twice(tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text(GIVEN)
    one = load(str(path)).noise().one_qubit
    assert one[:3] == one[3:]
    assert [channel.kind for channel in one[:3]] == [
        "amplitude_damping",
        "phase_damping",
        "depolarising",
    ]


def test_without_times_all_is_depolarising(tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text(GIVEN.replace("t1: 1.0e-4\nt2: 1.5e-4\n", ""))
    (channel,) = load(str(path)).noise().two_qubit
    assert channel.rate == pytest.approx(1.25 * 1e-2)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("t2: 1.5e-4", "t2: 2.5e-4", "t2 is 0.00025, more than 2 t1"),
        ("t2: 1.5e-4", "", "give both t1 and t2, or neither"),
        ("qubits: 5", "qubits: 5\nqbits: 3", "'qbits': Extra inputs are not permitted"),
        ("error: 1.0e-2", "error: 0.7", "'two_qubit.error'.*less than 0.5"),
        ("title:", "title: [", "is no YAML"),
    ],
)
def test_a_wrong_profile_says_what_is_wrong(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text(GIVEN.replace(old, new))
    with pytest.raises(CircuitError, match=says):
        load(str(path))


def test_an_unknown_name_names_the_known_ones() -> None:
    with pytest.raises(CircuitError, match="no device profile 'ibm': give one of ibm-eagle, ibm-h"):
        load("ibm")
