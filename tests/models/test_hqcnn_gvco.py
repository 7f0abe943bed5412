from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from medqnn.layers import VARIANTS
from medqnn.models import HQCNNGVCO
from models.small import images, small


def restated(model: HQCNNGVCO, x: Tensor) -> tuple[Tensor, Tensor]:
    """The forward pass as the recipe describes it, from the model's weights alone."""
    for conv in (m for m in model.convolutions if isinstance(m, nn.Conv2d)):
        x = F.max_pool2d(F.relu(F.conv2d(x, conv.weight, conv.bias, padding=1)), 2)
    angles = math.pi * torch.sigmoid(F.conv2d(x, model.reduce.weight, model.reduce.bias))
    features = model.head(angles).flatten(1)
    hidden, last = model.classifier[0], model.classifier[2]
    shown = F.relu(features @ hidden.weight.T + hidden.bias)
    return shown @ last.weight.T + last.bias, features


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_forward_pass_is_the_papers(variant: str) -> None:
    model = small("hqcnn-gvco", variant)
    logits, features, attention = model(images("hqcnn-gvco", 4))
    expected = restated(model, images("hqcnn-gvco", 4))
    torch.testing.assert_close((logits, features), expected, atol=1e-5, rtol=1e-5)
    assert attention is None


def test_defaults_are_the_recipes() -> None:
    model = HQCNNGVCO()
    convs = [m for m in model.convolutions if isinstance(m, nn.Conv2d)]
    assert [(m.in_channels, m.out_channels) for m in convs] == [(1, 8), (8, 16)]
    assert (model.reduce.in_channels, model.reduce.out_channels) == (16, 4)
    circuit = model.head.circuit
    assert (circuit.qubits, circuit.depth, circuit.readouts) == (4, 2, "Z")
    assert (circuit.embedding, circuit.entangler, circuit.pooling) == ("angle", "cnot", False)
    assert model(torch.rand(1, 1, 64, 64)).features.shape == (1, 16 * 8 * 8)


def test_quantum_pooling_halves_the_channels() -> None:
    model = HQCNNGVCO(pooling=True)
    assert model(torch.rand(1, 1, 64, 64)).features.shape == (1, 8 * 8 * 8)


@pytest.mark.parametrize("size", [16, 30, 64])
@pytest.mark.parametrize("variant", VARIANTS)
def test_reads_every_size(size: int, variant: str) -> None:
    with torch.inference_mode():
        model = HQCNNGVCO(image_size=size, variant=variant).eval()
        assert model(torch.rand(1, 1, size, size)).logits.shape == (1, 4)
