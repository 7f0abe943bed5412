from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from medqnn.models import HQCMEBTCPlus
from medqnn.models.hqcm_ebtc_plus import FLOOR, attended_mean

SMALL = {"image_size": 32, "widths": (4, 6, 8, 10), "attention_width": 5}


def small(**arguments: object) -> HQCMEBTCPlus:
    torch.manual_seed(0)
    return HQCMEBTCPlus(**(SMALL | arguments))


def images(count: int, size: int = 32) -> Tensor:
    return torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(5))


def test_the_forward_pass_is_the_formula() -> None:
    model = small()
    model.train()(images(16))  # moves the running statistics off 0 and 1
    model.eval()
    maps = [model.stages[0](model.stem(images(4)))]
    for stage in model.stages[1:]:
        maps.append(stage(maps[-1]))
    merged = model.top_down(maps)
    attention = model.to_map(merged)
    weights = attention.sigmoid()
    read = [maps[3].mean((2, 3))]
    for own in (maps[1], maps[2], maps[3], merged):
        averaged = F.avg_pool2d(weights, weights.shape[-1] // own.shape[-1])
        read.append((own * averaged).sum((2, 3)) / (averaged.sum((2, 3)) + FLOOR))
    z = F.relu(torch.cat(read, 1) @ model.projection.weight.T + model.projection.bias)
    features = model.head(z)
    output = model(images(4))
    torch.testing.assert_close(output.attention, attention)
    torch.testing.assert_close(output.features, features)
    torch.testing.assert_close(output.logits, model.classifier(features))


@pytest.mark.parametrize("stage", [1, 2, 3, 4])
def test_attention_has_the_size_of_its_stage(stage: int) -> None:
    output = small(attention_stage=stage)(images(2))
    assert output.attention.shape == (2, 1, 32 // 2**stage, 32 // 2**stage)


def test_without_attended_pooling_the_classes_do_not_feel_the_attention() -> None:
    model = small(attended_pooling=False)
    model(images(4)).logits.sum().backward()
    assert model.to_map.weight.grad is None
    assert model.projection.in_features == SMALL["widths"][-1]


def test_attended_mean_worked_example() -> None:
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    one = torch.full((1, 1, 4, 4), -40.0)
    one[..., :2, 2:] = 40.0  # the upper right quarter
    assert attended_mean(maps, one).item() == pytest.approx(2.0 / (1.0 + FLOOR))
    assert attended_mean(maps, torch.full_like(one, -40.0)).item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"image_size": 40}, "image_size is 40"), ({"attention_stage": 5}, "attention_stage is 5")],
)
def test_sizes_that_do_not_fit_are_refused(arguments: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        small(**arguments)


def test_the_quantum_part_is_that_of_hqcm_ebtc() -> None:
    model = HQCMEBTCPlus()
    assert model.head.weight.numel() == 150
    assert sum(weight.numel() for weight in model.parameters()) < 2_200_000
