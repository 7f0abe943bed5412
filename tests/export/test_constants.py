from __future__ import annotations

import pytest
import torch
from torch import nn

from export.circuits import CIRCUITS, layer_of
from medqnn.circuits import Circuit
from medqnn.errors import CircuitError
from medqnn.export.constants import ConstantConv2d, ConstantLayer, constant
from medqnn.layers import QuantumConv2d, QuantumLayer
from medqnn.models import SYSTEMS
from models.small import images, small


@pytest.mark.parametrize("variant", ["hybrid", "product", "frozen"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_constant_networks_answer_alike(system: str, variant: str) -> None:
    model = small(system, variant).eval()
    batch = images(system, 3)
    with torch.no_grad():
        found, expected = constant(model)(batch), model(batch)
    torch.testing.assert_close(found.logits, expected.logits, atol=1e-6, rtol=0)
    torch.testing.assert_close(found.features, expected.features, atol=2e-6, rtol=0)
    kinds = (QuantumLayer, QuantumConv2d)
    assert any(isinstance(module, kinds) for module in model.modules())
    assert not any(isinstance(module, kinds) for module in constant(model).modules())


@pytest.mark.parametrize(
    "name",
    [n for n, c in CIRCUITS.items() if not c.reupload and c.embedding != "iqp"],
)
def test_every_real_circuit_is_a_constant(name: str) -> None:
    layer = layer_of(CIRCUITS[name]).float()
    inputs = torch.randn(4, layer.in_features, generator=torch.Generator().manual_seed(0))
    inputs[1] = 0  # no state: zeros come out of amplitudes
    torch.testing.assert_close(ConstantLayer(layer)(inputs), layer(inputs), atol=2e-6, rtol=0)


@pytest.mark.parametrize(
    "layer",
    [
        QuantumConv2d(2, 16, 2, stride=2),  # 2 circuits a channel
        QuantumConv2d(3, 9, (1, 3), stride=(2, 1), padding=(0, 1)),
        QuantumConv2d(1, 4, 2, padding=1, readouts="XZ", pooling=True),
    ],
)
def test_convolutions_keep_their_geometry(layer: QuantumConv2d) -> None:
    maps = torch.randn(2, layer.in_channels, 5, 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ConstantConv2d(layer)(maps), layer(maps), atol=2e-6, rtol=0)


def test_the_model_itself_stays_as_it_is() -> None:
    model = nn.Sequential(nn.Linear(4, 4), QuantumLayer(2))
    constant(model)
    assert model.training
    assert all(weight.requires_grad for weight in model.parameters())


@pytest.mark.parametrize(
    ("circuit", "words"),
    [
        (CIRCUITS["reupload"], "uploads its data 2 times"),
        (CIRCUITS["iqp, real_amplitudes"], "complex states"),
        (Circuit(11, 1, "angle"), "11 qubits is too large a matrix"),
    ],
)
def test_what_is_no_constant_matrix_is_refused(circuit: Circuit, words: str) -> None:
    with pytest.raises(CircuitError, match=words):
        ConstantLayer(layer_of(circuit, circuits=1))
