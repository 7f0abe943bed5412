from __future__ import annotations

import math

import numpy as np
import pennylane as qml
import pytest
import torch
from torch import Tensor

from medqnn.circuits import Circuit
from medqnn.diagnostics.entanglement import entanglement, haar_mean, meyer_wallach

HALF = (-math.pi / 2, math.pi / 2)


def state(amplitudes: dict[int, complex], qubits: int) -> Tensor:
    vector = torch.zeros(1, 2**qubits, dtype=torch.complex128)
    for index, amplitude in amplitudes.items():
        vector[0, index] = amplitude
    return vector / vector.norm()


def haar(count: int, qubits: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    normal = torch.randn(count, 2**qubits, dtype=torch.complex128, generator=generator)
    return normal / normal.norm(dim=1, keepdim=True)


@pytest.mark.parametrize("qubits", [2, 3, 5])
def test_states_of_known_entanglement(qubits: int) -> None:
    ghz = state({0: 1, 2**qubits - 1: 1j}, qubits)
    assert meyer_wallach(ghz).item() == pytest.approx(1.0)
    assert meyer_wallach(state({3: 1j}, qubits)).item() == pytest.approx(0.0, abs=1e-15)
    w = state({2**k: 1 for k in range(qubits)}, qubits)
    purity = ((qubits - 1) ** 2 + 1) / qubits**2
    assert meyer_wallach(w).item() == pytest.approx(2 * (1 - purity))


def test_a_pair_among_four_counts_for_half() -> None:
    bell_and_rest = state({0b0000: 1, 0b0101: 1}, 4)  # qubits 1 and 3
    assert meyer_wallach(bell_and_rest).item() == pytest.approx(0.5)


def test_purities_are_pennylanes() -> None:
    vectors = haar(3, 3)
    for vector, found in zip(vectors.numpy(), meyer_wallach(vectors), strict=True):
        density = qml.math.dm_from_state_vector(vector)
        purities = [qml.math.purity(density, [k]) for k in range(3)]
        assert found.item() == pytest.approx(2 * (1 - np.real(np.mean(purities))))


@pytest.mark.parametrize("qubits", [2, 4])
def test_haar_mean_is_that_of_random_states(qubits: int) -> None:
    found = meyer_wallach(haar(20_000, qubits))
    assert found.mean().item() == pytest.approx(haar_mean(qubits), abs=0.005)


def test_product_of_angles_is_not_entangled() -> None:
    circuit = Circuit(4, 2, "angle", "Z", "none")
    found = entanglement(circuit, HALF, 50, torch.Generator().manual_seed(0))
    assert found == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


def test_product_leaves_the_entanglement_of_amplitudes() -> None:
    circuit = Circuit(5, 2, "amplitude", "Y", "none")
    found = entanglement(circuit, HALF, 50, torch.Generator().manual_seed(0))
    assert found.mean == pytest.approx(found.embedding)
    assert 0.5 < found.embedding < 1.0


def test_deep_circuit_entangles_as_haar_random_states() -> None:
    circuit = Circuit(4, 10, "angle", "Z")
    found = entanglement(circuit, HALF, 2000, torch.Generator().manual_seed(0))
    assert found.mean == pytest.approx(haar_mean(4), abs=0.01)
    assert found.sd == pytest.approx(meyer_wallach(haar(2000, 4)).std().item(), rel=0.1)
    assert found.embedding == pytest.approx(0.0, abs=1e-12)
