from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from medqnn.layers import ConvNorm, ResidualBlock, TopDown


def moved(module: nn.Module, *inputs: object) -> nn.Module:
    """The module in evaluation mode, its batch norm's statistics off 0 and 1."""
    module.train()(*inputs)
    return module.eval()


@pytest.mark.parametrize(("fan_in", "fan_out", "stride"), [(4, 4, 1), (4, 6, 1), (4, 6, 2)])
def test_block_adds_its_input(fan_in: int, fan_out: int, stride: int) -> None:
    torch.manual_seed(0)
    features = torch.randn(5, fan_in, 8, 8)
    block = moved(ResidualBlock(fan_in, fan_out, stride), features)
    first, second, *rest = (m for m in block.modules() if isinstance(m, ConvNorm))
    assert first[0].bias is None
    changed = second(F.relu(first(features)))
    kept = features
    if rest:
        pooled = F.avg_pool2d(features, stride) if stride > 1 else features
        kept = rest[0](pooled)
    assert bool(rest) == (fan_in != fan_out or stride > 1)
    torch.testing.assert_close(block(features), F.relu(changed + kept))


def test_top_down_merges_from_the_coarsest() -> None:
    torch.manual_seed(0)
    maps = [torch.randn(3, 2 + i, 16 // 2**i, 16 // 2**i) for i in range(3)]
    path = moved(TopDown([2, 3, 4], 5), maps)
    merged = path.lateral[2](maps[2])
    for i in (1, 0):
        doubled = merged.repeat_interleave(2, -1).repeat_interleave(2, -2)
        merged = F.relu(path.smooth[i][0](doubled + path.lateral[i](maps[i])))
    found = path(maps)
    assert found.shape == (3, 5, 16, 16)
    torch.testing.assert_close(found, merged)


def test_one_map_alone_is_only_widened() -> None:
    maps = [torch.randn(2, 3, 4, 4)]
    path = moved(TopDown([3], 5), maps)
    assert len(path.smooth) == 0
    torch.testing.assert_close(path(maps), path.lateral[0](maps[0]))
