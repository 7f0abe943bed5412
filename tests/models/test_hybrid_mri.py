from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from medqnn.layers import VARIANTS
from medqnn.models import HybridMRI
from models.small import images, small


def restated(model: HybridMRI, x: Tensor) -> tuple[Tensor, Tensor]:
    """The published forward pass in evaluation mode, from the model's weights alone."""
    convs = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for conv, norm in zip(convs, norms, strict=True):
        x = F.max_pool2d(F.relu(F.conv2d(x, conv.weight, conv.bias, padding=1)), 2)
        x = F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias)
    pooled = F.adaptive_avg_pool2d(x, 4).flatten(1)
    angles = math.pi / 2 * torch.tanh(pooled @ model.dense.weight.T + model.dense.bias)
    features = model.head(angles)
    return features @ model.classifier.weight.T + model.classifier.bias, features


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_forward_pass_is_the_papers(variant: str) -> None:
    model = small("hybrid-mri", variant)
    model.train()(images("hybrid-mri", 16))  # moves the running statistics off 0 and 1
    model.eval()
    logits, features, attention = model(images("hybrid-mri", 4))
    expected = restated(model, images("hybrid-mri", 4))
    torch.testing.assert_close((logits, features), expected, atol=1e-5, rtol=1e-5)
    assert attention is None


def test_defaults_are_the_recipes() -> None:
    model = HybridMRI()
    convs = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert [(m.in_channels, m.out_channels) for m in convs] == [(1, 16), (16, 32), (32, 64)]
    assert (model.dense.in_features, model.dense.out_features) == (64 * 4 * 4, 4)
    circuit = model.head.circuit
    assert (circuit.qubits, circuit.depth, circuit.ansatz) == (4, 2, "strong")
    assert (circuit.embedding, circuit.readouts, circuit.entangler) == ("angle", "Z", "cnot")


@pytest.mark.parametrize("size", [16, 30, 128])
def test_reads_every_size(size: int) -> None:
    with torch.inference_mode():
        model = HybridMRI(image_size=size, circuits=2).eval()
        assert model(torch.rand(1, 1, size, size)).features.shape == (1, 8)
