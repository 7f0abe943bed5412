from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import load_model, save_model
from torch import Tensor, nn

from medqnn.errors import RecipeError
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
    return model.classifier(features), logits, features


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
def test_gradient_reaches_every_trainable_parameter(variant: str) -> None:
    model = small(variant, dropout=0.0)
    outputs = model(images(8))
    (outputs.logits.square().sum() + outputs.attention.square().sum()).backward()
    for name, parameter in model.named_parameters():
        if variant == "frozen" and name.startswith("head."):
            assert parameter.grad is None
        else:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.count_nonzero() > 0, name


@pytest.mark.parametrize("variant", VARIANTS)
def test_save_and_load_through_safetensors(variant: str, tmp_path: Path) -> None:
    model = small(variant)
    model.train()(images(8))
    save_model(model, str(tmp_path / "model.safetensors"))
    other = small(variant, seed=1)
    load_model(other, str(tmp_path / "model.safetensors"))
    with torch.inference_mode():
        pairs = zip(model.eval()(images(2)), other.eval()(images(2)), strict=True)
    assert all(torch.equal(one, loaded) for one, loaded in pairs)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_seed_settles_weights_and_dropout(variant: str) -> None:
    one, again, other = (small(variant, seed).train()(images(4)).logits for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("variant", sorted(set(VARIANTS) - {"none"}))
def test_twins_start_from_the_same_other_weights(variant: str) -> None:
    hybrid, twin = small("hybrid").state_dict(), small(variant).state_dict()
    shared = [name for name in hybrid if not name.startswith("head.")]
    assert shared == [name for name in twin if not name.startswith("head.")]
    assert all(torch.equal(hybrid[name], twin[name]) for name in shared)


def test_dropout_works_in_training_alone() -> None:
    model = small("hybrid")
    assert not torch.equal(model(images(4)).logits, model(images(4)).logits)
    model.eval()
    assert torch.equal(model(images(4)).logits, model(images(4)).logits)


@pytest.mark.parametrize("variant", VARIANTS)
def test_overfits_32_images(variant: str) -> None:
    model = small(variant, dropout=0.0)
    labels = torch.arange(32) % 4
    marked = images(32)  # noise, each class brighter in another quadrant
    for image, label in zip(marked, labels.tolist(), strict=True):
        row, column = 16 * (label // 2), 16 * (label % 2)
        image[:, row : row + 16, column : column + 16] += 0.5
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        optimiser.zero_grad()
        F.cross_entropy(model(marked).logits, labels).backward()
        optimiser.step()
    assert torch.equal(model(marked).logits.argmax(1), labels)


@pytest.mark.parametrize("variant", VARIANTS)
def test_compile_without_a_graph_break(variant: str) -> None:
    model = small(variant, dropout=0.0)
    torch.compiler.reset()
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    for actual, expected in zip(compiled(images(3)), model(images(3)), strict=True):
        torch.testing.assert_close(actual, expected)
    compiled(images(3)).logits.sum().backward()
    assert model.projection.weight.grad.count_nonzero() > 0


def test_channels_last_and_autocast_are_close() -> None:
    model = small("hybrid").eval()
    expected = model(images(4)).logits
    other = model.to(memory_format=torch.channels_last)
    torch.testing.assert_close(other(images(4)).logits, expected, atol=1e-5, rtol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(other(images(4)).logits.float(), expected, atol=0.05, rtol=0)


def test_repr_names_the_parts() -> None:
    text = repr(small("hybrid"))
    for part in ("ConvBlock", "ChannelAttention", "SpatialAttention", "QuantumLayer(in_features"):
        assert part in text


def test_an_unknown_variant_is_a_recipe_error() -> None:
    with pytest.raises(RecipeError, match="densest"):
        small("densest")
