from __future__ import annotations

import math

import numpy as np
import pennylane as qml
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medqnn.circuits.noise import Channel, relaxation
from medqnn.circuits.noise.program import one_qubit, two_qubit
from medqnn.circuits.noise.transfer import transfer
from medqnn.errors import CircuitError

from .mixed import KINDS, THEIRS


@pytest.mark.parametrize("rate", [0.03, 0.2, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_kraus_operators_are_pennylanes(kind: str, rate: float) -> None:
    theirs = np.stack(THEIRS[kind](rate, wires=0).kraus_matrices())
    np.testing.assert_allclose(Channel(kind, rate).kraus().numpy(), theirs, atol=1e-6)


def test_joint_depolarising_mixes_in_the_maximally_mixed_state() -> None:
    kraus = Channel("depolarising", 0.3).kraus(2)
    assert kraus.shape == (16, 4, 4)
    state = torch.zeros(4, 4, dtype=torch.complex128)
    state[1, 1] = 1.0
    after = (kraus @ state @ kraus.mH).sum(0)
    mixed = 16 / 15 * 0.3
    torch.testing.assert_close(after, (1 - mixed) * state + mixed * torch.eye(4) / 4)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.sampled_from(KINDS), st.floats(0.0, 0.49), st.integers(0, 4))
def test_repeated_is_the_channel_so_many_times(kind: str, rate: float, times: int) -> None:
    channel = Channel(kind, rate)
    once = transfer(channel.kraus())
    again = transfer(channel.repeated(times).kraus())
    torch.testing.assert_close(again, torch.linalg.matrix_power(once, times), atol=1e-12, rtol=0)
    half = transfer(channel.repeated(0.5).kraus())
    torch.testing.assert_close(half @ half, once, atol=1e-12, rtol=0)


def test_repeated_on_two_qubits() -> None:
    channel = Channel("depolarising", 0.2)
    twice = torch.linalg.matrix_power(transfer(channel.kraus(2)), 2)
    torch.testing.assert_close(transfer(channel.repeated(2, qubits=2).kraus(2)), twice)
    with pytest.raises(CircuitError, match=r"bit_flip is 0.6: give at most 0.5 to scale it"):
        Channel("bit_flip", 0.6).repeated(2)


@pytest.mark.parametrize(("t1", "t2", "time"), [(50, 70, 3), (50, 100, 3), (80, 20, 40), (9, 9, 0)])
def test_relaxation_is_pennylanes(t1: float, t2: float, time: float) -> None:
    theirs = qml.ThermalRelaxationError(0.0, t1, t2, time, wires=0).kraus_matrices()
    expected = transfer(torch.from_numpy(np.stack(theirs)).to(torch.complex128))
    torch.testing.assert_close(one_qubit(relaxation(t1, t2, time)), expected, atol=1e-6, rtol=0)


def test_relaxation_decays_as_named() -> None:
    matrix = one_qubit(relaxation(50.0, 70.0, 3.0))
    decays = [math.exp(-3 / 70), math.exp(-3 / 70), math.exp(-3 / 50)]
    np.testing.assert_allclose(matrix.diagonal()[1:].numpy(), decays, rtol=1e-12)
    assert matrix[3, 0] == pytest.approx(1 - math.exp(-3 / 50))


def test_other_channels_strike_each_qubit_of_a_pair() -> None:
    kraus = Channel("amplitude_damping", 0.3).kraus()
    pairs = torch.stack([torch.kron(a, b) for a in kraus for b in kraus])
    found = two_qubit((Channel("amplitude_damping", 0.3),))
    torch.testing.assert_close(found, transfer(pairs), atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (lambda: Channel("thermal", 0.1), r"'thermal': give one of depolarising, amplitude"),
        (lambda: Channel("bit_flip", 1.5), r"bit_flip is 1.5: give a probability"),
        (lambda: Channel("bit_flip", math.nan), r"bit_flip is nan: give a probability"),
        (lambda: relaxation(10.0, 21.0, 1.0), r"T2 is 21.0 with T1 10.0: give T2 of at most 2 T1"),
        (lambda: relaxation(0.0, 1.0, 1.0), r"T1 is 0.0.*give T1 and T2 above 0"),
    ],
)
def test_a_rate_or_time_out_of_range_says_so(fault: object, says: str) -> None:
    with pytest.raises(CircuitError, match=says):
        fault()
