"""Noise of real machines, where PennyLane-Qiskit is installed."""

from __future__ import annotations

import importlib.util

import pytest
import torch

from medqnn.circuits import Circuit, expectations
from medqnn.errors import RunError
from medqnn.hardware.aer import noise_of
from medqnn.hardware.remote import Remote
from medqnn.hardware.target import Target

INSTALLED = all(importlib.util.find_spec(f"{name}") for name in ("pennylane_qiskit", "qiskit_aer"))


@pytest.mark.skipif(not INSTALLED, reason="PennyLane-Qiskit is not installed")
def test_a_machines_noise_pulls_values_towards_zero() -> None:
    circuit = Circuit(4, 3, "angle", "Z")
    generator = torch.Generator().manual_seed(0)
    inputs, weights = (
        torch.rand(shape, generator=generator) for shape in ((3, 1, 4), (1, *circuit.weight_shape))
    )
    target = Target("qiskit.aer", 4000, (("noise_model", "FakeTorino"),))
    values = Remote(target, pytest.fail)(circuit, inputs, weights)
    exact = expectations(circuit, inputs, weights)
    assert 0.5 < values.abs().mean() / exact.abs().mean() < 0.99
    with pytest.raises(RunError, match="no machine 'FakeAtlantis'"):
        noise_of("FakeAtlantis")


@pytest.mark.skipif(INSTALLED, reason="PennyLane-Qiskit is installed")
def test_without_the_packages_the_mend_is_told() -> None:
    with pytest.raises(RunError, match=r"needs \w+, which is not installed"):
        Target("qiskit.aer", options=(("noise_model", "FakeTorino"),)).open(2)
