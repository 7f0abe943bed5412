from __future__ import annotations

import pytest
import torch
from torch import nn

from medqnn.errors import RecipeError
from medqnn.training.gvco import GVCO
from medqnn.training.optimizers import OPTIMIZERS, build_optimizer
from medqnn.training.sections import Training

CLASSES = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
    "gvco": GVCO,
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_recipes_name_gives_its_optimizer(name: str) -> None:
    spec = Training(optimizer=name, learning_rate=0.25, weight_decay=0.125)
    optimizer = build_optimizer(spec, nn.Linear(3, 2).parameters())
    assert type(optimizer) is CLASSES[name]
    assert optimizer.defaults["lr"] == 0.25
    assert optimizer.defaults["weight_decay"] == 0.125


def test_only_what_is_trainable_is_optimized() -> None:
    network = nn.Sequential(nn.Linear(3, 2).requires_grad_(False), nn.Linear(2, 1))
    optimizer = build_optimizer(Training(learning_rate=1), network.parameters())
    assert [len(group["params"]) for group in optimizer.param_groups] == [2]


def test_options_reach_the_optimizer() -> None:
    spec = Training(optimizer="sgd", learning_rate=1, optimizer_options={"momentum": 0.9})
    assert build_optimizer(spec, nn.Linear(1, 1).parameters()).defaults["momentum"] == 0.9


@pytest.mark.parametrize("options", [{"momentun": 0.9}, {"momentum": -1.0}])
def test_options_that_the_optimizer_refuses_are_one_line(options: dict[str, float]) -> None:
    spec = Training(optimizer="sgd", learning_rate=1, optimizer_options=options)
    with pytest.raises(
        RecipeError, match=r"'training\.optimizer_options' .* sgd refuses"
    ) as caught:
        build_optimizer(spec, nn.Linear(1, 1).parameters())
    assert "\n" not in str(caught.value)
