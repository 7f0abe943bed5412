from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from medqnn.layers import VARIANTS
from medqnn.models import HQCNNMedMNIST
from models.small import images, small


def restated(model: HQCNNMedMNIST, x: Tensor) -> tuple[Tensor, Tensor]:
    """The published forward pass in evaluation mode, from the model's weights alone."""
    convs = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    x = 2 * x - 1
    for number, (conv, norm) in enumerate(zip(convs, norms, strict=True), start=1):
        x = F.conv2d(x, conv.weight, conv.bias, padding=1 if number == 5 else 0)
        x = F.relu(F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias))
        if number in (2, 5):
            x = F.max_pool2d(x, 2)
    fc1, fc2, fc3 = model.fc1, model.classifier[0], model.classifier[2]
    angles = math.pi / 2 * torch.tanh(x.flatten(1) @ fc1.weight.T + fc1.bias)
    features = model.head(angles)
    hidden = F.relu(features @ fc2.weight.T + fc2.bias)
    return hidden @ fc3.weight.T + fc3.bias, features


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_forward_pass_is_the_papers(variant: str) -> None:
    model = small("hqcnn-medmnist", variant)
    model.train()(images("hqcnn-medmnist", 16))  # moves the running statistics off 0 and 1
    model.eval()
    logits, features, attention = model(images("hqcnn-medmnist", 4))
    expected = restated(model, images("hqcnn-medmnist", 4))
    torch.testing.assert_close((logits, features), expected, atol=1e-5, rtol=1e-5)
    assert attention is None


def test_defaults_are_the_papers() -> None:
    model = HQCNNMedMNIST()
    convs = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert [(m.in_channels, m.out_channels) for m in convs] == [
        (3, 16),
        (16, 16),
        (16, 64),
        (64, 64),
        (64, 64),
    ]
    assert {m.kernel_size for m in convs} == {(3, 3)}
    assert (model.fc1.in_features, model.fc1.out_features) == (64 * 4 * 4, 4)
    dense = [m for m in model.classifier if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in dense] == [(4, 128), (128, 2)]
    circuit = model.head.circuit
    assert (circuit.qubits, circuit.depth, circuit.ansatz) == (4, 3, "ry_rz_strong")
    assert (circuit.embedding, circuit.readouts, circuit.entangler) == ("angle", "Z", "cnot")
    assert sum(p.numel() for p in model.head.parameters()) == 3 * 4 * 5


@pytest.mark.parametrize("size", [16, 28, 64, 128, 224])
def test_reads_every_size_of_medmnist(size: int) -> None:
    with torch.inference_mode():
        model = HQCNNMedMNIST(classes=9, image_size=size).eval()
        assert model(torch.rand(1, 3, size, size)).logits.shape == (1, 9)
