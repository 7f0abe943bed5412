from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from medqnn.errors import RecipeError
from medqnn.layers import VARIANTS, QuantumConv2d, conv_head

SAME_SHAPE = sorted(set(VARIANTS) - {"none"})
LAYERS = [
    (2, 8, 2, 2),
    (2, 16, 2, 1, 1, 3),
    (1, 2, (1, 3), (1, 2), (0, 3), 1, "Z", "cz", True),
    (1, 9, 3, 1, 1, 1),
    (2, 24, 2, 2, 0, 1, "XYZ"),
]


def gvco_layer() -> QuantumConv2d:
    torch.manual_seed(0)
    return QuantumConv2d(2, 8, 2, 2)


def trainable(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


@pytest.mark.parametrize("arguments", LAYERS, ids=repr)
@pytest.mark.parametrize("variant", VARIANTS)
def test_output_has_the_quantum_convolutions_shape(variant: str, arguments: tuple) -> None:
    layer = QuantumConv2d(*arguments)
    images = torch.randn(3, layer.in_channels, 7, 6)
    outputs = conv_head(variant, layer)(images)
    if variant == "none":
        assert torch.equal(outputs, images)
    else:
        assert outputs.shape == layer(images).shape
        assert outputs.abs().max() <= 1 + 1e-6


@pytest.mark.parametrize(
    ("variant", "parameters"),
    [
        ("hybrid", 48),
        ("dense", 2 * 8 * 4 + 8),
        ("matched", 48),
        ("product", 48),
        ("frozen", 0),
        ("none", 0),
    ],
)
def test_trainable_parameters(variant: str, parameters: int) -> None:
    assert trainable(conv_head(variant, gvco_layer())) == parameters


@pytest.mark.parametrize("variant", sorted(set(VARIANTS) - {"none", "frozen"}))
def test_gradient_reaches_every_parameter(variant: str) -> None:
    module = conv_head(variant, gvco_layer())
    images = torch.randn(4, 2, 6, 6, requires_grad=True)
    module(images).square().sum().backward()
    assert images.grad.count_nonzero() > 0
    for parameter in module.parameters():
        assert parameter.grad.count_nonzero() > 0


def test_hybrid_is_the_layer_itself() -> None:
    layer = gvco_layer()
    assert conv_head("hybrid", layer) is layer


def test_frozen_is_the_hybrid_untrained() -> None:
    layer, frozen = gvco_layer(), conv_head("frozen", gvco_layer())
    images = torch.randn(4, 2, 6, 6)
    assert torch.equal(frozen(images), layer(images))


def test_dense_is_conv2d_then_tanh() -> None:
    module = conv_head(
        "dense", QuantumConv2d(2, 8, (1, 2), (2, 1), (1, 0), pooling=False, readouts="ZX")
    )
    convolution = module[0]
    images = torch.randn(4, 2, 6, 6)
    expected = nn.functional.conv2d(
        images, convolution.weight, convolution.bias, stride=(2, 1), padding=(1, 0)
    )
    torch.testing.assert_close(module(images), expected.tanh())


def test_product_never_entangles_and_leaves_the_hybrid_as_it_was() -> None:
    layer = gvco_layer()
    product = conv_head("product", layer)
    assert layer.circuit.entangler == "cnot"
    assert torch.equal(product.weight, layer.weight)
    for module, entangled in ((product, False), (layer, True)):
        images = torch.zeros(1, 2, 2, 2)
        before = module(images)
        images[0, 0, 0, 0] = 1.0  # the first qubit of the first channel's circuit
        change = (module(images) - before)[0, :, 0, 0].abs()
        assert change[0] > 1e-3
        assert (change[1:4] > 1e-3).any() == entangled
        assert change[4:].max() < 1e-6


def test_product_with_pooling_reads_the_kept_qubits_pixel_alone() -> None:
    torch.manual_seed(0)
    layer = QuantumConv2d(1, 2, 2, 2, pooling=True)
    images = torch.zeros(1, 1, 2, 2)
    for variant, entangled in (("product", False), ("hybrid", True)):
        module = conv_head(variant, layer)
        before = module(images)
        changed = images.clone()
        changed[0, 0, 0, 1] = 1.0
        assert ((module(changed) - before).abs().max() > 1e-3) == entangled


@pytest.mark.parametrize("arguments", LAYERS, ids=repr)
def test_matched_never_has_more_parameters_and_falls_short_by_less_than_one_filter(
    arguments: tuple,
) -> None:
    layer = QuantumConv2d(*arguments)
    spare = trainable(layer) - trainable(conv_head("matched", layer))
    one_filter = len(layer.weight) * (layer.circuit.qubits + layer.circuit.outputs)
    assert 0 <= spare < one_filter


def test_matched_keeps_circuits_apart() -> None:
    layer = QuantumConv2d(2, 16, 2, 2)
    matched = conv_head("matched", layer)
    images = torch.randn(1, 2, 6, 6)
    before = matched(images).detach()
    images[:, 1] = 0
    assert torch.equal(matched(images)[:, :8], before[:, :8])
    with torch.no_grad():
        matched[0].weight[:3] = 0  # the three filters of the first of four circuits
    after = matched(images)
    assert after[:, :4].count_nonzero() == 0
    assert torch.equal(after[:, 4:8], before[:, 4:8])


def test_matched_with_too_few_weights_for_a_filter_averages_the_pixels() -> None:
    matched = conv_head("matched", QuantumConv2d(2, 24, 2, 2, 0, 1, "XYZ"))
    images = torch.randn(1, 2, 4, 4)
    averaged = nn.functional.avg_pool2d(images, 2)
    expected = averaged.repeat_interleave(12, dim=1) * matched[1].weight.view(24, 1, 1)
    torch.testing.assert_close(matched(images), expected.tanh())


@pytest.mark.parametrize("variant", SAME_SHAPE)
def test_the_networks_other_weights_are_alike(variant: str) -> None:
    def rest(variant: str) -> Tensor:
        conv_head(variant, gvco_layer())
        return nn.Linear(3, 4).weight

    assert torch.equal(rest(variant), rest("hybrid"))


def test_an_unknown_variant_lists_the_known() -> None:
    with pytest.raises(RecipeError) as caught:
        conv_head("densest", gvco_layer())
    assert all(variant in str(caught.value) for variant in ("densest", *VARIANTS))
