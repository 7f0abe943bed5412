from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from medqnn.layers import ChannelAttention, SpatialAttention


@pytest.mark.parametrize("size", [(6, 6), (5, 9)])
@pytest.mark.parametrize("batch", [1, 3])
def test_channel_attention_is_the_papers_formula(batch: int, size: tuple[int, int]) -> None:
    layer = ChannelAttention(8, reduction=2)
    features = torch.randn(batch, 8, *size)
    first, second = (m for m in layer.modules() if isinstance(m, torch.nn.Conv2d))
    assert first.weight.shape[:2] == (4, 8)
    pooled = features.mean(dim=(2, 3))
    hidden = (pooled @ first.weight[:, :, 0, 0].T + first.bias).clamp(min=0)
    weights = torch.sigmoid(hidden @ second.weight[:, :, 0, 0].T + second.bias)
    torch.testing.assert_close(layer(features), features * weights[:, :, None, None])


@pytest.mark.parametrize("size", [(6, 6), (5, 9)])
@pytest.mark.parametrize("batch", [1, 3])
def test_spatial_attention_is_the_papers_formula(batch: int, size: tuple[int, int]) -> None:
    layer = SpatialAttention(4)
    features = torch.randn(batch, 4, *size)
    one, three, five, seven = (m for m in layer.modules() if isinstance(m, torch.nn.Conv2d))
    assert [m.kernel_size[0] for m in (one, three, five, seven)] == [1, 3, 5, 7]
    averaged = (
        F.conv2d(features, one.weight, one.bias)
        + F.conv2d(F.pad(features, [1] * 4), three.weight, three.bias)
        + F.conv2d(F.pad(features, [2] * 4), five.weight, five.bias)
    ) / 3
    expected = F.conv2d(F.pad(averaged, [3] * 4), seven.weight, seven.bias)
    assert expected.shape == (batch, 1, *size)
    torch.testing.assert_close(layer(features), expected, atol=1e-5, rtol=1e-5)


def test_channel_attention_weighs_each_channel_by_one_number_in_0_1() -> None:
    features = torch.rand(2, 8, 5, 5) + 0.5
    ratio = ChannelAttention(8)(features) / features
    assert ((ratio > 0) & (ratio < 1)).all()
    torch.testing.assert_close(ratio, ratio[:, :, :1, :1].expand_as(ratio))
