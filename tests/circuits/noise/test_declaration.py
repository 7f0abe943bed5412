from __future__ import annotations

import pytest
import torch

from medqnn.circuits.noise import Channel, Noise, ReadoutError
from medqnn.circuits.noise.declaration import confuse
from medqnn.errors import CircuitError


def test_scaled_by_two_is_every_channel_twice_and_readout_as_it_is() -> None:
    noise = Noise(
        one_qubit=(Channel("amplitude_damping", 0.1),),
        two_qubit=(Channel("depolarising", 0.1),),
        preparation=(Channel("depolarising", 0.1),),
        before_readout=(Channel("bit_flip", 0.1),),
        readout=(ReadoutError(0.1, 0.2),),
        over_rotation=0.1,
    )
    twice = noise.scaled(2.0)
    assert twice.one_qubit[0].rate == pytest.approx(1 - 0.9**2)
    assert twice.two_qubit[0].rate == pytest.approx(15 / 16 * (1 - (1 - 1.6 / 15) ** 2))
    assert twice.preparation[0].rate == pytest.approx(3 / 4 * (1 - (1 - 0.4 / 3) ** 2))
    assert twice.before_readout[0].rate == pytest.approx((1 - 0.8**2) / 2)
    assert (twice.readout, twice.over_rotation) == (noise.readout, 0.2)
    with pytest.raises(CircuitError, match="scaled by -1: give 0 or more"):
        noise.scaled(-1)


def test_confusion_is_the_kronecker_product_of_the_qubits_matrices() -> None:
    errors = (ReadoutError(0.1, 0.2), ReadoutError(0.0, 0.0), ReadoutError(0.3, 0.05))
    matrices = [
        torch.tensor([[1 - e.one_for_zero, e.zero_for_one], [e.one_for_zero, 1 - e.zero_for_one]])
        for e in errors
    ]
    whole = torch.kron(torch.kron(matrices[0], matrices[1]), matrices[2])
    chances = torch.rand(4, 2, 8)
    torch.testing.assert_close(confuse(chances, errors), chances @ whole.T)


def test_a_readout_error_is_a_pair_of_probabilities() -> None:
    with pytest.raises(CircuitError, match=r"zero_for_one is -0.1: give a probability"):
        ReadoutError(0.1, -0.1)


def test_noise_is_a_key() -> None:
    assert hash(Noise((Channel("bit_flip", 0.1),))) == hash(Noise((Channel("bit_flip", 0.1),)))
    assert Noise(over_rotation=0.1, readout=(ReadoutError(0.1, 0.1),)).is_coherent
    assert not Noise(preparation=(Channel("bit_flip", 0.1),)).is_coherent
