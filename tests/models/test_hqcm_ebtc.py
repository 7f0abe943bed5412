from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from medqnn.layers import VARIANTS
from medqnn.models import HQCMEBTC

SMALL = {"image_size": 32, "widths": (8, 8, 32)}


def small(variant: str, seed: int = 0, **arguments: object) -> HQCMEBTC:
    torch.manual_seed(seed)
    return HQCMEBTC(variant=variant, **(SMALL | arguments))


def images(count: int, size: int = 32, channels: int = 1) -> Tensor:
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(5))


def restated(model: HQCMEBTC, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The published forward formula in evaluation mode, from the hybrid's weights alone."""
    convs = [m for m in model.blocks.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in model.blocks.modules() if isinstance(m, nn.BatchNorm2d)]
    for conv, norm in zip(convs, norms, strict=True):
        x = F.conv2d(x, conv.weight, conv.bias, padding=conv.weight.shape[-1] // 2)
        x = F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias)
        x = F.max_pool2d(F.relu(x), 2)
    down, up = (m for m in model.channel_attention.modules() if isinstance(m, nn.Conv2d))
    pooled = x.mean(dim=(2, 3), keepdim=True)
    t_c = torch.sigmoid(up(F.relu(down(pooled))))
    *scales, to_map = (m for m in model.spatial_attention.modules() if isinstance(m, nn.Conv2d))
    logits = to_map(sum(scale(x * t_c) for scale in scales) / 3)
    final = x * (1 + torch.sigmoid(logits))
    z = F.relu(final.flatten(1) @ model.projection.weight.T + model.projection.bias)
    features = model.head(z)
    return model.classifier(features), features, logits


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_forward_pass_is_the_papers_formula(variant: str) -> None:
    model = small(variant)
    model.train()(images(16))  # moves the running statistics off 0 and 1
    model.eval()
    outputs = model(images(4))
    for ours, formula in zip(outputs, restated(model, images(4)), strict=True):
        torch.testing.assert_close(ours, formula, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_shapes(variant: str) -> None:
    model = small(variant, classes=3, channels=3, image_size=40)
    outputs = model(images(2, 40, 3))
    assert outputs.logits.shape == (2, 3)
    assert outputs.attention.shape == (2, 1, 5, 5)
    assert outputs.features.shape == (2, 160 if variant == "none" else 25)


def test_defaults_are_the_papers() -> None:
    model = HQCMEBTC()
    assert sum(p.numel() for p in model.parameters()) == 1_656_167
    assert model.head.weight.shape == (5, 2, 5, 3)
    assert (model.head.circuit.entangler, model.head.circuit.readouts) == ("cnot", "Y")
    convs = [m for m in model.blocks.modules() if isinstance(m, nn.Conv2d)]
    assert [m.kernel_size[0] for m in convs] == [3, 5, 7]
    assert [m.out_channels for m in convs] == [128, 64, 32]
    with torch.inference_mode():
        outputs = model.eval()(images(1, 128))
    assert outputs.logits.shape == (1, 4)
    assert outputs.attention.shape == (1, 1, 16, 16)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_seed_settles_weights_and_dropout(variant: str) -> None:
    one, again, other = (small(variant, seed).train()(images(4)).logits for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_dropout_works_in_training_alone() -> None:
    model = small("hybrid")
    assert not torch.equal(model(images(4)).logits, model(images(4)).logits)
    model.eval()
    assert torch.equal(model(images(4)).logits, model(images(4)).logits)


def test_repr_names_the_parts() -> None:
    text = repr(small("hybrid"))
    for part in ("ConvBlock", "ChannelAttention", "SpatialAttention", "QuantumLayer(in_features"):
        assert part in text
